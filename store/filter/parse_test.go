package filter

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	tests := map[string]string{
		"":                                    "",
		"  \t\n":                              "",
		"--older 90m":                         "--older 1h30m",
		"--older 36h":                         "--older 1d12h",
		"--older 48h":                         "--older 2d",
		"--older 1500ms":                      "--older 1.5s",
		"--older 1d30s":                       "--older 1d30s",
		"--fate In-Flight":                    "--fate in_flight",
		"--from A@B.C --from a@b.c":           "--from a@b.c",
		"--older 1h --from a@b":               "--from a@b --older 1h",
		"--subject=a=b":                       "--subject a=b",
		"--subject=--x":                       "--subject=--x",
		`--subject "it's \"so\" \d"`:          `--subject 'it'\''s "so" \d'`,
		`--subject a\ b\'c`:                   `--subject 'a b'\''c'`,
		`--subj'ect' ab"c"'d'`:                "--subject abcd",
		"--client 10.1.2.3/8":                 "--client 10.0.0.0/8",
		"--client 10.1.2.3":                   "--client 10.1.2.3/32",
		"--since '2019-10-07 19:06'":          "--since 2019-10-07T19:06:00Z",
		"--since 2019-10-07T21:06:00.5+02:00": "--since 2019-10-07T19:06:00.5Z",
		"--since 19:06":                       "--since 19:06",
	}
	for in, want := range tests {
		f, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := f.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]string{
		"foo":                                    `filter, column 1: "foo" is not a key; a filter is made of --key value, with --from --to`,
		"--older 1h x@y":                         `filter, column 12: "x@y" is not a key`,
		"--form a@b":                             "filter, column 1: there is no key --form; there are --from --to --reader",
		"--older 1h --from":                      "filter, column 12: --from needs a value: ADDRESS",
		"--from --older 1h":                      "filter, column 1: --from needs a value: ADDRESS; write --from=--older",
		"--from ''":                              "filter, column 1: --from has an empty value; give ADDRESS, or leave the key out",
		"--from root":                            "filter, column 1: --from root: not an address; write root@* for any domain",
		"--older 10":                             "filter, column 1: --older 10: must be a length of time such as 90s",
		"--older -1h":                            "must be a length of time",
		"--older 0s":                             "must be a length of time",
		"--older 1.5d":                           "must be a length of time",
		"--older 99999999d":                      "must be a length of time",
		"--older 2000000h":                       "must be a length of time",
		"--since yesterday":                      "filter, column 1: --since yesterday: must be a time such as 2019-10-07T19:06:00Z",
		"--since 24:01":                          "must be a time such as",
		"--subject 'a(b'":                        "filter, column 1: --subject 'a(b': missing closing )",
		`--subject '\p'`:                         "expressions are RE2",
		"--client 10.0.0.0/33":                   "must be an address (192.0.2.7), a network",
		"--is up":                                "filter, column 1: --is up: must be one of problem, recovery, notice",
		"--fate gone":                            "must be one of waiting, held, in_flight",
		"--class mail":                           "must be one of alert, pass",
		"--subject 'abc":                         "filter, column 11: the quote ' is not closed",
		`--subject "abc\"`:                       "filter, column 11: the quote \" is not closed",
		`--subject abc\`:                         `filter, column 14: the quote \ is not closed`,
		"--id " + strings.Repeat("x", MaxLength): "longer than 1048576 bytes",
	}
	for in, want := range tests {
		_, err := Parse(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s\n got %v\nwant %s", in, err, want)
		}
	}
}

func TestArgumentErrors(t *testing.T) {
	_, err := ParseArgs([]string{"--from", "a@b", "--older", "soon"})
	if err == nil || !strings.HasPrefix(err.Error(), "filter, argument 3: --older soon:") {
		t.Error(err)
	}
}

// values draws values that each key accepts, in odd spellings.
func values() map[string]*rapid.Generator[string] {
	address := rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z.*' +"]{1,6}@[a-zA-Z.*-]{1,9}`),
		rapid.StringMatching(`@[A-Za-z.]{1,9}`), rapid.Just("<>"), rapid.Just("*"))
	expression := rapid.StringMatching(`[a-z'"\$ ]{1,5}(\\[.*+?()|\[\]{}^$]|\.\*|\(\?-i\)X)?[a-zé -]{0,5}`).
		Filter(func(s string) bool { _, err := subject(s); return err == nil })
	any := rapid.StringMatching(`[ -~]{1,12}`)
	age := rapid.StringMatching(`([1-9][0-9]?d|[1-9]h|[1-9][0-9]?m|[1-9]s|1d2h3m4s|1h0m1s|100h|3000m)`)
	clock := rapid.StringMatching(`(2019-1[0-2]-0[1-9][T ])?(0[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?`)
	return map[string]*rapid.Generator[string]{
		"from": address, "to": address, "reader": address,
		"subject": expression, "text": expression,
		"signature": any, "incident": any, "object": any, "id": any,
		"is":    rapid.SampledFrom([]string{"problem", "Recovery", "NOTICE"}),
		"class": rapid.SampledFrom([]string{"alert", "PASS"}),
		"fate":  rapid.SampledFrom(append(fates(), "in-flight")),
		"older": age, "younger": age, "since": clock, "until": clock,
		"client": rapid.SampledFrom([]string{"unix", "10.1.2.3", "10.1.2.3/9", "2001:db8::1", "::/0", "::ffff:1.2.3.4"}),
	}
}

// TestPrintedParsesBack: what a filter prints parses to the same filter, as a
// string and as arguments, and matches the same.
func TestPrintedParsesBack(t *testing.T) {
	gens := values()
	var names []string
	for _, k := range Keys() {
		if gens[k.Name] == nil {
			t.Fatalf("no values for --%s", k.Name)
		}
		names = append(names, k.Name)
	}
	rapid.Check(t, func(t *rapid.T) {
		var args []string
		for range rapid.IntRange(0, 8).Draw(t, "keys") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			args = append(args, "--"+name+"="+gens[name].Draw(t, "value"))
		}
		f, err := ParseArgs(args)
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		again, err := Parse(f.String())
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		fromArgs, err := ParseArgs(f.Args())
		if err != nil {
			t.Fatalf("%q: %v", f.Args(), err)
		}
		if again.String() != f.String() || !slices.Equal(again.Args(), f.Args()) || fromArgs.String() != f.String() {
			t.Fatalf("%q\nprints    %s\nthen      %s\nand again %s", args, f, again, fromArgs)
		}
		if f.Match(entry(), now, nil) != again.Match(entry(), now, nil) {
			t.Fatalf("%s matches otherwise than it did", f)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "--from root@* --older 1h", `--subject 'a b' --text "x\"y"`, "--since '2019-10-07 19:06' --until 20:00",
		"--client 10.0.0.0/8 --fate told --is problem", `--id=--x \`, "--subject (?-i)A|b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(first.String())
		if err != nil {
			t.Fatalf("%q prints %q, which does not parse: %v", s, first, err)
		}
		if again.String() != first.String() {
			t.Fatalf("%q prints %q, then %q", s, first, again)
		}
		first.Match(entry(), now, func() []byte { return []byte(s) })
		first.Captures(entry())
	})
}
