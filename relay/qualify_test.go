package relay

import "testing"

func TestMended(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"MAIL FROM:<root>\r\n", "MAIL FROM:<root@lull.test>\r\n"},
		{"mail from: <root> SIZE=1\n", "mail from: <root@lull.test> SIZE=1\n"},
		{"MAIL FROM:<>\r\n", "MAIL FROM:<>\r\n"},
		{"MAIL FROM:<@client.test>\r\n", "MAIL FROM:<>\r\n"},
		{"MAIL FROM:<\"\"@client.test> SIZE=3\r\n", "MAIL FROM:<> SIZE=3\r\n"},
		{"RCPT TO:<@client.test>\r\n", "RCPT TO:<@client.test>\r\n"},
		{"MAIL FROM:<@hop.test:a@client.test>\r\n", "MAIL FROM:<@hop.test:a@client.test>\r\n"},
		{"RCPT TO:<a@d.test>\r\n", "RCPT TO:<a@d.test>\r\n"},
		{"RCPT TO: x <root>\r\n", "RCPT TO: x <root>\r\n"},
		{"RCPT  TO:<root>\r\n", "RCPT  TO:<root>\r\n"},
		{"RCPT TO:<root\r\n", "RCPT TO:<root\r\n"},
		{"MAIL FROM:< >\r\n", "MAIL FROM:<>\r\n"},
		{"MAIL FROM:<a@d.test.>\r\n", "MAIL FROM:<a@d.test>\r\n"},
		{"RCPT TO:< a @ d.test > NOTIFY=NEVER\r\n", "RCPT TO:<a@d.test> NOTIFY=NEVER\r\n"},
		{"RCPT TO:<<a@d.test>> NOTIFY=NEVER\r\n", "RCPT TO:<a@d.test> NOTIFY=NEVER\r\n"},
		{"RCPT TO:<Ann <a@d.test>>\r\n", "RCPT TO:<a@d.test>\r\n"},
		{"RCPT TO:<\" <a@d.test.> \"@e.test.>\r\n", "RCPT TO:<\" <a@d.test.> \"@e.test.>\r\n"},
		{"RCPT TO:<a@d.test> ORCPT=rfc822;b=c+2bd@e.test NOTIFY=NEVER\r\n", "RCPT TO:<a@d.test> ORCPT=rfc822;b+3Dc+2Bd@e.test NOTIFY=NEVER\r\n"},
		{"MAIL FROM:<a=b@d.test> SIZE=3 ENVID=x=y+2bz\r\n", "MAIL FROM:<a=b@d.test> SIZE=3 ENVID=x+3Dy+2Bz\r\n"},
		{"RCPT TO:<a@d.test> ORCPT=x400;b NOTIFY=NEVER\r\n", "RCPT TO:<a@d.test> NOTIFY=NEVER\r\n"},
		{"RCPT TO:<a@d.test> ORCPT=rfc822;\r\n", "RCPT TO:<a@d.test>\r\n"},
		{"RCPT TO:<a@d.test> ORCPT=b@d.test\r\n", "RCPT TO:<a@d.test> ORCPT=b@d.test\r\n"},
		{"RCPT TO:<ü@d.test> ORCPT=rfc822;+C3+BC@d.test NOTIFY=NEVER\r\n", "RCPT TO:<ü@d.test> ORCPT=utf-8;\\x{FC}@d.test NOTIFY=NEVER\r\n"},
		{"RCPT TO:<u@d.test> orcpt=RFC822;+E2+82+AC+2B+3D+5C@d.test\r\n", "RCPT TO:<u@d.test> ORCPT=utf-8;\\x{20AC}\\x{2B}\\x{3D}\\x{5C}@d.test\r\n"},
		{"RCPT TO:<u@d.test> ORCPT=rfc822;a+2Bb@d.test\r\n", "RCPT TO:<u@d.test> ORCPT=rfc822;a+2Bb@d.test\r\n"},
		{"RCPT TO:<u@d.test> ORCPT=rfc822;+FF@d.test\r\n", "RCPT TO:<u@d.test> ORCPT=rfc822;+FF@d.test\r\n"},
	} {
		if got := string(mended([]byte(c.line), "lull.test")); got != c.want {
			t.Errorf("%q became %q, want %q", c.line, got, c.want)
		}
	}
}

func TestTidy(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"DATA \r\n", "DATA\r\n"},
		{" \tMAIL FROM:<a@b.test> \t\r\n", "MAIL FROM:<a@b.test>\r\n"},
		{"EHLO\tclient.test\n", "EHLO client.test\n"},
		{"NOOP a\tb\r\n", "NOOP a\tb\r\n"},
		{"QUIT\r\n", "QUIT\r\n"},
		{" \r\n", " \r\n"},
		{"\n", "\n"},
	} {
		in := []byte(c.line)
		if got := string(tidy(in)); got != c.want || string(in) != c.line {
			t.Errorf("%q became %q, want %q; the line is %q now", c.line, got, c.want, in)
		}
	}
}
