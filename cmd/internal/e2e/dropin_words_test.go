package e2e

import (
	"fmt"
	"strings"
)

// The exchanges of TestDropIn.

const ehlo, mailFrom, rcptTo = "EHLO client.test\r\n", "MAIL FROM:<ann@client.test>\r\n", "RCPT TO:<bob@far.test>\r\n"

// plainText is a mail without a fault, and its end.
const plainText = "From: ann@client.test\r\nTo: bob@far.test\r\nSubject: hello\r\n\r\nhello\r\n.\r\n"

// one makes turns of commands with one reply each.
func one(lines ...string) []turn {
	var turns []turn
	for _, l := range lines {
		turns = append(turns, turn{l, 1})
	}
	return turns
}

func exchanges() []exchange {
	var all []exchange
	for _, group := range [][]exchange{corpusExchanges(), senderExchanges(), recipientExchanges(), commandExchanges(), textExchanges(), chunkExchanges(), crowdExchanges()} {
		all = append(all, group...)
	}
	return all
}

// corpusExchanges are the mails that the clients of TestClients send, over DATA
// without a parameter, and in one chunk of BDAT.
func corpusExchanges() []exchange {
	var all []exchange
	for _, s := range corpus() {
		from := "MAIL FROM:<" + s.from + ">\r\n"
		if !ascii(s.from + strings.Join(s.to, "")) {
			from = "MAIL FROM:<" + s.from + "> SMTPUTF8\r\n"
		}
		open := one(ehlo, from)
		for _, to := range s.recipients("drop") {
			open = append(open, turn{"RCPT TO:<" + to + ">\r\n", 1})
		}
		data := append(open[:len(open):len(open)], one("DATA\r\n", stuffed(s.text)+".\r\n")...)
		chunk := append(open[:len(open):len(open)], turn{fmt.Sprintf("BDAT %d LAST\r\n%s", len(s.text), s.text), 1})
		all = append(all, exchange{"corpus, DATA: " + s.name, data}, exchange{"corpus, BDAT: " + s.name, chunk})
	}
	return all
}

// paths are addresses as they are written by somebody, somewhere.
func paths() []string {
	long := func(n int) string { return strings.Repeat("l", n) }
	domain := func(n int) string { return strings.Repeat(strings.Repeat("d", 60)+".", n) + "test" }
	return []string{
		"<a@client.test>", "<A.B@CLIENT.TEST>", "a@client.test", "<a+b=c@client.test>", "<!#$&'*+-/=?^_`{|}~@client.test>",
		`<"a b"@client.test>`, `<"a@b"@client.test>`, `<"a\"b"@client.test>`, `<"a\\b"@client.test>`, `<""@client.test>`, `<"a"@client.test>`, `<"a,b;c:d<e>f"@client.test>`, `<a."b c".d@client.test>`, `<a\@b@client.test>`, `<a\ b@client.test>`,
		"<a..b@client.test>", "<.a@client.test>", "<a.@client.test>", "<a b@client.test>", "<a@b@client.test>", "<a,b@client.test>", "<a;b@client.test>", "<a:b@client.test>", "<a(c)@client.test>", "<a@client.test(c)>", "<a[b]@client.test>",
		"<a@client.test.>", "<a@client_1.test>", "<a@-client.test>", "<a@client-.test>", "<a@client..test>", "<a@.client.test>", "<a@client>", "<a@localhost>", "<a@1.2.3.4>", "<a@[127.0.0.1]>", "<a@[IPv6:::1]>", "<a@[ipv6:2001:db8::1]>", "<a@[::1]>", "<a@[x]>", "<a@[127.0.0.1>", "<a@123>", "<a@x.123>",
		"<@client.test>", "<a@>", "<@>", "< >", "<a>", "<root>", "<Postmaster>", "<a%b>", "<a!b>", "<a!b@client.test>", "<a%b@client.test>", "<a%b%c@client.test>",
		"<@hop.test:a@client.test>", "<@hop.test,@hop2.test:a@client.test>", "<hop.test:a@client.test>",
		"<" + long(64) + "@client.test>", "<" + long(65) + "@client.test>", "<" + long(200) + "@client.test>", "<" + long(241) + "@client.test>", "<" + long(242) + "@client.test>", "<" + long(300) + "@client.test>", "<" + long(900) + "@client.test>", "<" + long(1900) + "@client.test>",
		"<a@" + domain(4) + ">", "<a@" + domain(5) + ">", "<a@" + long(63) + ".test>", "<a@" + long(64) + ".test>",
		"<m\xc3\xbcller@client.test>", "<m\xfcller@client.test>", "<a@m\xc3\xbcller.test>", "<a@m\xfcller.test>", "<a@xn--mller-kva.test>", "<a\x00b@client.test>", "<a\tb@client.test>", "<a\x1bb@client.test>", "<a\x7fb@client.test>", "<a\rb@client.test>",
		"<<a@client.test>>", "Ann <a@client.test>", `"Ann" <a@client.test>`, "<Ann <a@client.test>>", "a@client.test (Ann)", "<a@client.test", "a@client.test>", "<a@client.test> ", "<a@client.test>\t", "< a@client.test>", "<a@client.test >", "<a @client.test>", "<a@ client.test>",
	}
}

