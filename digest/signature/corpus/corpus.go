// Package corpus makes labelled mail out of the examples of the formats: the
// same trouble on other hosts, at other times, under other ids, and in all the
// forms that mailers give to one text.
package corpus

import (
	"math/rand/v2"
	"strings"

	"lull/digest/signature"
)

// Mail is a mail whose truth is known.
type Mail struct {
	Raw      []byte
	Format   string
	Family   string // mails of one family must share a signature
	Incident string // mails of one incident share signature and object
	Object   string
	Kind     string // the state
	Class    string // alert, or pass for bounces
	Varied   []string
}

// Generate makes n mails of each example. It is a pure function of its seed.
func Generate(seed uint64, n int) ([]Mail, error) {
	examples, err := signature.Examples()
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	mails := make([]Mail, 0, n*len(examples))
	for _, e := range examples {
		for range n {
			mails = append(mails, generate(random, e))
		}
	}
	return mails, nil
}

// generate makes one mail of an example: another host at times, and one to
// four changes that must not matter.
func generate(random *rand.Rand, e signature.Example) Mail {
	reading := signature.Read([]byte(e.Mail))
	object := reading.Reports[0].Object
	family := reading.Signature.Core
	text := e.Mail
	if host, fits := hostOf(object, family); fits && random.IntN(2) == 0 {
		other := hostName(random)
		if dot := strings.IndexByte(host, '.'); dot > 0 {
			other += host[dot:]
		}
		text = replaceName(text, host, other)
		object = strings.Replace(object, host, other, 1)
	}
	m := Mail{
		Format: e.Format, Object: object, Kind: string(reading.Reports[0].State),
		Family:   e.Family + " " + family + " of " + reading.Signature.Source,
		Incident: e.Family + " " + family + " of " + reading.Signature.Source + " on " + object,
	}
	parsed := parse(text)
	for range 1 + random.IntN(4) {
		v := Variations[random.IntN(len(Variations))]
		if v.apply(random, &parsed) {
			m.Varied = append(m.Varied, v.Name)
		}
	}
	m.Class = "alert"
	if class := e.Want["class"]; class != "" {
		m.Class = class
	}
	m.Raw = parsed.bytes()
	return m
}

// hostOf is the host in an object, if it can be another without changing the
// family.
func hostOf(object, family string) (string, bool) {
	host, _, _ := strings.Cut(object, " ")
	if len(host) < 3 || strings.ContainsAny(host, "/#") || strings.Contains(family, host) {
		return "", false
	}
	return host, !strings.ContainsAny(host[:1], "0123456789")
}

func hostName(random *rand.Rand) string {
	stems := [...]string{"web", "db", "tools-sgeexec-09", "cloudvirt10", "mail", "k8s-worker-"}
	return stems[random.IntN(len(stems))] + digits(random, 2)
}

func digits(random *rand.Rand, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + random.IntN(10))
	}
	text[0] = byte('1' + random.IntN(9))
	return string(text)
}

// replaceName replaces a name wherever it stands by itself, or with a domain.
func replaceName(text, name, other string) string {
	var out strings.Builder
	for {
		at := indexFold(text, name)
		if at < 0 {
			return out.String() + text
		}
		out.WriteString(text[:at])
		if (at == 0 || !isName(text[at-1])) && !goesOn(text[at+len(name):]) {
			out.WriteString(other)
		} else {
			out.WriteString(text[at : at+len(name)])
		}
		text = text[at+len(name):]
	}
}

func indexFold(text, name string) int {
	return strings.Index(strings.ToLower(text), strings.ToLower(name))
}

// goesOn reports whether a name goes on with text; "->" is an arrow behind it.
func goesOn(text string) bool {
	return text != "" && isName(text[0]) && !strings.HasPrefix(text, "->")
}

func isName(c byte) bool {
	return c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
