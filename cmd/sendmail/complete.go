package main

import (
	"crypto/rand"
	"fmt"
	"net/mail"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// author is who calls us.
type author struct {
	login, name string
	uid         int
}

// whoami asks the system who calls us; -F, then $NAME, give another name.
func whoami(name string) author {
	a := author{uid: os.Getuid(), login: strconv.Itoa(os.Getuid())}
	if u, err := user.Current(); err == nil {
		a.login = u.Username
		a.name, _, _ = strings.Cut(u.Name, ",")
	}
	if name == "" {
		name = os.Getenv("NAME")
	}
	if name != "" {
		a.name = name
	}
	return a
}

// rewrites are the fields in which bare names get a domain.
func rewrites() []string {
	return []string{
		"From", "Sender", "Reply-To", "To", "Cc", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc",
		"Return-Receipt-To", "Disposition-Notification-To", "Errors-To",
	}
}

// complete makes of what a program wrote a message that can leave the machine
// (RFC 6409 section 8): hidden recipients leave the header, bare names get a
// domain, and From, Date and Message-ID are added where there is none.
func (m *message) complete(s settings, by author, from string, now time.Time) {
	kept := []field{m.received(s, by, now)}
	for _, f := range m.header {
		if f.is("Bcc", "Resent-Bcc") {
			continue
		}
		if f.is(rewrites()...) {
			f.raw = f.name + ":" + qualifyList(f.value(), s.Domain)
		}
		kept = append(kept, f)
	}
	m.header = kept
	if !m.has("Date") {
		m.add("Date", now.Format(time.RFC1123Z))
	}
	if !m.has("Message-ID") {
		m.add("Message-ID", fmt.Sprintf("<%s.%s@%s>", now.UTC().Format("20060102150405"), rand.Text(), s.Hostname))
	}
	if !m.has("From") {
		m.add("From", fromField(by, from, s.Domain))
	}
}

// received says who wrote the message and when: its age is counted from there,
// however long it waits in the spool.
func (m *message) received(s settings, by author, now time.Time) field {
	return field{"Received", fmt.Sprintf("Received: by %s (lull sendmail, from uid %d); %s\r\n", s.Hostname, by.uid, now.Format(time.RFC1123Z))}
}

func (m *message) add(name, value string) {
	m.header = append(m.header, field{name, name + ": " + value + "\r\n"})
}

// fromField is the author's address. Mail of the null sender is the system's.
func fromField(by author, from, domain string) string {
	if from == "" {
		return qualified("MAILER-DAEMON", domain)
	}
	a := mail.Address{Name: oneLine(by.name), Address: from}
	return a.String()
}

// oneLine keeps a name from beginning other fields.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' }), " ")
}

// qualifyList adds a domain to the bare names of a list; one that cannot be
// read stays as it is.
func qualifyList(list, domain string) string {
	boxes, err := mailboxes(list)
	if err != nil {
		return list
	}
	var b strings.Builder
	done := 0
	for _, box := range boxes {
		if !box.bare() {
			continue
		}
		b.WriteString(list[done:box.end] + "@" + domain)
		done = box.end
	}
	return b.String() + list[done:]
}
