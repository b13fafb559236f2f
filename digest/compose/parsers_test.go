package compose_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
)

// reading is what a parser makes of a digest.
type reading struct {
	Subject   string            `json:"subject"`
	MessageID string            `json:"messageId"`
	Date      float64           `json:"date"`
	From      []string          `json:"from"`
	To        []string          `json:"to"`
	Text      string            `json:"text"`
	HTML      string            `json:"html"`
	Files     map[string]string `json:"files"`
	Defects   []string          `json:"defects"`
}

// TestParsersAgree has every golden digest read by Python's email package and
// by Node's mailparser, and wants what go-message reads.
func TestParsersAgree(t *testing.T) {
	if os.Getenv("LULL_E2E") == "" {
		t.Skip("end-to-end tests are off; 'make test' turns them on")
	}
	modules, err := filepath.Abs("../../.tools/mail/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	var want []reading
	for name, raw := range mailsOf(t) {
		path := filepath.Join(t.TempDir(), name+".eml")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		files, want = append(files, path), append(want, ours(t, raw))
	}
	for _, parser := range [][]string{{"python3", "testdata/parse.py"}, {"node", "testdata/parse.js"}} {
		t.Run(parser[0], func(t *testing.T) {
			c := exec.Command(parser[0], append(parser[1:], files...)...)
			c.Env = append(os.Environ(), "NODE_PATH="+modules)
			var stderr bytes.Buffer
			c.Stderr = &stderr
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%v (make tools installs what it needs)\n%s", err, &stderr)
			}
			if diff := cmp.Diff(want, theirs(t, out)); diff != "" {
				t.Errorf("%s reads otherwise:\n%s", parser[0], diff)
			}
		})
	}
}

// mailsOf are the golden digests, and some for addresses that are not plain.
func mailsOf(t *testing.T) map[string][]byte {
	mails := map[string][]byte{}
	for name, in := range scenes() {
		mails[name], _, _ = compose.Mail(in)
	}
	for name, to := range map[string]string{"quoted": `"a b"@c.example`, "utf8": "почта@пример.рф", "bare": "root"} {
		in := composetest.Quiet()
		in.Reader, in.To = to, to
		mails[name], _, _ = compose.Mail(in)
	}
	notice, err := compose.StormNotice(composetest.StormNotice())
	if err != nil {
		t.Fatal(err)
	}
	mails["notice"] = notice
	return mails
}

// ours is what go-message reads.
func ours(t *testing.T, raw []byte) reading {
	p := parse(t, raw)
	h := mail.Header{}
	for f := p.header.Fields(); f.Next(); {
		h[f.Key()] = []string{f.Value()}
	}
	date, err := h.Date()
	if err != nil {
		t.Fatal(err)
	}
	r := reading{MessageID: h.Get("Message-Id"), Date: float64(date.Unix()), From: addresses(t, h, "From"),
		To: addresses(t, h, "To"), Text: string(p.text), HTML: string(p.html), Files: map[string]string{}, Defects: []string{}}
	if r.Subject, err = p.header.Text("Subject"); err != nil {
		t.Fatal(err)
	}
	for name, content := range p.files {
		sum := sha256.Sum256(content)
		r.Files[name] = hex.EncodeToString(sum[:])
	}
	return r
}

func addresses(t *testing.T, h mail.Header, field string) []string {
	found := []string{}
	if strings.HasSuffix(h.Get(field), ":;") { // an empty group
		return found
	}
	list, err := h.AddressList(field)
	if err != nil {
		t.Fatalf("%s: %v", h.Get(field), err)
	}
	for _, a := range list {
		found = append(found, a.Address)
	}
	return found
}

func theirs(t *testing.T, out []byte) []reading {
	var all []reading
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r reading
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		for i := range r.To { // they keep the quotes of a local part
			r.To[i] = strings.ReplaceAll(r.To[i], `"`, "")
		}
		all = append(all, r)
	}
	return all
}
