package importer

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func files(t *testing.T, folder string, named map[string]string) {
	t.Helper()
	for name, text := range named {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEximAsksForReports: recipients that asked for different reports come as
// messages of their own, whose keys do not depend on who else is left.
func TestEximAsksForReports(t *testing.T) {
	const head = "1-H\nroot 0 0\n<\"a b\"@a.example>\n1570435200 0\n--helo_name c.example\n-dsn_envid q+2B1\n-dsn_ret 2\n"
	const to = "3\nops@example.org rfc822;o@x 10,20  0,-1#3\nx@example.org\n\"c d\"@example.org  0,2  0,-1#3\n\n014  Subject: smtp\n"
	folder := t.TempDir()
	read := func(tree string) (list []Message) {
		files(t, folder, map[string]string{"1-H": head + tree + to, "1-D": "1-D\nb\n.dot\n"})
		for m, err := range Exim(folder, 1<<20) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, m)
		}
		return list
	}
	all := read("XX\n")
	want := []struct {
		to     string
		notify []string
	}{{"ops@example.org", []string{"SUCCESS", "DELAY"}}, {"x@example.org", nil}, {`"c d"@example.org`, []string{"NEVER"}}}
	for i, m := range all {
		if m.From != `"a b"@a.example` || m.EnvID != "q+1" || m.Ret != "HDRS" || m.Host != "c.example" || m.At.Unix() != 1570435200 ||
			string(m.Body) != "Subject: smtp\r\n\r\nb\r\n.dot\r\n" || !reflect.DeepEqual(m.To, []string{want[i].to}) || !reflect.DeepEqual(m.Notify, want[i].notify) {
			t.Errorf("%d: %+v %q", i, m, m.Body)
		}
	}
	rest := read("NN ops@example.org\n")
	if len(all) != 3 || len(rest) != 2 || rest[0].Key != all[1].Key || rest[1].Key != all[2].Key {
		t.Errorf("after a delivery the keys are others: %d of %d", len(rest), len(all))
	}
}

func TestBadFilesAreFaults(t *testing.T) {
	exim, postfix := t.TempDir(), t.TempDir()
	files(t, exim, map[string]string{
		"1-H": "", "1-D": "", "2-H": "2-H\nroot 0 0\nno brackets\n1 0\n", "2-D": "",
		"3-H": "3-H\nr 0 0\n<>\n1 0\n-aclm x -5\n", "3-D": "", "4-H": "4-H\nr 0 0\n<>\n1 0\nXX\n999999999\n", "4-D": "",
		"5-H": "5-H\nr 0 0\n<>\n1 0\nXX\n1\na@b.example\n\n999  Subject: x\n", "5-D": "",
	})
	files(t, postfix, map[string]string{
		"incoming/1": "", "incoming/2": "C\xff\xff\xff\xff\xff\xff", "incoming/3": "T\x03abc", "deferred/4/4": "p\x019p\x010E\x00", "hold/5": "E\x00",
	})
	for name, list := range map[string]func(func(Message, error) bool){"exim": Exim(exim, 1<<20), "postfix": Postfix(postfix, 1<<20)} {
		faults := 0
		for m, err := range list {
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
			faults++
		}
		if want := map[string]int{"exim": 5, "postfix": 4}[name]; faults != want {
			t.Errorf("%s: %d faults, expected %d", name, faults, want) // an empty queue file names nobody
		}
	}
}

func TestQuoted(t *testing.T) {
	for address, want := range map[string]string{
		"root@a.example": "root@a.example", "a b@a.example": `"a b"@a.example`, `a"\@a.example`: `"a\"\\"@a.example`,
		"a..b@a.example": `"a..b"@a.example`, "root": "root", "": "", "é@a.example": "é@a.example",
	} {
		if got := quoted(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// FuzzQueueFiles: whatever a file holds, reading it ends, and a message that
// comes out of it can be told apart and sent.
func FuzzQueueFiles(f *testing.F) {
	f.Add([]byte("1-H\nroot 0 0\n<a@b.example>\n1 0\n-aclm x 1\ny\nXX\n1\na@b.example\n\n014  Subject: smtp\n"), true)
	f.Add([]byte("S\x01aR\x01bM\x00N\x01xX\x00E\x00"), false)
	f.Add([]byte("p\x010p\x011"), false)
	f.Fuzz(func(t *testing.T, content []byte, exim bool) {
		folder := t.TempDir()
		files(t, folder, map[string]string{"1-H": string(content), "1-D": "1-D\nbody\n"})
		list := Postfix(folder, 1<<20)
		if exim {
			list = Exim(folder, 1<<20)
		}
		for m, err := range list {
			if err == nil && (m.Key == "" || len(m.To) == 0 || strings.Contains(strings.ReplaceAll(string(m.Body), "\r\n", ""), "\n") && exim) {
				t.Errorf("%+v", m)
			}
		}
	})
}
