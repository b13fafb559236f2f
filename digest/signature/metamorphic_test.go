package signature_test

import (
	"fmt"
	"mime"
	"strings"
	"testing"

	"lull/digest/signature"
	"lull/digest/signature/corpus"
	"lull/store"
)

// generic are mails of programs that no format knows.
var generic = []string{
	"From: root@web1.example.org\nSubject: Disk usage on web1.example.org is 95% at 2019-10-07 15:45:00\n\nThe disk fills up.\n",
	"From: app@example.org\nSubject: Payment worker crashed (pid 471155) in billing queue\n\nWorker died at 2019-10-07 15:45:00.\n",
	"From: Nightly <nightly@builds.example.org>\nSubject: nightly-1234567 for commit 12ab34cd99ef failed after 12m 3s\n\nLog follows.\n",
	"From: monitor@example.org\nSubject: ALERT: replication lag of db-slave is 1234567 seconds\n\nState: CRITICAL\nHost: db7\n",
	"From: scanner@example.org\nSubject: KASAN: use-after-free Read in ext4_find_extent\n\nHello,\n\nfound the following crash.\n",
	"From: certs@example.org\nSubject: Certificate for https://www.example.org/ expires in 5 days\n\nRenew it.\n",
	"From: wiki@example.org\nSubject: =?utf-8?q?R=C3=A9plication_arr=C3=AAt=C3=A9e_sur_db1=2Eexample=2Eorg?=\n\nVoir le journal.\n",
}

// mails are the examples of all formats and the generic ones.
func mails(t *testing.T) map[string]string {
	examples, err := signature.Examples()
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for _, e := range examples {
		list[fmt.Sprintf("%s:%d", e.Format, e.Line)] = e.Mail
	}
	for i, text := range generic {
		list[fmt.Sprintf("generic:%d", i)] = text
	}
	return list
}

// TestSameSignature changes what must not matter: time, number, id, recipient,
// folding, charset, transfer encoding, list tag, Re:.
func TestSameSignature(t *testing.T) {
	all := mails(t)
	for _, v := range corpus.Variations {
		t.Run(v.Name, func(t *testing.T) {
			tried := 0
			for name, text := range all {
				raw, fits := v.Apply(uint64(len(name)), text)
				if !fits {
					continue
				}
				tried++
				was, is := signature.Read([]byte(text)), signature.Read(raw)
				if was.Signature.ID != is.Signature.ID || was.Reports[0].Object != is.Reports[0].Object || was.Reports[0].State != is.Reports[0].State {
					t.Errorf("%s: was %q, %v\nis %q, %v\n%s", name, was.Signature.Core, was.Reports[0], is.Signature.Core, is.Reports[0], raw)
				}
			}
			if tried == 0 {
				t.Error("fits no mail at all")
			}
		})
	}
}

// TestOtherSignature changes a word of the subject that is no name of a host
// and no number, or the sender: the signature must be another.
func TestOtherSignature(t *testing.T) {
	tried, same := 0, 0
	for name, text := range mails(t) {
		switch format, _, _ := strings.Cut(name, ":"); format {
		case "anacron", "borgmatic", "cron", "logwatch", "sudo":
			continue // any user of any host may send them: see anyone in docs/formats.md
		}
		was := signature.Read([]byte(text))
		other := strings.Replace(text, "\nFrom: ", "\nX-From: ", 1)
		if strings.HasPrefix(other, "From: ") {
			other = "X-" + other
		}
		other = "From: elsewhere@another.example.net\n" + other
		tried++
		if signature.Read([]byte(other)).Signature.ID == was.Signature.ID {
			t.Errorf("%s: the sender changed, the signature did not", name)
			same++
		}
	}
	for i, text := range generic {
		head, body, _ := strings.Cut(text, "\n\n")
		line, subject, _ := strings.Cut(head, "Subject: ")
		for _, word := range contentWords(subject) {
			tried++
			changed := line + "Subject: " + strings.Replace(subject, word, "zebra", 1) + "\n\n" + body
			if signature.Read([]byte(changed)).Signature.ID == signature.Read([]byte(text)).Signature.ID {
				same++
				t.Logf("generic:%d: %q became zebra, the signature stayed", i, word)
			}
		}
	}
	if float64(same) > float64(tried)/100 {
		t.Errorf("%d of %d changes of content went unnoticed, 1 %% may", same, tried)
	}
}

