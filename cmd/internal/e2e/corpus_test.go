package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// corpusSize is how many mails each client sends.
const corpusSize = 200

// specimen is a mail of the corpus.
type specimen struct {
	n     int
	name  string
	from  string   // "" is the null sender
	to    []string // tails of local parts, "" for none
	text  string   // as on the wire, without the dots of SMTP
	crlf  bool     // also the file that a local program reads has CRLF
	alert bool     // of the kind that lull takes into digests
}

// recipients are the addresses of the mail when that client sends it. They
// name the mail wherever it turns up, since many of the mails cannot.
func (s specimen) recipients(client string) []string {
	all := make([]string, len(s.to))
	for i, tail := range s.to {
		all[i] = fmt.Sprintf("%s-%03d%s@far.test", client, s.n, tail)
	}
	return all
}

// local is the mail as a program of Unix hands it to another one.
func (s specimen) local() string {
	if s.crlf {
		return s.text
	}
	return strings.ReplaceAll(s.text, "\r\n", "\n")
}

// corpus is the same for each client and each run: what programs without
// manners send, and what stands at the borders of lines and buffers.
func corpus() []specimen {
	b := &builder{random: rand.New(rand.NewPCG(5, 13))}
	b.headers()
	b.structure()
	b.lineEnds()
	b.dots()
	b.lengths()
	b.octets()
	b.mime()
	b.envelopes()
	b.alerts()
	for i := 0; len(b.all) < corpusSize; i++ {
		b.add(fmt.Sprintf("an ordinary letter %d", i), letterHead, b.prose(200+i*531))
	}
	return b.all
}

// letterHead is a header without a fault.
const letterHead = "Date: Mon, 7 Oct 2019 15:52:13 +0000\nFrom: Ann <ann@client.test>\nTo: Bob <bob@far.test>\n" +
	"Subject: Minutes of the meeting\nMessage-ID: <1570463533.4711@client.test>\n"

type builder struct {
	all    []specimen
	random *rand.Rand
}

// add takes a mail in two parts, whose LF stand for CRLF.
func (b *builder) add(name, head, body string) *specimen {
	return b.raw(name, strings.ReplaceAll(head+"\n"+body, "\n", "\r\n"))
}

// raw takes a mail as it is.
func (b *builder) raw(name, text string) *specimen {
	b.all = append(b.all, specimen{n: len(b.all), name: name, from: "ann@client.test", to: []string{""}, text: text})
	return &b.all[len(b.all)-1]
}

// prose is text of about n octets.
func (b *builder) prose(n int) string {
	words := strings.Fields("the agenda was taken as read and nobody had anything to add before noon so we went for lunch")
	var text strings.Builder
	for column := 0; text.Len() < n; {
		word := words[b.random.IntN(len(words))]
		if column += len(word) + 1; column > 72 {
			text.WriteByte('\n')
			column = 0
		}
		text.WriteString(word + " ")
	}
	return text.String() + "\n"
}

