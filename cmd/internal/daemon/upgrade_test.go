package daemon

import (
	"fmt"
	"net/smtp"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lull/digest/signature"
	"lull/relay/admin"
	"lull/store"
	"lull/store/bolt"
)

// check is a mail about a check of a host, as Icinga 2 sends it.
func check(host, kind, state string) []byte {
	return fmt.Appendf(nil, "From: icinga2 <nagios@mon1.example.org>\r\nTo: ops@example.org\r\n"+
		"Subject: [%[2]s] disk /var on %[1]s is %[3]s!\r\n\r\n***** Service Monitoring on mon1.example.org *****\r\n\r\n"+
		"disk /var on %[1]s is %[3]s!\r\n\r\nService: disk /var\r\nHost:    %[1]s\r\n", host, kind, state)
}

// older is a mail as a lull with other signatures took it.
func older(id string, body []byte) store.Message {
	r := signature.Read(body)
	r.Signature.Version--
	r.Signature.ID = "s1-" + strings.Repeat("a", 26)
	return store.Message{
		ID: id, Accepted: time.Now(), Reading: r, Size: int64(len(body)),
		Envelope: store.Envelope{From: "nagios@mon1.example.org", Client: "127.0.0.1"},
		Copies:   []store.Copy{{Index: 1, To: "ops@example.org", Reader: "ops@example.org", Class: store.Alert, Reason: "format icinga2"}},
	}
}

// openOlder makes a store in which a lull with other signatures left an open
// incident of two hosts, and rules that name its signature.
func openOlder(t *testing.T, state string) {
	t.Helper()
	s, err := bolt.Open(state, bolt.Options{Limits: store.DefaultLimits(2 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for k, host := range []string{"web1.example.org", "web2.example.org"} {
		body := check(host, "PROBLEM", "CRITICAL")
		if err := s.Accept(t.Context(), older(fmt.Sprintf("m%d", k), body), body); err != nil {
			t.Fatal(err)
		}
	}
	silence := store.Rule{ID: "known", Kind: store.RuleSilence, Filter: "--signature s1-" + strings.Repeat("a", 26)}
	if _, err := s.Operate(t.Context(), store.Operate{ID: "o1", At: time.Now(), Kind: store.OpRule, By: "op", Rule: &silence}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAnUpgradeForksNoIncident: what an older lull opened goes on, is closed by
// recoveries that come after the upgrade, and is explained.
func TestAnUpgradeForksNoIncident(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	openOlder(t, state)
	r := begin(t, state, usual)
	client := admin.NewClient(state)
	defer client.Close()
	only := func() admin.Incident {
		var all []admin.Incident
		for i, err := range client.Incidents(t.Context(), admin.Selection{}).All() {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, i)
		}
		if len(all) != 1 {
			t.Fatalf("%d incidents: %+v", len(all), all)
		}
		return all[0]
	}
	first := only()
	for _, mail := range [][]byte{
		check("web3.example.org", "PROBLEM", "CRITICAL"), check("web1.example.org", "RECOVERY", "OK"), check("web2.example.org", "RECOVERY", "OK"),
	} {
		if i := only(); !i.Open {
			t.Errorf("closed too early: %+v", i)
		}
		if err := smtp.SendMail(r.address, nil, "nagios@mon1.example.org", []string{"ops@example.org"}, mail); err != nil {
			t.Fatal(err)
		}
	}
	if i := only(); !i.Open || i.ID != first.ID || i.Copies != 5 || i.Objects != 3 {
		t.Errorf("with three reports more: %+v", i)
	}
	if err := smtp.SendMail(r.address, nil, "nagios@mon1.example.org", []string{"ops@example.org"}, check("web3.example.org", "RECOVERY", "OK")); err != nil {
		t.Fatal(err)
	}
	if i := only(); i.Open || i.ID != first.ID {
		t.Errorf("all have recovered: %+v", i)
	}
	explains(t, client)
	if !strings.Contains(r.log.String(), "taken over") || !strings.Contains(r.log.String(), "rule=known") {
		t.Errorf("the log does not tell of it:\n%s", r.log)
	}
	r.finish(t)
	again := begin(t, state, usual)
	if strings.Contains(again.log.String(), "taken over") {
		t.Errorf("it was done a second time:\n%s", again.log)
	}
	if i := only(); i.ID != first.ID || i.Copies != 6 {
		t.Errorf("after another start: %+v", i)
	}
}

// explains checks what is told of mail that came before and after an upgrade.
func explains(t *testing.T, client *admin.Client) {
	t.Helper()
	n := 0
	for c, err := range client.Copies(t.Context(), admin.Selection{}).All() {
		if err != nil {
			t.Fatal(err)
		}
		n++
		old := strings.HasPrefix(c.ID, "m")
		for why, err := range client.Why(t.Context(), c.ID).All() {
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(why.Steps, "\n")
			if !strings.Contains(text, "An upgrade of lull") || strings.Contains(text, "came after the upgrade") == old {
				t.Errorf("%s:\n%s", c.ID, text)
			}
		}
		for _, err := range client.Show(t.Context(), c.ID).All() {
			if err != nil {
				t.Errorf("show %s: %v", c.ID, err)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d copies", n)
	}
}
