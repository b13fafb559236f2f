package daemon

import (
	"testing"

	"lull/digest/signature"
	"lull/digest/signature/corpus"
	"lull/relay/policy"
	"lull/store"
)

// TestEvaluationFollowsPolicy: the class that the evaluation of signatures
// measures is the one that policy gives, which it may not import.
func TestEvaluationFollowsPolicy(t *testing.T) {
	mails, err := corpus.Generate(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	raws := []string{
		"From: Ada <ada@example.org>\nSubject: lunch?\n\nHi\n",
		"From: Ada <ada@example.org>\nSubject: Re: disk\nIn-Reply-To: <a@example.org>\n\nHi\n",
		"From: root@web1.example.org\nSubject: Re: disk\nIn-Reply-To: <a@example.org>\n\nHi\n",
		"From: Ada <ada@example.org>\nSubject: Fwd: ** PROBLEM Host Alert: web1 is DOWN **\n\nHi\n",
		"From: robot <x@example.org>\nSubject: Re: [PATCH] x\nIn-Reply-To: <a@example.org>\nAuto-Submitted: auto-generated\n\nPASS\n",
		"From: x@example.org\nSubject: disk on web1 is CRITICAL\n\ntext\n",
		"From: Ada <ada@example.org>\nSubject: away\nAuto-Submitted: auto-replied\n\nHi\n",
		"From: Ada <ada@example.org>\nSubject: x\nList-Id: <l.example.org>\nPrecedence: list\n\nHi\n",
		"From: x@example.org\nX-Mailer: Monit 5.2\nSubject: x\n\nHi\n",
		"From: Mail Delivery System <mailer-daemon@example.org>\nSubject: Undelivered Mail Returned to Sender\n\nHi\n",
	}
	for _, m := range mails {
		raws = append(raws, string(m.Raw))
	}
	rules, err := policy.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range raws {
		r := signature.Read([]byte(raw))
		got := rules.Decide(policy.Input{Envelope: store.Envelope{From: "x@example.org"}, Reading: &r})
		if want := corpus.ClassOf(r); string(got.Class) != want {
			t.Errorf("policy says %s (%s), the evaluation %s:\n%s", got.Class, got.Reason, want, raw)
		}
	}
}
