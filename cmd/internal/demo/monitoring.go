package demo

import (
	"fmt"
	"time"
)

// staffAddresses are the contacts of the monitoring systems.
func staffAddresses() []string {
	return []string{"cloud-admin@lists.example.org", "andrew@example.org", "brooke@example.org", "arturo@example.org", "bryan@example.org"}
}

// check is one service of a host group as Icinga or Shinken watches it.
type check struct {
	service  string
	problem  string
	ok       string
	hosts    func(i int) string
	n        int
	recovers func(day) time.Time
}

func checks() []check {
	exec := func(i int) string { return fmt.Sprintf("tools-sgeexec-%04d", 901+i) }
	worker := func(i int) string { return fmt.Sprintf("tools-worker-%04d", 1001+i) }
	repaired := func(d day) time.Time { return d.repaired() }
	names := func(d day) time.Time { return d.names }
	return []check{
		{"SSH", "CRITICAL - Socket timeout after 10 seconds", "SSH OK - OpenSSH_7.4p1 (protocol 2.0)", exec, 40, func(d day) time.Time { return d.machines }},
		{"SSH", "CRITICAL - Socket timeout after 10 seconds", "SSH OK - OpenSSH_7.4p1 (protocol 2.0)", worker, 40, func(d day) time.Time { return d.machines }},
		{"Free space - all mounts", "UNKNOWN - df: /mnt/nfs: Stale file handle", "OK: All targets OK", exec, 40, repaired},
		{"Free space - all mounts", "UNKNOWN - df: /mnt/nfs: Stale file handle", "OK: All targets OK", worker, 40, repaired},
		{"High iowait", "CRITICAL: 87.4 % of CPU time is iowait", "OK: 0.3 % of CPU time is iowait", worker, 40, repaired},
		{"Puppet errors", "CRITICAL: Puppet has 3 failures", "OK: Puppet is currently enabled, last run 4 minutes ago with 0 failures", exec, 40, repaired},
		{"LDAP", "Could not bind to the LDAP server", "LDAP OK - 0.041 seconds response time", func(i int) string { return fmt.Sprintf("ldap-eqiad-replica%02d", i+1) }, 2, names},
		{"DNS recursor", "CRITICAL - Plugin timed out while executing system call", "DNS OK: 0.021 seconds response time", func(i int) string { return fmt.Sprintf("labs-recursor%d", i) }, 2, names},
		{"toolschecker: NFS read/writeable on labs instances", "HTTP CRITICAL: HTTP/1.1 504 Gateway Time-out", "HTTP OK: HTTP/1.1 200 OK", func(int) string { return "checker.tools.wmflabs.org" }, 1, repaired},
		{"toolschecker: All k8s worker nodes are healthy", "HTTP CRITICAL: HTTP/1.1 503 Service Unavailable", "HTTP OK: HTTP/1.1 200 OK", func(int) string { return "checker.tools.wmflabs.org" }, 1, repaired},
	}
}

// monitoring: each check that fails tells all of the staff, flaps a little
// while machines come and go, and recovers.
func (s *scripter) monitoring() {
	for _, c := range checks() {
		for i := range c.n {
			at := s.day.outage.Add(time.Minute + s.jitter(9*time.Minute))
			s.service(c, c.hosts(i), at, c.recovers(s.day).Add(s.jitter(15*time.Minute)))
		}
	}
	for i := range 20 { // the upgrade's expected background: machine after machine
		at := s.day.upgrade.Add(time.Duration(i)*90*time.Second + time.Second)
		s.host(fmt.Sprintf("cloudvirt%04d", 1001+i), s.day.upgrade, at, at.Add(4*time.Minute+s.jitter(10*time.Minute)))
	}
	for i := range 40 {
		at := s.day.outage.Add(2*time.Minute + s.jitter(5*time.Minute))
		s.host(fmt.Sprintf("tools-sgeexec-%04d", 901+i), s.day.outage, at, s.day.machines.Add(s.jitter(10*time.Minute)))
	}
}

func (s *scripter) service(c check, host string, down, up time.Time) {
	problems := []time.Time{down}
	for at := down.Add(20*time.Minute + s.jitter(20*time.Minute)); at.Add(5 * time.Minute).Before(up); at = at.Add(30*time.Minute + s.jitter(30*time.Minute)) {
		if s.rnd.IntN(2) == 0 { // flaps: one good check between
			s.notify(host, c.service, "RECOVERY", "OK", c.ok, at)
			problems = append(problems, at.Add(5*time.Minute))
		}
	}
	state := "CRITICAL"
	if c.problem[:3] == "UNK" {
		state = "UNKNOWN"
	}
	for _, at := range problems {
		s.notify(host, c.service, "PROBLEM", state, c.problem, at)
	}
	s.notify(host, c.service, "RECOVERY", "OK", c.ok, up)
}

