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