// senderExchanges vary MAIL.
func senderExchanges() []exchange {
	var all []exchange
	for _, p := range append(paths(), "<>", "", "<> ", "<MAILER-DAEMON>") {
		for how, with := range map[string]string{"": "", " SMTPUTF8": " SMTPUTF8"} {
			if with == "" || !ascii(p) {
				all = append(all, mailExchange("MAIL FROM:"+p+how))
			}
		}
	}
	for _, line := range []string{
		"mail from:<a@client.test>", "MAIL FROM: <a@client.test>", "MAIL FROM:  <a@client.test>", "MAIL  FROM:<a@client.test>", "MAIL FROM :<a@client.test>", "MAIL from:a@client.test", "MAIL FROM<a@client.test>", "MAIL <a@client.test>", " MAIL FROM:<a@client.test>", "MAIL\tFROM:<a@client.test>", "MAIL FROM:\t<a@client.test>",
		"MAIL FROM:<a@client.test> SIZE=0", "MAIL FROM:<a@client.test> SIZE=1", "MAIL FROM:<a@client.test> SIZE=1000000", "MAIL FROM:<a@client.test> SIZE=9999999999", "MAIL FROM:<a@client.test> SIZE=", "MAIL FROM:<a@client.test> SIZE=-1", "MAIL FROM:<a@client.test> SIZE=x", "MAIL FROM:<a@client.test> SIZE", "MAIL FROM:<a@client.test> SIZE=007", "MAIL FROM:<a@client.test> size=5",
		"MAIL FROM:<a@client.test> BODY=7BIT", "MAIL FROM:<a@client.test> BODY=8BITMIME", "MAIL FROM:<a@client.test> body=8bitmime", "MAIL FROM:<a@client.test> BODY=BINARYMIME", "MAIL FROM:<a@client.test> BODY=", "MAIL FROM:<a@client.test> BODY=9BIT",
		"MAIL FROM:<a@client.test> RET=FULL", "MAIL FROM:<a@client.test> RET=hdrs ENVID=x+2By", "MAIL FROM:<a@client.test> RET=x", "MAIL FROM:<a@client.test> ENVID=", "MAIL FROM:<a@client.test> ENVID=+zz", "MAIL FROM:<a@client.test> ENVID=x=y", "MAIL FROM:<a@client.test> ENVID=x+2by", "MAIL FROM:<a@client.test> ENVID=\xc3\xbc", "MAIL FROM:<a@client.test> ENVID=" + strings.Repeat("e", 100), "MAIL FROM:<a@client.test> ENVID=" + strings.Repeat("e", 101),
		"MAIL FROM:<a@client.test> SMTPUTF8", "MAIL FROM:<a@client.test> smtputf8", "MAIL FROM:<a@client.test> SMTPUTF8=x", "MAIL FROM:<a@client.test> AUTH=<>", "MAIL FROM:<a@client.test> AUTH=a@client.test", "MAIL FROM:<a@client.test> X-FOO", "MAIL FROM:<a@client.test>  SIZE=5  BODY=7BIT ", "MAIL FROM:<a@client.test>SIZE=5", "MAIL FROM:<a@client.test> SIZE=5 SIZE=6", "MAIL FROM:<a@client.test> XFORWARD", "MAIL FROM:<a@client.test> REQUIRETLS",
	} {
		all = append(all, mailExchange(line))
	}
	return all
}

