package policy

import (
	"cmp"
	"strings"
	"testing"

	"lull/store"
)

// a mail, as the session would describe it.
type mail struct {
	sender, to, client string
	from, subject      string
	format             string
	marks              []string
	answers            bool
	digest, host       string
	state              store.State
}

func (m mail) input() Input {
	if m.format == "" {
		m.format = "generic"
	}
	return Input{
		Envelope: store.Envelope{From: m.sender, Client: m.client},
		To:       m.to,
		Reading: &store.Reading{
			Signature: store.Signature{Format: m.format},
			From:      m.from, Subject: m.subject, Marks: m.marks, Answers: m.answers,
			Digest: m.digest, DigestHost: m.host,
			Reports: []store.Report{{State: cmp.Or(m.state, store.Notice)}},
		},
	}
}

func TestByNature(t *testing.T) {
	p, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		mail   mail
		class  store.Class
		reason string
	}{
		{"a person", mail{sender: "ada@d.test", from: "Ada <ada@d.test>", subject: "lunch?"}, store.Pass, "no sign of an alert"},
		{"null sender", mail{format: "icinga"}, store.Pass, "null sender"},
		{"a bounce with a sender", mail{sender: "postmaster@d.test", format: "icinga", marks: []string{"bounce"}}, store.Pass, "reports about a mail"},
		{"a known format", mail{sender: "x@d.test", format: "icinga2"}, store.Alert, "format icinga2"},
		{"an unreadable mail", mail{sender: "x@d.test", format: "unreadable"}, store.Pass, "no sign of an alert"},
		{"a known format on a list", mail{sender: "x@d.test", format: "nagios", marks: []string{"list-id", "precedence"}}, store.Alert, "format nagios"},
		{"a threaded alert", mail{sender: "am@d.test", format: "alertmanager", subject: "[FIRING:1] x", answers: true}, store.Alert, "format alertmanager"},
		{"a person answers an alert", mail{sender: "ada@d.test", format: "nagios", subject: "Re: ** PROBLEM **", answers: true}, store.Pass, "answers or forwards a mail"},
		{"a robot answers a patch", mail{sender: "lkp@d.test", format: "kernel-test-robot", subject: "Re: [PATCH] x", answers: true, marks: []string{"robot:robot"}}, store.Alert, "format kernel-test-robot"},
		{"a bot that nobody knows answers", mail{sender: "ci@d.test", subject: "RE: x", answers: true, marks: []string{"robot:testbot"}}, store.Alert, "mark robot:testbot"},
		{"a role answers", mail{sender: "root@d.test", format: "nagios", subject: "Re: x", answers: true, marks: []string{"robot:root"}}, store.Pass, "answers or forwards a mail"},
		{"a vacation note", mail{sender: "ada@d.test", subject: "away", marks: []string{"auto-replied"}}, store.Pass, "a mailer answers for a person"},
		{"a mailer's own alert", mail{sender: "mailer-daemon@d.test", format: "exim", subject: "Message frozen", marks: []string{"auto-replied"}}, store.Alert, "format exim"},
		{"a code for one person", mail{sender: "noreply@d.test", subject: "Your verification code is 123456", marks: []string{"personal", "robot:noreply"}}, store.Pass, "for one person"},
		{"the build of a newsletter", mail{sender: "jenkins@d.test", format: "jenkins", subject: "Build failed in Jenkins: newsletter #12", marks: []string{"personal"}, state: store.Problem}, store.Alert, "format jenkins"},
		{"a device to verify", mail{sender: "noreply@d.test", format: "github", subject: "[GitHub] Please verify your device", marks: []string{"personal"}}, store.Pass, "for one person"},
		{"an alert that a program's account forwards", mail{sender: "sensu@d.test", format: "sensu", subject: "Fwd: ALERT - web1/http: CRITICAL", marks: []string{"robot:sensu"}}, store.Alert, "format sensu"},
		{"an alert that begins with re", mail{sender: "x@d.test", format: "nagios", subject: "re: disk"}, store.Alert, "format nagios"},
		{"a person forwards an alert", mail{sender: "ada@d.test", format: "nagios", subject: "Fwd: ** PROBLEM **"}, store.Pass, "answers or forwards a mail"},
		{"auto-submitted", mail{sender: "x@d.test", marks: []string{"auto-submitted"}}, store.Alert, "mark auto-submitted"},
		{"cron", mail{sender: "tools.x@d.test", marks: []string{"x-auto-response-suppress", "x-cron-env"}}, store.Alert, "mark x-cron-env"},
		{"monit", mail{sender: "x@d.test", marks: []string{"x-mailer:monit"}}, store.Alert, "mark x-mailer:monit"},
		{"a mailer of people", mail{sender: "x@d.test", marks: []string{"x-mailer:apple", "user-agent:mozilla"}}, store.Pass, "no sign of an alert"},
		{"a human post to a list", mail{sender: "list-bounces@d.test", from: "Ada <ada@d.test>", marks: []string{"precedence", "list-id", "list-unsubscribe"}}, store.Pass, "no sign of an alert"},
		{"a newsletter", mail{sender: "news@d.test", marks: []string{"feedback-id", "list-unsubscribe"}}, store.Pass, "no sign of an alert"},
		{"root", mail{sender: "root@host.test", from: "root <root@host.test>"}, store.Alert, "role sender root"},
		{"root without a header From", mail{sender: "root@host.test"}, store.Alert, "role sender root"},
		{"a role in capitals, with a tag, quoted", mail{sender: `"Nagios+web"@host.test`}, store.Alert, "role sender nagios"},
		{"root answers", mail{sender: "root@host.test", answers: true}, store.Pass, "no sign of an alert"},
		{"a person behind a web form", mail{sender: "www-data@host.test", from: "Visitor <v@elsewhere.test>"}, store.Pass, "no sign of an alert"},
		{"a name that only begins like a role", mail{sender: "rooter@d.test"}, store.Pass, "no sign of an alert"},
		{"a digest of ours", mail{sender: "lull+1@d.test", digest: "1", host: "lull.test", format: "nagios", marks: []string{"auto-submitted"}}, store.Pass, "is a digest of lull.test"},
		{"a digest with a broken mark", mail{sender: "lull+1@d.test", marks: []string{"auto-submitted", "x-lull-digest"}}, store.Pass, "is a digest of a lull"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := p.Decide(c.mail.input()); got != (Decision{c.class, c.reason}) {
				t.Errorf("%+v, want %s because %s", got, c.class, c.reason)
			}
		})
	}
}