func (s *scripter) notify(host, service, kind, state, output string, at time.Time) {
	for _, to := range staffAddresses() {
		l := letter{at: at, from: "icinga@icinga1001.wikimedia.org", to: []string{to}, kind: staff, cause: s.day.outage}
		s.add(l.compose(fmt.Sprintf("** %s alert - %s/%s is %s **", kind, host, service, state),
			fmt.Sprintf("Notification Type: %s\n\nService: %s\nHost: %s\nAddress: 172.16.%d.%d\nState: %s\n\nDate/Time: %s\n\nNotes URLs: \n\nAcknowledged by : \n\nAdditional Info:\n\n%s",
				kind, service, host, s.rnd.IntN(8), s.rnd.IntN(250), state, at.Format("Mon Jan 2 15:04:05 MST 2006"), output),
			field{"From", "icinga@icinga1001.wikimedia.org (Icinga)"}, field{"Reply-To", to}))
	}
}

func (s *scripter) host(name string, cause, down, up time.Time) {
	tell := func(state string, at time.Time) {
		for _, to := range staffAddresses() {
			kind := "PROBLEM"
			if state == "UP" {
				kind = "RECOVERY"
			}
			l := letter{at: at, from: "shinken@shinken-02.shinken.eqiad.wmflabs", to: []string{to}, kind: staff, cause: cause}
			s.add(l.compose(fmt.Sprintf("Host %s alert for %s!", state, name),
				fmt.Sprintf("***** Shinken *****\n\nNotification Type: %s\nHost: %s\nState: %s\nAddress: %s\nInfo: PING %s - Packet loss = %d%%\nDate/Time: %s",
					kind, name, state, name, map[bool]string{true: "OK", false: "CRITICAL"}[state == "UP"], map[bool]int{true: 0, false: 100}[state == "UP"], at.Format("Mon Jan 2 15:04:05 MST 2006")),
				field{"From", "shinken@shinken-02.shinken.eqiad.wmflabs"}))
		}
	}
	tell("DOWN", down)
	tell("UP", up)
}

// puppet: each VM mails its project's members once when its runs keep failing.
func (s *scripter) puppet() {
	for i := range 60 {
		at := s.day.machines.Add(s.jitter(90 * time.Minute))
		fqdn := fmt.Sprintf("tools-worker-%04d.tools.eqiad.wmflabs", 1001+i)
		for _, to := range staffAddresses()[1:] {
			l := letter{at: at, from: "root@" + fqdn, to: []string{to}, kind: staff, cause: s.day.outage}
			s.add(l.compose("[Cloud VPS alert] Puppet failure on "+fqdn,
				fmt.Sprintf("Puppet is having issues on the %q instance in project tools\n\nPuppet did not run in the last %d seconds, and the last run was a failure.\n\nYou are receiving this email because you are listed as member for the project that contains this instance.", fqdn+" (172.16.1.23)", 3000+s.rnd.IntN(6000)),
				field{"From", "root <root@" + fqdn + ">"}, field{"Precedence", "Bulk"}))
		}
	}
}

// builds: CI fails for want of names and network, and is fixed later.
func (s *scripter) builds() {
	for i := range 40 {
		build := 100 + s.rnd.IntN(900)
		job := fmt.Sprintf("operations-puppet-%02d", i)
		s.build("Build failed in Jenkins: "+job, job, "FAILURE", build, s.day.outage.Add(s.jitter(45*time.Minute)))
		s.build("Jenkins build is back to normal : "+job, job, "SUCCESS", build+1, s.day.machines.Add(s.jitter(time.Hour)))
	}
}

func (s *scripter) build(subject, job, result string, number int, at time.Time) {
	l := letter{at: at, from: "jenkins@ci.wikimedia.org", to: staffAddresses()[:1], kind: staff, cause: s.day.outage}
	s.add(l.compose(fmt.Sprintf("%s #%d", subject, number),
		fmt.Sprintf("See <https://ci.example.org/job/%s/%d/display/redirect>\n\nFATAL: java.net.UnknownHostException: gerrit", job, number),
		field{"From", "jenkins-bot <jenkins@ci.wikimedia.org>"}, field{"X-Jenkins-Job", job}, field{"X-Jenkins-Result", result}, field{"Auto-submitted", "auto-generated"}))
}