// headers leave out each set of the fields that a mail should have, or have
// them in ways of which no standard approves.
func (b *builder) headers() {
	fields := []string{"Date: Mon, 7 Oct 2019 15:52:13 +0000\n", "From: Ann <ann@client.test>\n", "Subject: lunch\n", "Message-ID: <a@client.test>\n"}
	for set := range 1 << len(fields) {
		head := "To: Bob <bob@far.test>\n"
		for i, f := range fields {
			if set&(1<<i) != 0 {
				head += f
			}
		}
		b.add(fmt.Sprintf("header fields %04b", set), head, "At noon?\n")
	}
	for name, extra := range ordered(
		"8-bit subject", "Subject: Mittag f\xc3\xbcr alle\n",
		"Latin-1 subject", "Subject: Mittag f\xfcr alle\n",
		"broken UTF-8 in the subject", "Subject: \xc3\x28 \xff\xfe \xf0\x9f\x98\n",
		"8-bit From", "From: J\xc3\xb6rg <ann@client.test>\n",
		"encoded words", "Subject: =?utf-8?B?TWl0dGFn?= =?iso-8859-1?Q?f=FCr?= =?x?Z?y?=\n",
		"broken encoded word", "Subject: =?utf-8?B?TWl0\n",
		"tabs", "Subject:\tlunch\tat\tnoon\t\n",
		"blank before the colon", "Subject : lunch\n",
		"empty fields", "Subject:\nCc:\nReply-To: \n",
		"duplicate fields", "Subject: one\nSubject: two\nX-A: 1\nX-A: 1\n",
		"duplicate From and Date", "From: x@client.test\nFrom: y@client.test\nDate: now\n",
		"two Message-IDs", "Message-ID: <b@client.test>\nMessage-ID: not one at all\n",
		"long folding", "References:"+strings.Repeat("\n <0123456789.0123456789@client.test>", 300)+"\n",
		"folding with tabs", "Subject: a\n\tb\n\t\tc\n \td\n",
		"a fold of blanks only", "Subject: a\n  \n b\n",
		"a long field", "X-Long: "+strings.Repeat("0123456789", 99)+"\n",
		"a field over 998", "X-Long: "+strings.Repeat("0123456789", 150)+"\n",
		"a field of 20 kB", "X-Long: "+strings.Repeat("0123456789", 2000)+"\n",
		"a thousand fields", strings.Repeat("X-Many: y\n", 1000),
		"trailing blanks", "Subject: lunch   \t \n",
		"field names in all cases", "sUBJECT: x\nmime-VERSION: 1.0\nx-lower: y\n",
		"a field without a name", ": nothing\n",
		"no colon", "this is no field\nX-After: y\n",
		"a From line in the header", "From root Mon Oct  7 14:00:00 2019\nX-After: y\n",
		"resent fields", "Resent-From: c@client.test\nResent-To: d@far.test\nResent-Date: Mon, 7 Oct 2019 16:00:00 +0000\n",
		"a Bcc", "Bcc: secret@far.test\n",
		"Received fields", strings.Repeat("Received: from a.test by b.test; Mon, 7 Oct 2019 15:00:00 +0000\n", 12),
		"a Return-Path", "Return-Path: <x@y.test>\nDelivered-To: z@y.test\n",
		"a group as To", "To: undisclosed-recipients:;\n",
		"an address with comments", "Cc: (hello) bob (Bob \\) ) @ far . test (x), \"b\\\"c\" <b@far.test>\n",
		"controls in the subject", "Subject: \x1b[31mred\x1b[0m\x07\x08\x7f\n",
		"lists", "List-Id: <staff.client.test>\nList-Unsubscribe: <mailto:x@y.test>\n",
		"wrong dates", "Date: Thu, 31 Feb 2038 25:61:61 +9999\nDate: 1570463533\n",
		"signed", "DKIM-Signature: v=1; a=rsa-sha256; d=client.test; s=k; h=from:to;\n\tbh=AAAA=; b=BBBB\n",
	) {
		b.add(name, letterHead+extra, "At noon?\n")
	}
	b.add("a From line first", "From root Mon Oct  7 14:00:00 2019\n"+letterHead, "At noon?\n")
	b.add("a quoted From line first", ">From root Mon Oct  7 14:00:00 2019\n"+letterHead, "At noon?\n")
	b.add("a continuation first", " continued from nowhere\n"+letterHead, "At noon?\n")
}

// ordered ranges over pairs in the order in which they are given.
func ordered(pairs ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(pairs) && yield(pairs[i], pairs[i+1]); i += 2 {
		}
	}
}