// quoted is a command as a name: a long one by its length.
func quoted(line string) string {
	if len(line) > 120 {
		return fmt.Sprintf("%s… of %d octets", line[:20], len(line))
	}
	return fmt.Sprintf("%q", line)
}

func mailExchange(line string) exchange {
	return exchange{quoted(line), one(ehlo, line+"\r\n", rcptTo, "DATA\r\n", plainText)}
}

// recipientExchanges vary RCPT.
func recipientExchanges() []exchange {
	var all []exchange
	add := func(line, from string) {
		all = append(all, exchange{quoted(line), one(ehlo, from, line+"\r\n", "DATA\r\n", plainText)})
	}
	for _, p := range append(paths(), "<>", "<MAILER-DAEMON>") {
		add("RCPT TO:"+p, mailFrom)
		if !ascii(p) {
			all = append(all, exchange{"SMTPUTF8, " + quoted("RCPT TO:"+p), one(ehlo, "MAIL FROM:<ann@client.test> SMTPUTF8\r\n", "RCPT TO:"+p+"\r\n", "DATA\r\n", plainText)})
		}
	}
	for _, line := range []string{
		"rcpt to:<b@far.test>", "RCPT TO: <b@far.test>", "RCPT TO:b@far.test", "RCPT <b@far.test>", "RCPT  TO:<b@far.test>", "RCPT TO :<b@far.test>",
		"RCPT TO:<b@far.test> NOTIFY=NEVER", "RCPT TO:<b@far.test> NOTIFY=success,failure,delay", "RCPT TO:<b@far.test> NOTIFY=NEVER,SUCCESS", "RCPT TO:<b@far.test> NOTIFY=", "RCPT TO:<b@far.test> NOTIFY=x", "RCPT TO:<b@far.test> NOTIFY=SUCCESS,SUCCESS",
		"RCPT TO:<b@far.test> ORCPT=rfc822;b@far.test", "RCPT TO:<b@far.test> ORCPT=RFC822;x+2By@far.test", "RCPT TO:<b@far.test> ORCPT=x400;b", "RCPT TO:<b@far.test> ORCPT=rfc822;a=b@far.test", "RCPT TO:<b@far.test> ORCPT=rfc822;a+b@far.test", "RCPT TO:<b@far.test> ORCPT=rfc822;bob", "RCPT TO:<b@far.test> ORCPT=rfc822;m\xc3\xbcller@far.test", "RCPT TO:<b@far.test> ORCPT=b@far.test", "RCPT TO:<b@far.test> ORCPT=", "RCPT TO:<b@far.test> ORCPT=rfc822;", "RCPT TO:<b@far.test> ORCPT=utf-8;m\\x{FC}ller@far.test",
		"RCPT TO:<b@far.test> X-FOO", "RCPT TO:<b@far.test> SIZE=5", "RCPT TO:<b@far.test>  NOTIFY=NEVER  ", "RCPT TO:<b@far.test> ORCPT=rfc822;" + strings.Repeat("o", 490) + "@far.test",
	} {
		add(line, mailFrom)
	}
	add("RCPT TO:<b@far.test> ORCPT=rfc822;m+C3+BCller@far.test", "MAIL FROM:<ann@client.test> SMTPUTF8\r\n")
	return all
}

