package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const domain = "tools.wmflabs.org"

// script makes all mails of the day in order of time, for so many tools.
func script(d day, seed uint64, tools int) []letter {
	s := &scripter{day: d, tools: tools, rnd: rand.New(rand.NewPCG(seed, 20191007))}
	s.cronJobs()
	s.gridJobs()
	s.monitoring()
	s.puppet()
	s.builds()
	s.conversations()
	slices.SortStableFunc(s.letters, func(a, b letter) int { return a.at.Compare(b.at) })
	return s.letters
}

type scripter struct {
	day     day
	tools   int
	rnd     *rand.Rand
	letters []letter
}

func (s *scripter) add(l letter) { s.letters = append(s.letters, l) }

// jitter is a random duration below d.
func (s *scripter) jitter(d time.Duration) time.Duration {
	return time.Duration(s.rnd.Int64N(int64(d)))
}

func tool(i int) string { return fmt.Sprintf("tool%03d", i) }

func toolAddress(i int) string { return "tools." + tool(i) + "@" + domain }

// cronJobs: every tool has a job or two; while home directories are gone each
// run fails, and cron mails what it printed.
func (s *scripter) cronJobs() {
	intervals := []time.Duration{5 * time.Minute, 10 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, time.Hour}
	for i := range s.tools {
		for job := range 1 + s.rnd.IntN(3) {
			every := intervals[s.rnd.IntN(len(intervals))]
			for at := s.day.begin.Add(s.jitter(every)); at.Before(s.day.end); at = at.Add(every) {
				if s.day.broken(at) {
					s.add(s.failedCron(i, job, at))
				} else if s.rnd.IntN(400) == 0 {
					s.add(s.noisyCron(i, job, at))
				}
			}
		}
	}
}

func (s *scripter) failedCron(i, job int, at time.Time) letter {
	output := []string{
		fmt.Sprintf("/bin/sh: 1: cd: can't cd to /data/project/%s", tool(i)),
		fmt.Sprintf("Unable to run job: error opening /data/project/%s/.jsubrc: Stale file handle\nExiting.", tool(i)),
	}
	text := output[1]
	if at.Before(s.day.names) {
		text = output[0] + "\nsudo: unable to resolve host tools-sgecron-01: Name or service not known"
	}
	return s.cron(i, job, at, text, s.day.outage)
}

func (s *scripter) noisyCron(i, job int, at time.Time) letter {
	return s.cron(i, job, at, fmt.Sprintf("Warning: %d pages could not be fetched (HTTP 503)", 1+s.rnd.IntN(40)), at)
}

func (s *scripter) cron(i, job int, at time.Time, text string, cause time.Time) letter {
	l := letter{at: at, from: toolAddress(i), to: []string{toolAddress(i)}, kind: maintainers, cause: cause}
	command := fmt.Sprintf("/usr/bin/jsub -N update%d -once -quiet /data/project/%s/update%d.sh", job, tool(i), job)
	return l.compose(fmt.Sprintf("Cron <tools.%s@tools-sgecron-01> %s", tool(i), command), text,
		field{"From", "root@" + domain + " (Cron Daemon)"},
		field{"Content-Type", "text/plain; charset=UTF-8"},
		field{"X-Cron-Env", "<SHELL=/bin/sh>"},
		field{"X-Cron-Env", fmt.Sprintf("<HOME=/data/project/%s>", tool(i))},
		field{"X-Cron-Env", fmt.Sprintf("<LOGNAME=tools.%s>", tool(i))})
}

// gridJobs: continuous jobs die when their node loses NFS, and are started
// again and again.
func (s *scripter) gridJobs() {
	for i := range s.tools {
		if s.rnd.IntN(3) != 0 {
			continue
		}
		for at := s.day.outage.Add(s.jitter(20 * time.Minute)); at.Before(s.day.repaired()); at = at.Add(10*time.Minute + s.jitter(20*time.Minute)) {
			s.add(s.aborted(i, at))
		}
	}
}

func (s *scripter) aborted(i int, at time.Time) letter {
	job := 9_000_000 + s.rnd.IntN(900_000)
	host := fmt.Sprintf("tools-sgeexec-%04d.tools.eqiad.wmflabs", 901+s.rnd.IntN(40))
	stamp := func(t time.Time) string { return t.Format("01/02/2006 15:04:05") }
	l := letter{at: at, from: "sgeadmin@" + domain, to: []string{toolAddress(i)}, kind: maintainers, cause: s.day.outage}
	return l.compose(fmt.Sprintf("Job %d (bot-%s) Aborted", job, tool(i)),
		fmt.Sprintf(" Exit Status      = 137\n Signal           = KILL\n User             = tools.%s\n Queue            = continuous@%s\n Host             = %s\n Start Time       = %s\n End Time         = %s\n CPU              = 00:00:0%d\n Max vmem         = NA\nfailed assumedly after job because:\njob %d.1 died through signal KILL (9)",
			tool(i), host, host, stamp(at.Add(-s.jitter(time.Hour))), stamp(at), s.rnd.IntN(9), job),
		field{"From", "root <root@" + domain + ">"})
}

// conversations: people write to tools' maintainers and are answered, all day
// long, in spite of everything.
func (s *scripter) conversations() {
	for n, at := 0, s.day.begin.Add(time.Minute); at.Before(s.day.end); n, at = n+1, at.Add(4*time.Minute+s.jitter(4*time.Minute)) {
		person := fmt.Sprintf("person%02d@example.org", s.rnd.IntN(40))
		maintainer := fmt.Sprintf("user%03d@%s", s.rnd.IntN(60), domain)
		id := fmt.Sprintf("<%d.question@example.org>", n)
		s.add(letter{at: at, from: person, to: []string{maintainer}, kind: people}.compose(
			"Question about your tool", "Hello,\n\nthe export stops after 500 rows. Is that on purpose?\n\nThank you",
			field{"From", "Somebody <" + person + ">"}, field{"Message-ID", id}))
		s.add(letter{at: at.Add(90 * time.Second), from: maintainer, to: []string{person}, kind: people}.compose(
			"Re: Question about your tool", "Hi,\n\nit is; add &limit=5000.\n\nBest",
			field{"From", "Maintainer <" + maintainer + ">"}, field{"Message-ID", fmt.Sprintf("<%d.answer@%s>", n, domain)}, field{"In-Reply-To", id}))
	}
}