// structure has mails without a header, without a body, without either.
func (b *builder) structure() {
	b.add("empty body", letterHead, "")
	b.raw("no empty line", crlf(letterHead))
	b.raw("no header", "\r\nonly text\r\n")
	b.raw("nothing at all", "")
	b.raw("CRLF only", "\r\n")
	b.raw("two CRLF", "\r\n\r\n")
	b.raw("text that is no header", "hello\r\nthis is a mail\r\n\r\nis it not?\r\n")
	b.add("empty lines", letterHead, strings.Repeat("\n", 50))
	b.add("empty lines at the begin", letterHead, "\n\n\nlunch\n")
	b.add("empty lines at the end", letterHead, "lunch\n\n\n\n")
	b.add("From lines", letterHead, "From here on it is downhill\n>From there\n\nFrom root Mon Oct  7 14:00:00 2019\n")
	b.add("commands", letterHead, "QUIT\nRSET\nMAIL FROM:<>\nRCPT TO:<x@y.test>\nDATA\nBDAT 5 LAST\n250 ok\n")
	b.add("a mail in a mail", letterHead, letterHead+"\nhello\n")
	b.add("blank lines of blanks", letterHead, "  \n\t\n   \t\n")
	b.add("trailing blanks in the body", letterHead, "a \nb\t\nc  \t \n-- \nAnn\n")
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// lineEnds are those that are none on the wire.
func (b *builder) lineEnds() {
	head := crlf(letterHead) + "\r\n"
	for name, body := range ordered(
		"no last line end", "end",
		"a bare LF", "one\ntwo\r\n",
		"only bare LF", "one\ntwo\nthree\n",
		"a bare CR", "one\rtwo\r\n",
		"CR at the end", "one\r",
		"CRCRLF", "one\r\r\ntwo\r\r\n",
		"LFCR", "one\n\rtwo\n\r",
		"bare LF around a dot", "one\n.\ntwo\r\n",
		"bare LF, dot, CRLF", "one\n.\r\ntwo\r\n",
		"CRLF, dot, LF", "one\r\n.\ntwo\r\n",
		"CR around a dot", "one\r.\rtwo\r\n",
		"CRCRLF around a dot", "one\r\r\n.\r\r\ntwo\r\n",
		"many CR", "one"+strings.Repeat("\r", 70)+"\ntwo\r\n",
	) {
		b.raw(name, head+body)
	}
	b.raw("bare LF in the header", letterHead+"\r\nlunch\r\n")
	b.raw("a bare CR in the header", "Subject: a\rb\r\n"+head+"lunch\r\n")
	b.raw("CRLF in the file", head+"one\r\ntwo\r\n").crlf = true
	b.raw("CRLF in the file, dots", head+"one\r\n.\r\n..\r\ntwo\r\n").crlf = true
}

// dots stand where SMTP doubles them, also at the borders of buffers.
func (b *builder) dots() {
	for name, body := range ordered(
		"a lone dot", ".\n",
		"lone dots", ".\n..\n...\n.\n\n.\n",
		"dots before text", ".a\n..b\n...c\n. d\n",
		"a dot without a line end", "x\n.",
		"only dots", strings.Repeat(".", 5000)+"\n",
		"a thousand lone dots", strings.Repeat(".\n", 1000),
	) {
		b.add(name, letterHead, body)
	}
	head := crlf(letterHead) + "\r\n"
	for _, border := range []int{1024, 2048, 4096, 8192, 32768, 65536} {
		for off := -2; off <= 1; off++ {
			fill := border - len(head) + off - 2
			b.raw(fmt.Sprintf("a dot at octet %d", border+off), head+wrapped(fill)+"\r\n.dot\r\n.\r\n")
		}
	}
}

// wrapped is n octets in lines of at most 72, without the last CRLF.
func wrapped(n int) string {
	var text strings.Builder
	for text.Len()+74 < n {
		text.WriteString(strings.Repeat("x", 70) + "\r\n")
	}
	return text.String() + strings.Repeat("y", n-text.Len())
}

// lengths are those of lines and of mails.
func (b *builder) lengths() {
	for _, n := range []int{78, 79, 510, 511, 512, 997, 998, 999, 1000, 1001, 1022, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 10_000, 65_535, 65_536, 100_000} {
		b.add(fmt.Sprintf("a line of %d", n), letterHead, strings.Repeat("z", n)+"\nend\n")
	}
	b.add("lines of 100 kB", letterHead, strings.Repeat(strings.Repeat("w", 100_000)+"\n", 3))
	b.add("5 MB", letterHead, strings.Repeat(strings.Repeat("v", 911)+"\n", 5_000_000/912))
}

// octets are those that mail should not have.
func (b *builder) octets() {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, body := range ordered(
		"NUL", "a\x00b\n\x00\n",
		"NUL at the begin", "\x00\x00\n",
		"8-bit text", "gr\xc3\xbc\xc3\x9fe \xe2\x82\xac \xf0\x9f\x8d\x95\n",
		"Latin-1 text", "gr\xfc\xdfe\n",
		"broken UTF-8", "\xff\xfe\xc0\x80\xed\xa0\x80\n",
		"every octet but CR and LF", strings.NewReplacer("\r", "", "\n", "").Replace(string(all))+"\n",
		"a byte order mark", "\xef\xbb\xbfhello\n",
		"form feeds", "\f\v\x1a\x04\n",
	) {
		b.add(name, letterHead, body)
	}
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(b.random.Uint32())
	}
	b.raw("noise", crlf(letterHead)+"\r\n"+string(noise)+"\r\n")
	b.raw("every octet", crlf(letterHead)+"\r\n"+string(all)+"\r\n")
}

