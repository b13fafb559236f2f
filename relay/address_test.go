package relay

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		name, in string
		utf8     bool
		want     string // as written back, "" if refused
		err      error
	}{
		{"plain", "a@b.test", false, "a@b.test", nil},
		{"case is kept", "Jo.Doe@Example.TEST", false, "Jo.Doe@Example.TEST", nil},
		{"all of atext", "!#$%&'*+-/=?^_`{|}~@b.test", false, "!#$%&'*+-/=?^_`{|}~@b.test", nil},
		{"one label", "root@localhost", false, "root@localhost", nil},
		{"digits and underscores", "a@x_1.2.test", false, "a@x_1.2.test", nil},
		{"needless quotes", `"root"@b.test`, false, "root@b.test", nil},
		{"needful quotes", `"a b"@b.test`, false, `"a b"@b.test`, nil},
		{"quoted pairs", `"a\"b\\c\d"@b.test`, false, `"a\"b\\cd"@b.test`, nil},
		{"quoted at", `"a@b"@c.test`, false, `"a@b"@c.test`, nil},
		{"quoted bracket", `"x> NOTIFY=NEVER "@b.test`, false, `"x> NOTIFY=NEVER "@b.test`, nil},
		{"quoted dots", `".a..b."@b.test`, false, `".a..b."@b.test`, nil},
		{"IPv4", "a@[192.0.2.1]", false, "a@[192.0.2.1]", nil},
		{"IPv6", "a@[IPv6:2001:db8::1]", false, "a@[IPv6:2001:db8::1]", nil},
		{"UTF-8", "jösé@bücher.test", true, "jösé@bücher.test", nil},
		{"local part over 64 (SRS)", long + long + "@b.test", false, long + long + "@b.test", nil},

		{"nothing", "", false, "", errNoDomain},
		{"bare name", "root", false, "", errNoDomain},
		{"no local part", "@b.test", false, "", errNoLocal},
		{"no domain", "a@", false, "", errNoDomain},
		{"two ats", "a@b@c.test", false, "", errBadDomain},
		{"leading dot", ".a@b.test", false, "", errBadLocal},
		{"two dots", "a..b@b.test", false, "", errBadLocal},
		{"space", "a b@b.test", false, "", errBadLocal},
		{"unfinished quote", `"a@b.test`, false, "", errUnfinished},
		{"unfinished pair", `"a\`, false, "", errUnfinished},
		{"text after quote", `"a"b@c.test`, false, "", errNoDomain},
		{"empty quote", `""@b.test`, false, "", errNoLocal},
		{"NUL", "a@b\x00.test", false, "", errControl},
		{"quoted CR", "\"a\rb\"@b.test", false, "", errControl},
		{"quoted DEL", "\"a\x7f\"@b.test", false, "", errControl},
		{"8-bit without SMTPUTF8", "jösé@b.test", false, "", errNeedsUTF8},
		{"8-bit domain without SMTPUTF8", "a@bücher.test", false, "", errNeedsUTF8},
		{"not UTF-8", "a\xff@b.test", true, "", errNotUTF8},
		{"C1 control", "a\u0085@b.test", true, "", errControl},
		{"empty label", "a@b..test", false, "", errBadDomain},
		{"trailing dot", "a@b.test.", false, "", errBadDomain},
		{"hyphen first", "a@-b.test", false, "", errBadDomain},
		{"hyphen last", "a@b-.test", false, "", errBadDomain},
		{"space in domain", "a@b test", false, "", errBadDomain},
		{"bracket in domain", "a@b>.test", false, "", errBadDomain},
		{"label of 64", "a@" + long + ".test", false, "", errBadDomain},
		{"domain over 253", "a@" + strings.Repeat("x.", 127) + "x", false, "", errBadDomain},
		{"path of 512", strings.Repeat("x", 505) + "@b.test", false, strings.Repeat("x", 505) + "@b.test", nil},
		{"path over 512", strings.Repeat("x", 506) + "@b.test", false, "", errTooLong},
		{"IPv4 out of range", "a@[300.0.0.1]", false, "", errBadDomain},
		{"IPv6 without tag", "a@[2001:db8::1]", false, "", errBadDomain},
		{"IPv6 with zone", "a@[IPv6:fe80::1%eth0]", false, "", errBadDomain},
		{"empty literal", "a@[]", false, "", errBadDomain},
		{"open literal", "a@[192.0.2.1", false, "", errBadDomain},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := parseAddress(c.in, c.utf8)
			if !errors.Is(err, c.err) || err == nil && a.String() != c.want {
				t.Errorf("parseAddress(%q) = %q, %v; want %q, %v", c.in, a, err, c.want, c.err)
			}
		})
	}
}

func TestFromProtocol(t *testing.T) {
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{"a@b.test", "a@b.test", nil},
		{"a b@b.test", `"a b"@b.test`, nil},
		{`a"b\c@b.test`, `"a\"b\\c"@b.test`, nil},
		{"a..b@b.test", `"a..b"@b.test`, nil},
		{"x> NOTIFY=NEVER @b.test", `"x> NOTIFY=NEVER "@b.test`, nil},
		{"a@b@c.test", `"a@b"@c.test`, nil},
		{"victim@evil.test> NOTIFY=NEVER @b.test", `"victim@evil.test> NOTIFY=NEVER "@b.test`, nil},
		{"a@b.test\rX-Evil:1", "", errControl},
	} {
		a, err := fromProtocol(c.in, false)
		if !errors.Is(err, c.err) || err == nil && a.String() != c.want {
			t.Errorf("fromProtocol(%q) = %q, %v; want %q, %v", c.in, a, err, c.want, c.err)
		}
	}
}

// TestWrittenAddressesAreRead: what is written is read back as the same, and
// no octet of it ends the path or begins a parameter outside of quotes.
func TestWrittenAddressesAreRead(t *testing.T) {
	octets := rapid.SampledFrom([]byte(`abZ09.@"\ <>()[]:;,%!+-_` + "\t"))
	rapid.Check(t, func(t *rapid.T) {
		local := string(rapid.SliceOfN(octets, 1, 20).Draw(t, "local"))
		domain := rapid.StringMatching(`[a-z0-9]{1,10}(\.[a-z0-9]{1,10}){0,3}|\[192\.0\.2\.[1-9]\]`).Draw(t, "domain")
		a, err := newAddress(local, domain, false)
		if err != nil {
			return
		}
		again, err := parseAddress(a.String(), false)
		if err != nil || again != a {
			t.Fatalf("%+v is written %q and read %+v, %v", a, a, again, err)
		}
		if out := outside(a.String()); strings.ContainsAny(out, "<> \t\r\n\\") {
			t.Fatalf("%q has %q outside of quotes", a, out)
		}
	})
}

// outside is s without its quoted strings.
func outside(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\':
			i++
		case !quoted:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.test", `"a b"@c.test`, "a@[IPv6:::1]", "jösé@bücher.test", "a@b@c", `"\`, "%@!"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		for name, parse := range map[string]func(string, bool) (address, error){"parseAddress": parseAddress, "fromProtocol": fromProtocol} {
			a, err := parse(s, utf8)
			if err != nil {
				continue
			}
			written := a.String()
			if len(written) > maxPath || strings.ContainsAny(written, "\r\n\x00") || strings.ContainsAny(outside(written), "<> ") {
				t.Errorf("%s took %q and wrote %q", name, s, written)
			}
			if again, err := parseAddress(written, utf8); err != nil || again != a {
				t.Errorf("%s: %q is written %q and read %+v, %v", name, s, written, again, err)
			}
		}
	})
}