// contentWords are the words of a subject that say what it is about.
func contentWords(subject string) []string {
	var words []string
	for _, word := range strings.Fields(subject) {
		if len(word) > 3 && !strings.ContainsAny(word, "0123456789=.:/") && strings.ToLower(word) == word && word != "days" && word != "seconds" && word != "failed" {
			words = append(words, word)
		}
	}
	return words
}

// TestStates reads states where programs and languages put them.
func TestStates(t *testing.T) {
	for subject, want := range map[string]store.State{
		"Sicherung auf web1 fehlgeschlagen":       store.Problem,
		"Sicherung auf web1 wiederhergestellt":    store.Recovery,
		"Échec de la réplication":                 store.Problem,
		"Servicio restablecido en web1":           store.Recovery,
		"Сервер web1 недоступен":                  store.Problem,
		"Сервер web1 доступен":                    store.Recovery,
		"disk space low on /var":                  store.Problem,
		"Checks passed: no errors, 0 failed":      store.Notice,
		"nginx is not running":                    store.Problem,
		"RAID status on web1: OPTIMAL":            store.Recovery,
		"Weekly summary":                          store.Notice,
		"UPS ups1 on battery":                     store.Problem,
		"UPS ups1 on line power":                  store.Recovery,
		"[ACKNOWLEDGED] disk on web1 is CRITICAL": store.Notice,
	} {
		r := signature.Read([]byte("From: monitor@example.org\nSubject: " + mime.QEncoding.Encode("utf-8", subject) + "\n\n"))
		if got := r.Reports[0].State; got != want {
			t.Errorf("%q: %s, not %s", subject, got, want)
		}
	}
}

// TestProblemAndRecovery: what tells the same thing in another state shares
// its signature, but for mere success.
func TestProblemAndRecovery(t *testing.T) {
	const from = "From: monitor@example.org\nSubject: "
	for _, group := range [][]string{
		{"Disk on web1 is CRITICAL", "Disk on web1 is OK", "Disk on web1 is WARNING"},
		{"PROBLEM: Disk on web1", "RECOVERY: Disk on web1", "RESOLVED: Disk on web1", "ACKNOWLEDGEMENT: Disk on web1"},
		{"[DOWN] www.example.org", "[UP] www.example.org"},
		{"Site www.example.org is down", "Site www.example.org is up again", "Site www.example.org is back up"},
		{"www.example.org: OK -> CRITICAL", "www.example.org: CRITICAL -> OK"},
		{"[Monitor Alert] Triggered: Latency on web1", "[Monitor Alert] Recovered: Latency on web1"},
		{"[core/api] Alert triggered", "[core/api] Alert resolved"},
		{"ALERT: sw1 traffic went above threshold of 900 with 950", "NORMAL: sw1 traffic restored to normal threshold with value 12"},
		{"[Shop] [🔴 Down] connect refused 10.0.0.1:443", "[Shop] [✅ Up] 200 - OK"},
		{"Problem: Swap is used on web1", "Resolved in 12m 3s: Swap is used on web1", "Resolved in 1h 12m: Swap is used on web1"},
		{"web1 HTTP probe CRITICAL - timeout after 10 seconds", "web1 HTTP probe OK - 200 in 3 ms"},
		{"Acme - Elevated error rates - Investigating", "Acme - Elevated error rates - Identified", "Acme - Elevated error rates - Resolved"},
		{"Sicherung auf web1 fehlgeschlagen", "Sicherung auf web1 wiederhergestellt"},
		{"Réplication sur db1: panne", "Réplication sur db1: rétablie"},
	} {
		first := signature.Read([]byte(from + group[0] + "\n\n"))
		for _, subject := range group[1:] {
			r := signature.Read([]byte(from + subject + "\n\n"))
			if r.Signature.ID != first.Signature.ID {
				t.Errorf("%q: %q\n%q: %q", group[0], first.Signature.Core, subject, r.Signature.Core)
			}
			if r.Reports[0].Object != first.Reports[0].Object {
				t.Errorf("%q: object %q, not %q", subject, r.Reports[0].Object, first.Reports[0].Object)
			}
		}
	}
}