// mime is broken in the ways of home-made programs.
func (b *builder) mime() {
	for name, extra := range ordered(
		"no end of a part", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n",
		"no boundary", "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--b\n\ntext\n--b--\n",
		"unknown charset", "MIME-Version: 1.0\nContent-Type: text/plain; charset=x-nothing\n\n\xa4\n",
		"base64 that is none", "Content-Transfer-Encoding: base64\n\n!!! not base64 \xff\n",
		"quoted-printable cut off", "Content-Transfer-Encoding: quoted-printable\n\na=3\n=\n=Z",
		"an encoding that nobody knows", "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n",
		"8bit that says 7bit", "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n\xfc\n",
		"binary", "MIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n\x00\x01\x02\n",
		"deep nesting", "MIME-Version: 1.0\n"+nested(40),
		"HTML only", "MIME-Version: 1.0\nContent-Type: text/html\n\n<p>lunch<br>at noon",
		"two Content-Types", "Content-Type: text/plain\nContent-Type: text/html\n\n<p>\n",
		"an attachment", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_b\"\n\n--=_b\n\ntext\n--=_b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--=_b--\n",
	) {
		b.raw(name, crlf(letterHead+extra))
	}
}

func nested(depth int) string {
	var text strings.Builder
	for i := range depth {
		fmt.Fprintf(&text, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	return text.String() + "\ntext\n"
}

// envelopes are what can stand in MAIL and RCPT.
func (b *builder) envelopes() {
	hello := func(name string) *specimen { return b.add(name, letterHead, "hello\n") }
	hello("null sender").from = ""
	hello("a sender with VERP").from = "list-return-1-bob=far.test@client.test"
	hello("a sender with a long local part").from = strings.Repeat("srs0=", 18) + "x@client.test"
	hello("a sender of all characters").from = "a!#$&*+-/=?^_`{|}~z@client.test"
	hello("a sender at a host with _").from = "root2@web_1.client.test"
	hello("a plus in the recipient").to = []string{".x+y=z"}
	hello("two recipients").to = []string{".1", ".2"}
	hello("a UTF-8 recipient").to = []string{".m\xc3\xbcller"}
	hello("a UTF-8 sender").from = "j\xc3\xb6rg@client.test"
	for _, n := range []int{60, 120} {
		to := make([]string, n)
		for i := range to {
			to[i] = fmt.Sprintf(".%d", i)
		}
		hello(fmt.Sprintf("%d recipients", n)).to = to
	}
}

// alerts go into digests, and show that mail of that kind is taken too.
func (b *builder) alerts() {
	for i, l := range alerts(10) {
		s := b.raw(fmt.Sprintf("alert %d", i), l.body)
		s.from, s.to, s.alert = l.from, []string{".alert"}, true
	}
}

// TestCorpus: it is what the table counts.
func TestCorpus(t *testing.T) {
	names := map[string]bool{}
	for i, s := range corpus() {
		if s.n != i || names[s.name] {
			t.Errorf("mail %d is %d, %q", i, s.n, s.name)
		}
		names[s.name] = true
	}
	if len(names) != corpusSize {
		t.Errorf("%d mails, want %d", len(names), corpusSize)
	}
}
