package corpus

import (
	"encoding/base64"
	"fmt"
	"html"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"time"
)

// Variation changes a mail in a way that says nothing about its trouble.
type Variation struct {
	Name  string
	apply func(*rand.Rand, *mail) bool // false where it does not fit
}

// Apply varies a mail; false where the variation does not fit it.
func (v Variation) Apply(seed uint64, text string) ([]byte, bool) {
	m := parse(text)
	if !v.apply(rand.New(rand.NewPCG(seed, 2)), &m) {
		return nil, false
	}
	return m.bytes(), true
}

// Variations are those that must never change a signature.
var Variations = []Variation{
	{"date", date}, {"message-id", messageID}, {"recipient", recipient}, {"received", received}, {"no date", noDate},
	{"times", times}, {"long numbers", longNumbers}, {"addresses", addresses},
	{"fold", fold}, {"crlf", crlf}, {"mbox line", mboxLine}, {"words", words}, {"words of base64", wordsBase64}, {"order of fields", order}, {"broken line", brokenLine},
	{"base64", encodeBase64}, {"quoted-printable", encodeQuoted}, {"multipart", multipart}, {"wrong charset", wrongCharset}, {"html", asHTML}, {"octet-stream", octetStream},
	{"reply", reply}, {"list tag", listTag}, {"footer", footer}, {"blanks", blanks}, {"long line", longLine}, {"control characters", controls}, {"literal line end", literalLineEnd},
}

func date(random *rand.Rand, m *mail) bool {
	m.set("Date", moment(random).Format(time.RFC1123Z))
	return true
}

func moment(random *rand.Rand) time.Time {
	return time.Date(2019, 10, 7, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(400*86400)) * time.Second)
}

func messageID(random *rand.Rand, m *mail) bool {
	m.set("Message-ID", fmt.Sprintf("<%s.%s@mail.example.org>", digits(random, 14), digits(random, 5)))
	return true
}

func recipient(random *rand.Rand, m *mail) bool {
	m.set("To", "tools.t"+digits(random, 3)+"@tools.example.org")
	return true
}

func received(random *rand.Rand, m *mail) bool {
	line := fmt.Sprintf("Received: from host%s (10.0.%d.%d) by mail.example.org with ESMTP id 1eACc9-%s; %s",
		digits(random, 2), random.IntN(256), random.IntN(256), digits(random, 6), moment(random).Format(time.RFC1123Z))
	m.head = append([]string{line}, m.head...)
	return true
}

func noDate(_ *rand.Rand, m *mail) bool {
	m.remove("Date")
	m.remove("Message-ID")
	return true
}

var (
	isoTime   = regexp.MustCompile(`\b20\d\d-\d\d-\d\d([ T])\d\d:\d\d:\d\d\b`)
	clock     = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)
	longDigit = regexp.MustCompile(`\b\d{6,}\b`)
	ipv4      = regexp.MustCompile(`\b(10|172|192)\.\d+\.\d+\.\d+\b`)
)

// times moves every time in subject and body.
func times(random *rand.Rand, m *mail) bool {
	return m.rewrite(isoTime, func(s string) string {
		return moment(random).Format("2006-01-02" + s[10:11] + "15:04:05")
	}) || m.rewrite(clock, func(string) string { return moment(random).Format("15:04:05") })
}

// longNumbers gives ids other digits; those of bugs are what the mail is about.
func longNumbers(random *rand.Rand, m *mail) bool {
	if strings.Contains(strings.ToLower(m.get("Subject")), "bug") {
		return false
	}
	return m.rewrite(longDigit, func(s string) string { return digits(random, len(s)) })
}

// addresses changes IP addresses in the body.
func addresses(random *rand.Rand, m *mail) bool {
	if strings.Contains(m.body, "Host: \n") { // a host that is only known by its address
		return false
	}
	body := ipv4.ReplaceAllStringFunc(m.body, func(string) string {
		return fmt.Sprintf("10.%d.%d.%d", random.IntN(256), random.IntN(256), 1+random.IntN(254))
	})
	changed := body != m.body
	m.body = body
	return changed
}

func (m *mail) rewrite(what *regexp.Regexp, with func(string) string) bool {
	if !m.isPlain() {
		return false
	}
	subject := what.ReplaceAllStringFunc(m.get("Subject"), with)
	body := what.ReplaceAllStringFunc(m.body, with)
	if subject == m.get("Subject") && body == m.body {
		return false
	}
	if m.get("Subject") != "" {
		m.set("Subject", subject)
	}
	m.body = body
	return true
}

func fold(random *rand.Rand, m *mail) bool {
	subject := m.get("Subject")
	at := strings.Index(subject[len(subject)/3:], " ")
	if at < 0 || strings.Contains(subject, "\n") {
		return false
	}
	at += len(subject) / 3
	m.set("Subject", subject[:at]+"\n"+[]string{" ", "\t", "   "}[random.IntN(3)]+subject[at+1:])
	return true
}

func crlf(_ *rand.Rand, m *mail) bool {
	m.crlf = true
	return true
}

func mboxLine(random *rand.Rand, m *mail) bool {
	m.from = "From root@mail.example.org " + moment(random).Format(time.ANSIC)
	return true
}

