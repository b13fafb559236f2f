package dsn

import (
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"lull/store"
)

// explanation is the part that people read.
func explanation(r Report) []byte {
	w := &writer{}
	w.paragraph("", "This is lull, the mail relay at "+readable(r.Host)+".")
	w.line("")
	w.paragraph("", whatHappened(r))
	w.line("")
	for i, c := range r.Copies {
		w.paragraph("  ", "<"+readable(c.To)+">")
		if said := theySaid(r.Replies[i]); said != "" {
			w.paragraph("      ", said)
		}
		w.line("")
	}
	if s := r.Message.Reading.Subject; s != "" {
		w.paragraph("", "Subject of your mail: "+readable(s))
	}
	w.paragraph("", "lull accepted it on "+date(r.Message.Accepted)+".")
	return w.out
}

func whatHappened(r Report) string {
	whom := "these recipients"
	if len(r.Copies) == 1 {
		whom = "this recipient"
	}
	switch {
	case r.Action == Delayed && !r.Until.IsZero():
		return "Your mail has not yet been delivered to " + whom + ". It need not be sent again: it will be tried until " + date(r.Until) + "."
	case r.Action == Delayed:
		return "Your mail has not yet been delivered to " + whom + ". It need not be sent again: it will be tried on."
	case r.Action == Relayed:
		return "You asked to be told of success. Your mail to " + whom + " has been passed on to where success is not reported any more: you may hear no more of it."
	case r.Expired:
		return "Your mail could not be delivered to " + whom + ", although it was tried for " + span(r.Date.Sub(r.Message.Accepted)) + ". It will not be tried again."
	}
	return "Your mail could not be delivered to " + whom + ". It will not be tried again."
}

// theySaid is what the mail server said, or why nothing was sent to it.
func theySaid(r store.Reply) string {
	if why, ours := notSent(r); ours {
		return "It was not sent on: " + readable(why)
	}
	if r.Code != 0 {
		return "The mail server said: " + readable(smtpReply(r))
	}
	return readable(r.Text)
}

func smtpReply(r store.Reply) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text))
}

// notSent reports whether lull gave the reply itself, as package deliver marks it.
func notSent(r store.Reply) (why string, ours bool) { return strings.CutPrefix(r.Text, "not sent: ") }

// span is a time for people, in its two largest units.
func span(d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case days > 0 && hours > 0:
		return plural(days, "day") + " and " + plural(hours, "hour")
	case days > 0:
		return plural(days, "day")
	case hours > 0:
		return plural(hours, "hour")
	}
	return plural(max(minutes, 1), "minute")
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// visible is s with everything but printable ASCII replaced: what strangers
// wrote cannot end a line or a field. Non-ASCII is shown as \x{…}, as RFC 6533
// writes addresses.
func visible(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c >= ' ' && c <= '~':
			b.WriteRune(c)
		case c > '~' && c != '\uFFFD':
			fmt.Fprintf(&b, `\x{%02X}`, c)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// readable is s for people: its printable characters.
func readable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, strings.ToValidUTF8(s, "?"))
}

// mailbox is the address of the sender, for the To field. One that is not
// ASCII stays so: its mails travel with SMTPUTF8.
func mailbox(address string) string {
	address = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c != ' ' && unicode.IsSpace(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(address, "?"))
	if strings.HasPrefix(address, `"`) {
		return "<" + address + ">" // quoted already
	}
	return (&mail.Address{Address: address}).String()
}

// messageID reports whether s can stand in References as it is.
func messageID(s string) bool {
	return len(s) > 2 && len(s) < 250 && s[0] == '<' && s[len(s)-1] == '>' &&
		!strings.ContainsFunc(s[1:len(s)-1], func(c rune) bool { return c <= ' ' || c > '~' || c == '<' || c == '>' })
}
