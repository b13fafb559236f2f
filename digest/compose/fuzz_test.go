package compose_test

import (
	"testing"
	"time"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
	"lull/store"
)

// FuzzMail puts the same foreign text everywhere a stranger can.
func FuzzMail(f *testing.F) {
	for _, e := range composetest.Hostile().Entries {
		if s := e.Message.Reading.Subject; len(s) < 1000 {
			f.Add(s, e.Message.Reading.Excerpt, int64(60), uint8(0))
		}
	}
	f.Add("web[1-3]", "\r\n.\r\n", int64(-1<<62), uint8(1))
	f.Fuzz(func(t *testing.T, s, text string, age int64, level uint8) {
		now := composetest.At("16:00")
		b := composetest.New(composetest.Host, composetest.Reader, now)
		for i, state := range []store.State{store.Problem, store.Recovery, store.Notice, store.Problem, store.State(s)} {
			b.Add(composetest.Mail{At: now, Sent: now.Add(time.Duration(age)), Title: s[:len(s)*i/4], Object: s, State: state, Kind: s,
				Severity: store.Severity(s), Subject: s, Excerpt: text})
		}
		b.Add(composetest.Mail{At: now, Title: "quiet" + s, Silenced: s})
		b.Add(composetest.Mail{At: now, Title: "passed" + s, Joined: text, Object: text})
		in := b.Input()
		in.Level = compose.Level(level % 3)
		in.MaxBytes = 1
		in.Body = func(string) ([]byte, error) { return []byte(text), nil }
		in.Causes = []compose.Cause{{Title: s, Reasons: []string{text, s}, Incidents: []string{in.Incidents[0].ID, in.Incidents[1].ID}}}
		in.Returned = []store.Batch{{ID: s, Copies: 2, At: now}}
		raw, told, err := compose.Mail(in)
		if err != nil {
			t.Fatal(err)
		}
		check(t, in, raw, told, parse(t, raw))
	})
}

// FuzzAddress puts foreign text into what comes from the envelope.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"root", "a@b.example", "\"a b\"@c.example", "x\r\nBcc: y@z", "пример@почта.рф", "a@b>, <c@d", "@", "=?utf-8?q?x?=@y", "\u202ea@b"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, reader, to string) {
		in := composetest.Quiet()
		in.Reader, in.To = reader, to
		raw, told, err := compose.Mail(in)
		if to == "" {
			if err == nil {
				t.Error("a digest to nobody")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, raw)
		check(t, in, raw, told, p)
		n := 0
		for fields := p.header.Fields(); fields.Next(); n++ {
		}
		if n != 15 {
			t.Errorf("%d header fields of 15:\n%s", n, raw[:600])
		}
	})
}