func words(_ *rand.Rand, m *mail) bool       { return m.encodeSubject(mime.QEncoding) }
func wordsBase64(_ *rand.Rand, m *mail) bool { return m.encodeSubject(mime.BEncoding) }

// encodeSubject writes the subject as encoded words even where it is ASCII.
func (m *mail) encodeSubject(encoding mime.WordEncoder) bool {
	subject := m.get("Subject")
	if subject == "" || strings.ContainsAny(subject, "\n") || strings.Contains(subject, "=?") {
		return false
	}
	var out []string
	for _, word := range strings.SplitAfter(subject, " ") {
		if encoding == mime.BEncoding {
			out = append(out, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(word))+"?=")
		} else {
			out = append(out, "=?utf-8?q?"+quoteWord(word)+"?=")
		}
	}
	m.set("Subject", strings.Join(out, "\n "))
	return true
}

func quoteWord(word string) string {
	var out strings.Builder
	for _, c := range []byte(word) {
		if isName(c) && c != '_' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "=%02X", c)
		}
	}
	return out.String()
}

func order(random *rand.Rand, m *mail) bool {
	random.Shuffle(len(m.head), func(i, j int) { m.head[i], m.head[j] = m.head[j], m.head[i] })
	return true
}

func brokenLine(random *rand.Rand, m *mail) bool {
	at := random.IntN(len(m.head)) + 1
	m.head = append(m.head[:at:at], append([]string{"this is no field at all", "\x80\x81 nor is: this"}, m.head[at:]...)...)
	return true
}

func encodeBase64(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	m.set("Content-Transfer-Encoding", "base64")
	text := base64.StdEncoding.EncodeToString([]byte(m.body))
	m.body = ""
	for len(text) > 76 {
		m.body += text[:76] + "\n"
		text = text[76:]
	}
	m.body += text + "\n"
	return true
}

func encodeQuoted(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	m.set("Content-Transfer-Encoding", "quoted-printable")
	var out strings.Builder
	w := quotedprintable.NewWriter(&out)
	w.Write([]byte(m.body))
	w.Close()
	m.body = strings.ReplaceAll(out.String(), "\r\n", "\n")
	return true
}

func multipart(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() || strings.TrimSpace(m.body) == "" {
		return false
	}
	m.set("MIME-Version", "1.0")
	m.set("Content-Type", `multipart/mixed; boundary="=_x"`)
	m.body = "This is a multi-part message.\n--=_x\nContent-Type: text/plain; charset=utf-8\n\n" + m.body +
		"\n--=_x\nContent-Type: text/x-log; name=log.txt\nContent-Disposition: attachment\n\nState: UNRELATED\n--=_x--\n"
	return true
}

func wrongCharset(random *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	names := [...]string{"ANSI_X3.4-1968", "x-unknown", "iso-8859-1", "us-ascii", "utf-7", "8bit"}
	m.set("Content-Type", "text/plain; charset="+names[random.IntN(len(names))])
	return true
}

// asHTML sends the text as HTML alone.
func asHTML(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	m.set("Content-Type", "text/html; charset=utf-8")
	m.body = "<html><head><style>p { color: red }</style></head><body><pre>" + html.EscapeString(m.body) + "</pre></body></html>\n"
	return true
}

// octetStream is what mail(1) makes of text with a control character.
func octetStream(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	m.body += "0^H\x08INFINITY\n"
	if !encodeBase64(nil, m) {
		return false
	}
	m.set("Content-Type", "application/octet-stream")
	return true
}

func reply(random *rand.Rand, m *mail) bool {
	if m.get("Subject") == "" || strings.HasPrefix(m.get("Subject"), "=?") {
		return false
	}
	m.set("Subject", []string{"Re: ", "RE: ", "AW: ", "Re: Re: "}[random.IntN(4)]+m.get("Subject"))
	return true
}

func listTag(_ *rand.Rand, m *mail) bool {
	if m.get("Subject") == "" || m.get("List-Id") != "" || strings.HasPrefix(m.get("Subject"), "=?") {
		return false
	}
	m.set("Subject", "[ops-alerts] "+m.get("Subject"))
	m.set("List-Id", "Alerts for operators <ops-alerts.lists.example.org>")
	m.set("Precedence", "list")
	return true
}

func footer(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() || strings.TrimSpace(m.body) == "" {
		return false
	}
	m.body += "\n_______________________________________________\nops-alerts mailing list -- ops-alerts@lists.example.org\n"
	return true
}

func blanks(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() {
		return false
	}
	m.body = "\n\n" + strings.ReplaceAll(m.body, "\n", "  \n")
	return true
}

func longLine(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() || strings.TrimSpace(m.body) == "" {
		return false
	}
	m.body += strings.Repeat("x", 3000) + "\n" + strings.Repeat("and so on ", 3000) + "\n"
	return true
}

func controls(_ *rand.Rand, m *mail) bool {
	if !m.isPlain() || strings.TrimSpace(m.body) == "" {
		return false
	}
	m.body += "\x1b[31m red \x1b[0m \x07\x00 \xff\xfe \u202e bidi\n"
	return true
}

func literalLineEnd(_ *rand.Rand, m *mail) bool {
	m.set("X-Note", `one\r\ntwo`)
	return true
}
