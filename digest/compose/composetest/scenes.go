package composetest

import (
	"fmt"
	"strings"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// Host and Reader are those of all scenes.
const (
	Host   = "lull.tools.example.org"
	Reader = "tools.foo@tools.example.org"
)

// cutAt is when the scenes are cut, on a day in the past.
var cutAt = time.Date(2019, 10, 7, 16, 0, 0, 0, time.UTC)

// At is a time on the day of the scenes, "15:46" or "15:46:10".
func At(clock string) time.Time {
	layout := "2006-01-02 15:04:05"[:11+len(clock)]
	t, err := time.Parse(layout, cutAt.Format("2006-01-02 ")+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// Quiet is an ordinary hour: few mails, one problem open.
func Quiet() compose.Input {
	b := New(Host, Reader, cutAt)
	cron := Mail{Title: "Cron <tools.foo@<host>> /usr/bin/jsub -N update -once -quiet /data/project/foo/update.sh",
		Object: "tools-sgecron-01", State: store.Problem, Severity: store.Warning,
		Subject: "Cron <tools.foo@tools-sgecron-01> /usr/bin/jsub -N update -once -quiet /data/project/foo/update.sh",
		Excerpt: "Unable to run job: can't get password entry for user \"tools.foo\". Either user does not exist or error with NIS/LDAP etc.\nExiting."}
	for _, at := range []string{"15:05", "15:20", "15:35", "15:50"} {
		m := cron
		m.At = At(at)
		if at == "15:05" {
			m.Shown = "01DPJNOT1CE000000000000001"
		}
		b.Add(m)
	}
	webservice := Mail{Title: "foo webservice on <host>", Object: "tools-webgrid-generic-1402", At: At("15:12"),
		State: store.Problem, Severity: store.Critical, Subject: "PROBLEM foo webservice", Excerpt: "HTTP 503 after 10 s"}
	b.Add(webservice)
	webservice.At, webservice.State, webservice.Excerpt = At("15:24"), store.Recovery, "HTTP 200"
	b.Add(webservice)
	b.Add(Mail{Title: "Job <n> (backup) Complete", At: At("15:02"), State: store.Notice, Kind: "success",
		Subject: "Job 1234567 (backup) Complete", Excerpt: "Exit Status = 0"})
	in := b.Input()
	in.Notices = []store.Batch{{ID: "01DPJNOT1CE000000000000001", Kind: store.KindNotice, At: At("15:05"), Ended: At("15:05:02")}}
	return in
}

// check is a monitoring check that fails on many hosts.
type check struct {
	title, subject, excerpt string
	severity                store.Severity
	hosts                   []string
	recovers                bool
}

// Storm is the hour of an outage: n mails of some forty kinds, of which NFS is
// the cause.
func Storm(n int) compose.Input { return storm(n, cutAt) }

// storm is what has come of it until then.
func storm(n int, until time.Time) compose.Input {
	b := New(Host, "wmcs-staff@tools.example.org", cutAt)
	checks := stormChecks()
	outage := At("15:45")
	for k := range checks[:3] {
		b.Add(Mail{At: At("14:20").Add(time.Duration(k) * time.Minute), Title: checks[30+k].title, Object: checks[30+k].hosts[0],
			State: store.Problem, Severity: checks[30+k].severity, Earlier: true})
	}
	// Mails come at 15 a minute before the outage, and in a falling wave after.
	for i := range n {
		c := checks[(i*7+i/len(checks))%len(checks)]
		at := At("15:00").Add(time.Duration(i) * 45 * time.Minute / time.Duration(n/12+1))
		if i > n/12 {
			x := float64(i-n/12) / float64(n)
			at = outage.Add(time.Duration(x * x * float64(14*time.Minute+50*time.Second)))
		} else {
			c = checks[30+i%10]
		}
		if !at.Before(until) {
			break
		}
		host := c.hosts[(i/3)%len(c.hosts)]
		m := Mail{At: at, Title: c.title, Object: host, State: store.Problem, Severity: c.severity,
			Subject: strings.ReplaceAll(c.subject, "HOST", host), Excerpt: strings.ReplaceAll(c.excerpt, "HOST", host)}
		if c.recovers && i > n*3/4 {
			m.State, m.Severity = store.Recovery, ""
		}
		b.Add(m)
	}
	in := b.Input()
	in.Storm = &compose.Storm{Began: outage}
	for _, i := range in.Incidents {
		if i.Opened.After(outage) {
			in.Storm.Opened++
		}
	}
	in.Causes = []compose.Cause{{
		Title: "NFS on labstore1004", Incidents: idsOf(b, checks[0].title, checks[1].title, checks[2].title, checks[3].title, checks[4].title),
		Reasons: []string{"began within 2 minutes of each other", "share 42 objects"},
	}}
	return in
}

func idsOf(b *Builder, titles ...string) []string {
	var ids []string
	for _, t := range titles {
		ids = append(ids, b.Incident(t).ID)
	}
	return ids
}

func stormChecks() []check {
	hosts := func(prefix string, from, n int) []string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("%s%04d", prefix, from+i))
		}
		return names
	}
	grid := hosts("tools-sgeexec-", 901, 42)
	workers := hosts("tools-worker-", 1001, 36)
	checks := []check{
		{"toolschecker: NFS read/writeable on labs instances", "** PROBLEM alert - checker.tools/toolschecker: NFS read/writeable on labs instances is CRITICAL **",
			"CRITICAL - Socket timeout after 10 seconds", store.Critical, []string{"checker.tools.example.org"}, false},
		{"Host DOWN alert", "Host DOWN alert for HOST!", "PING CRITICAL - Packet loss = 100%", store.Critical, grid, true},
		{"Puppet failure on <host>", "[Cloud VPS alert] Puppet failure on HOST", "Puppet is having issues on the \"HOST\" instance in project tools\nPuppet did not run in the last 91234 seconds, and the last run was a failure.", store.Warning, append(grid, workers...), false},
		{"Free space - all mounts", "** PROBLEM alert - HOST/Free space - all mounts is CRITICAL **", "CRITICAL: tools.HOST.diskspace._mnt_nfs.byte_percentfree (No valid datapoints found)", store.Critical, workers, true},
		{"toolschecker: cron (no jobs) is running", "** PROBLEM alert - checker.tools/toolschecker: cron is CRITICAL **", "HTTP CRITICAL: HTTP/1.1 503 SERVICE UNAVAILABLE - string 'OK' not found", store.Critical, []string{"checker.tools.example.org"}, false},
	}
	for i := range 25 {
		checks = append(checks, check{fmt.Sprintf("Cron <tools.%s@<host>> /usr/bin/jsub -N %s -once -quiet", toolNames[i], toolNames[i]),
			"Cron <tools." + toolNames[i] + "@HOST> /usr/bin/jsub", "Unable to run job: unable to open file for writing: Stale file handle\nExiting.", "", []string{"tools-sgecron-01", "tools-sgecron-02"}, false})
	}
	for i := range 10 {
		checks = append(checks, check{fmt.Sprintf("%s on <host>", serviceNames[i]), "** PROBLEM alert - HOST/" + serviceNames[i] + " is WARNING **",
			"WARNING: " + serviceNames[i] + " took 12.4 s", store.Warning, hosts("cloudvirt", 1009+i, 6), i%3 == 0})
	}
	return checks
}

var toolNames = []string{"geohack", "listeria", "iabot", "wikiviewstats", "guc", "replag", "pagepile", "quarry", "croptool", "mix-n-match",
	"petscan", "commonshelper", "videoconvert", "whois", "xtools-dev", "refill", "sourcemd", "ordia", "scholia", "wikiloves", "dplbot",
	"citations", "admin-stats", "copyvios", "osm-gadget"}

var serviceNames = []string{"exim queue length", "check systemd state", "SSH", "load average", "conntrack table", "NTP offset", "smart status",
	"nova-compute proc", "kernel errors", "DRBD role"}