func TestRules(t *testing.T) {
	m := mail{
		sender: "root@Host.test", to: "ops@d.test", client: "10.1.2.3",
		from: "Cron <cron@host.test>", subject: "Backup done", format: "cron", marks: []string{"x-cron-env"},
	}
	for _, c := range []struct {
		name    string
		rule    Rule
		matches bool
	}{
		{"no condition", Rule{}, true},
		{"sender", Rule{Sender: "ROOT@*"}, true},
		{"other sender", Rule{Sender: "*@elsewhere.test"}, false},
		{"null sender", Rule{Sender: "<>"}, false},
		{"recipient", Rule{Recipient: "ops@d.test"}, true},
		{"other recipient", Rule{Recipient: "op@d.test"}, false},
		{"header from", Rule{From: "*<cron@*>"}, true},
		{"other header from", Rule{From: "cron@*"}, false},
		{"subject", Rule{Subject: "(?i)^backup (done|ok)$"}, true},
		{"other subject", Rule{Subject: "^done"}, false},
		{"mark", Rule{Mark: "X-Cron-Env"}, true},
		{"other mark", Rule{Mark: "list-id"}, false},
		{"format", Rule{Format: "Cron"}, true},
		{"other format", Rule{Format: "generic"}, false},
		{"client", Rule{Client: "10.1.2.3"}, true},
		{"network", Rule{Client: "10.0.0.0/8"}, true},
		{"other network", Rule{Client: "2001:db8::/32"}, false},
		{"socket", Rule{Client: "unix"}, false},
		{"all of them", Rule{Sender: "root@*", Recipient: "*", Subject: "Backup", Client: "10.0.0.0/8", Format: "cron"}, true},
		{"all but one", Rule{Sender: "root@*", Recipient: "*", Subject: "Backup", Client: "10.0.0.0/8", Format: "icinga"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name, c.rule.Class = "mine", store.Pass
			p, err := New([]Rule{c.rule})
			if err != nil {
				t.Fatal(err)
			}
			want := Decision{store.Alert, "format cron"}
			if c.matches {
				want = Decision{store.Pass, "rule mine"}
			}
			if got := p.Decide(m.input()); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestRulesInOrder(t *testing.T) {
	p, err := New([]Rule{
		{Name: "never", Sender: "<>", Class: store.Alert},
		{Name: "first", Sender: "a@*", Class: store.Alert},
		{Name: "second", Sender: "*", Class: store.Pass},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mail   mail
		reason string
	}{
		{mail{sender: ""}, "rule never"},
		{mail{sender: "a@b.test"}, "rule first"},
		{mail{sender: "b@b.test", format: "icinga"}, "rule second"},
		{mail{sender: "a@b.test", digest: "x", host: "h"}, "is a digest of h"},
	} {
		if got := p.Decide(c.mail.input()); got.Reason != c.reason {
			t.Errorf("%+v: %s, want %s", c.mail, got.Reason, c.reason)
		}
	}
}

func TestEveryFaultIsNamed(t *testing.T) {
	_, err := New([]Rule{
		{Name: "fine", Class: store.Pass},
		{Name: "one", Subject: "(", Client: "10.0.0.300", Class: store.Alert},
		{Class: "loud"},
	})
	if err == nil {
		t.Fatal("faulty rules were taken")
	}
	for _, part := range []string{`policy rule 2 "one"`, "subject: ", `client "10.0.0.300"`, "policy rule 3", "needs a name", `class "loud"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not tell %q:\n%v", part, err)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true},
		{"abc", "ABC", true}, {"abc", "abcd", false},
		{"a*", "a", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "acb", false},
		{"*b*", "abc", true}, {"*b*", "ac", false}, {"a*b*c", "a--b--c", true}, {"a*b*c", "a--c--b", false},
		{"a*a", "a", false}, {"**", "x", true}, {"*ab*ab", "ab", false}, {"*ab*ab", "xabyab", true},
	} {
		if got := like(c.pattern, c.s); got != c.want {
			t.Errorf("like(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}
