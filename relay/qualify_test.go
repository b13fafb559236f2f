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
