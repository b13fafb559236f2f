package signature

import (
	"strings"
	"testing"
)

var subjects = []string{
	"Disk usage on web1.example.org is 95% at 2019-10-07 15:45:00",
	"[Build] nightly-1234 failed for commit 12ab34cd99 after 12m 3s",
	"Connection to 10.0.0.1:3306 refused (pid 4711)",
	"Certificate for https://www.example.org/ expires in 5 days",
}

// BenchmarkCore masks subjects: the scanner alone, which allocates nothing.
func BenchmarkCore(b *testing.B) {
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = appendCore(dst[:0], subjects[i%len(subjects)], "")
	}
}

// BenchmarkSubject is from a subject to the id of its signature.
func BenchmarkSubject(b *testing.B) {
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = appendCore(dst[:0], subjects[i%len(subjects)], "")
		identify("root@example.org", "generic", string(dst))
	}
}

// BenchmarkBody is a subject and 1 KiB of body, both masked and hashed.
func BenchmarkBody(b *testing.B) {
	body := strings.Repeat("Oct 7 15:50:03 web1 kernel: nfs: server 10.0.0.1 not responding, still trying\n", 14)[:1024]
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = appendCore(dst[:0], subjects[i%len(subjects)], "")
		for rest := body; rest != ""; {
			var line string
			line, rest = cutLine(rest)
			dst = append(appendCore(dst, line, ""), '\n')
		}
		identify("root@example.org", "generic", string(dst))
	}
}

func benchmarkRead(b *testing.B, mail string) {
	raw := []byte(mail)
	Read(raw)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Read(raw)
	}
}

func BenchmarkReadGeneric(b *testing.B) {
	benchmarkRead(b, "From: root@web1.example.org\nSubject: Disk usage on web1.example.org is 95%\nDate: Mon, 7 Oct 2019 15:45:00 +0000\n\n"+strings.Repeat("some text of a program\n", 45))
}

func BenchmarkReadNagios(b *testing.B) {
	for _, e := range allExamples(b) {
		if e.Format == "nagios" {
			benchmarkRead(b, e.Mail)
			return
		}
	}
}

// BenchmarkHostile masks fields of 4 KiB made to cost much: at most 100 µs.
func BenchmarkHostile(b *testing.B) {
	for _, shape := range hostileFields {
		text := strings.Repeat(shape.part, maxScan/len(shape.part)+1)[:maxScan]
		b.Run(shape.name, func(b *testing.B) {
			dst := make([]byte, 0, 2*maxScan)
			b.SetBytes(maxScan)
			b.ReportAllocs()
			for b.Loop() {
				dst = appendCore(dst[:0], text, "web1.example.org")
			}
		})
	}
}

// hostileFields are the shapes of fields that a scanner may find hard.
var hostileFields = []struct{ name, part string }{
	{"turns", "a1"}, {"joints", "x_1_"}, {"dots", "."}, {"dotted", "a.1."}, {"dashes", "-1-a"}, {"colons", "a:1:"},
	{"slashes", "/a"}, {"backslashes", `\1`}, {"hex", "deadbeef12"}, {"one letter words", "a "}, {"numbers", "1 "}, {"periods of three", "ab 1 c "},
	{"users", "user for "}, {"addresses", "10.0.0."}, {"mailboxes", "a@b."}, {"schemes", "a://"}, {"tildes", "~1~a"}, {"wide", "äé1"}, {"broken", "\x80\xff1"},
	{"equals", "a=1=b"}, {"brackets", "([{"}, {"capitals", "A1_B2-"}, {"units", "1ms 2h "}, {"moments", "12:34:56 "},
}

// BenchmarkHostileSubject reads mail with such a subject, states and all.
func BenchmarkHostileSubject(b *testing.B) {
	for _, part := range []string{"a1", "is DOWN: ", "((DOWN) ", "a:", "[x] ", "->OK", "resolved in 5m ", "host web1 "} {
		b.Run(part, func(b *testing.B) {
			benchmarkRead(b, "From: a@example.org\nSubject: "+strings.Repeat(part, 4096/len(part))+"\n\n")
		})
	}
}

// BenchmarkBomb reads mail bombs: at most 200 ms and 64 MB.
func BenchmarkBomb(b *testing.B) {
	for _, bomb := range bombs()[:3] {
		b.Run(bomb.name, func(b *testing.B) { benchmarkRead(b, bomb.mail) })
	}
}