// commandExchanges vary what stands around a mail.
func commandExchanges() []exchange {
	rest := []string{mailFrom, rcptTo, "DATA\r\n", plainText}
	with := func(lines ...string) []turn { return one(append(lines, rest...)...) }
	all := []exchange{
		{"no HELO", with()},
		{"HELO", with("HELO client.test\r\n")},
		{"helo", with("helo client.test\r\n")},
		{"EHLO, a literal", with("EHLO [127.0.0.1]\r\n")},
		{"EHLO, a literal of IPv6", with("EHLO [IPv6:::1]\r\n")},
		{"EHLO, an address", with("EHLO 127.0.0.1\r\n")},
		{"EHLO, an underscore", with("EHLO my_host\r\n")},
		{"EHLO, one word", with("EHLO localhost\r\n")},
		{"EHLO, a dot at the end", with("EHLO client.test.\r\n")},
		{"EHLO, two words", with("EHLO client test\r\n")},
		{"EHLO, nothing", with("EHLO\r\n")},
		{"EHLO, a blank", with("EHLO \r\n")},
		{"EHLO, two blanks before", with("EHLO  client.test\r\n")},
		{"EHLO, a blank after", with("EHLO client.test \r\n")},
		{"EHLO, a tab", with("EHLO\tclient.test\r\n")},
		{"EHLO, UTF-8", with("EHLO m\xc3\xbcller.test\r\n")},
		{"EHLO, Latin-1", with("EHLO m\xfcller.test\r\n")},
		{"EHLO, empty domain", with("EHLO .\r\n")},
		{"EHLO, an e-mail address", with("EHLO ann@client.test\r\n")},
		{"EHLO, 300 octets", with("EHLO " + strings.Repeat("x", 300) + "\r\n")},
		{"EHLO, 1,900 octets", with("EHLO " + strings.Repeat("x", 1900) + "\r\n")},
		{"EHLO twice", with(ehlo, ehlo)},
		{"EHLO, then HELO", with(ehlo, "HELO client.test\r\n")},
		{"EHLO in a transaction", with(ehlo, mailFrom, rcptTo, ehlo)},
		{"RSET first", with("RSET\r\n", ehlo)},
		{"RSET in a transaction", with(ehlo, mailFrom, rcptTo, "RSET\r\n")},
		{"RSET with a word", with(ehlo, "RSET x\r\n")},
		{"NOOP", with(ehlo, "NOOP\r\n", "NOOP x y\r\n", "noop\r\n")},
		{"NOOP first", with("NOOP\r\n", ehlo)},
		{"NOOP in a transaction", one(ehlo, mailFrom, "NOOP\r\n", rcptTo, "NOOP\r\n", "DATA\r\n", plainText)},
		{"VRFY", with(ehlo, "VRFY bob@far.test\r\n")},
		{"VRFY in a transaction", one(ehlo, mailFrom, "VRFY bob@far.test\r\n", rcptTo, "DATA\r\n", plainText)},
		{"90 NOOP", append(one(ehlo), with(strings.Split(strings.Repeat("NOOP\r\n|", 90), "|")[:90]...)...)},
		{"QUIT with a word", one(ehlo, "QUIT now\r\n")},
		{"DATA with a blank", one(ehlo, mailFrom, rcptTo, "DATA \r\n", plainText)},
		{"data", one(ehlo, mailFrom, rcptTo, "data\r\n", plainText)},
		{"DATA with a word", one(ehlo, mailFrom, rcptTo, "DATA x\r\n", plainText)},
		{"DATA without RCPT", one(ehlo, mailFrom, "DATA\r\n")},
		{"RCPT without MAIL", one(ehlo, rcptTo)},
		{"MAIL twice", one(ehlo, mailFrom, mailFrom)},
		{"only LF", one("EHLO client.test\n", "MAIL FROM:<ann@client.test>\n", "RCPT TO:<bob@far.test>\n", "DATA\n", plainText)},
		{"an empty line", with(ehlo, "\r\n")},
		{"a wrong command", goOn("FOO\r\n")},
		{"pipelined", []turn{{ehlo, 1}, {mailFrom + rcptTo + "DATA\r\n", 3}, {plainText, 1}}},
		{"pipelined with the text", []turn{{ehlo, 1}, {mailFrom + rcptTo + "DATA\r\n" + plainText, 4}}},
		{"pipelined from the begin", []turn{{ehlo + mailFrom + rcptTo + "DATA\r\n" + plainText + "QUIT\r\n", 6}}},
		{"pipelined, three mails", []turn{{ehlo, 1}, {strings.Repeat(mailFrom+rcptTo+"DATA\r\n"+plainText, 3), 12}}},
		{"a blank after a command", one(ehlo, "MAIL FROM:<ann@client.test> \r\n", "RCPT TO:<bob@far.test> \r\n", "DATA\r\n", plainText)},
	}
	for _, n := range []int{30, 90} {
		many := one(ehlo)
		for range n {
			many = append(many, one(mailFrom, rcptTo, "DATA\r\n", plainText)...)
		}
		all = append(all, exchange{fmt.Sprintf("%d mails", n), many})
	}
	return all
}

// goOn goes on after a command that every server refuses, which counts only
// if the mail after it is refused.
func goOn(wrong string) []turn {
	return []turn{{ehlo, 1}, {mailFrom + wrong + rcptTo, 3}, {"DATA\r\n", 1}, {plainText, 1}}
}
