package e2e

import (
	"fmt"
	"strings"
)

// textExchanges vary the text in ways for which no client of the corpus serves.
func textExchanges() []exchange {
	head := crlf(letterHead) + "\r\n"
	received := "Received: from a.test by b.test; Mon, 7 Oct 2019 15:00:00 +0000\r\n"
	var all []exchange
	add := func(name, text string) {
		all = append(all,
			exchange{"text, DATA: " + name, one(ehlo, mailFrom, rcptTo, "DATA\r\n", stuffed(text)+".\r\n")},
			exchange{"text, 8BITMIME: " + name, one(ehlo, "MAIL FROM:<ann@client.test> BODY=8BITMIME\r\n", rcptTo, "DATA\r\n", stuffed(text)+".\r\n")},
			exchange{"text, BDAT: " + name, append(one(ehlo, mailFrom, rcptTo), turn{fmt.Sprintf("BDAT %d LAST\r\n%s", len(text), text), 1})})
	}
	for _, n := range []int{1 << 20, 5 << 20, 20 << 20} {
		add(fmt.Sprintf("a line of %d MiB", n>>20), head+strings.Repeat("x", n)+"\r\n")
	}
	add("a field of 1 MiB", "X: "+strings.Repeat("x", 1<<20)+"\r\n"+head+"hello\r\n")
	add("a folded field of 1 MiB", "X: x"+strings.Repeat("\r\n x", 1<<18)+"\r\n"+head+"hello\r\n")
	add("a header of 1 MiB", strings.Repeat("X-Many: yes\r\n", 80_000)+head+"hello\r\n")
	add("a header without an end", strings.Repeat("X-Many: yes\r\n", 80_000))
	add("a million empty lines", head+strings.Repeat("\r\n", 1_000_000))
	add("a million bare LF", head+strings.Repeat("\n", 1_000_000)+"\r\n")
	add("a million bare CR", head+strings.Repeat("\r", 1_000_000)+"\r\n")
	add("a million NUL", head+strings.Repeat("\x00", 1_000_000)+"\r\n")
	add("a million dots in lines", head+strings.Repeat(".\r\n", 300_000))
	add("NUL in the header", "X: a\x00b\r\n\x00: c\r\n"+head+"hello\r\n")
	add("nothing but NUL", "\x00")
	add("nothing but CR", "\r")
	add("nothing but LF", "\n")
	add("nothing but dots", ".\r\n..\r\n")
	for _, n := range []int{25, 30, 40, 48, 49, 50, 51, 60, 10_000} {
		add(fmt.Sprintf("%d Received", n), strings.Repeat(received, n)+head+"hello\r\n")
	}
	add("10,000 Received in the text", head+strings.Repeat(received, 10_000))
	add("Delivered-To the recipient", "Delivered-To: bob@far.test\r\n"+head+"hello\r\n")
	add("depth 2000", crlf(letterHead+nested(2000)))
	add("100,000 parts", crlf(letterHead)+"Content-Type: multipart/mixed; boundary=b\r\n\r\n"+strings.Repeat("--b\r\n\r\nx\r\n", 100_000))
	add("a digest of lull's", "X-Lull-Digest: 01M87KR164THAQAR4K2ZPHVA0A\r\n"+head+"hello\r\n")
	return all
}

// chunkExchanges vary BDAT.
func chunkExchanges() []exchange {
	text := strings.TrimSuffix(plainText, ".\r\n")
	open := one(ehlo, mailFrom, rcptTo)
	with := func(more ...turn) []turn { return append(open[:len(open):len(open)], more...) }
	chunk := func(s, last string) turn { return turn{fmt.Sprintf("BDAT %d%s\r\n%s", len(s), last, s), 1} }
	bytes := []turn{}
	for _, b := range []byte(text) {
		bytes = append(bytes, chunk(string(b), ""))
	}
	piped := turn{replies: len(text) + 1}
	for _, b := range []byte(text) {
		piped.say += chunk(string(b), "").say
	}
	piped.say += "BDAT 0 LAST\r\n"
	return []exchange{
		{"chunks of one byte", with(append(bytes, chunk("", " LAST"))...)},
		{"chunks of one byte, pipelined", with(piped)},
		{"one chunk", with(chunk(text, " LAST"))},
		{"lower case", with(turn{fmt.Sprintf("bdat %d last\r\n%s", len(text), text), 1})},
		{"an empty mail in a chunk", with(chunk("", " LAST"))},
		{"an empty chunk first", with(chunk("", ""), chunk(text, " LAST"))},
		{"CR and LF in two chunks", with(chunk(text+"\r", ""), chunk("\n", " LAST"))},
		{"no line end at the end", with(chunk(text+"x", " LAST"))},
		{"only LF in chunks", with(chunk(strings.ReplaceAll(text, "\r\n", "\n"), " LAST"))},
		{"binary without BODY", with(chunk(text+"\x00\xff\xfe\r\x00\n", " LAST"))},
		{"a dot in a chunk", with(chunk(text+"\r\n.\r\n.\r\nQUIT\r\n", " LAST"))},
		{"RSET between chunks", append(with(chunk(text, ""), turn{"RSET\r\n", 1}), append(open[1:3:3], chunk(text, " LAST"))...)},
		{"two mails in chunks", append(with(chunk(text, " LAST")), append(open[1:3:3], chunk(text, " LAST"))...)},
		{"a mail in chunks, one after DATA", append(with(chunk(text, " LAST")), append(open[1:3:3], one("DATA\r\n", plainText)...)...)},
		{"all pipelined", []turn{{ehlo, 1}, {mailFrom + rcptTo + chunk(text, "").say + chunk(text, " LAST").say, 4}}},
		{"after HELO", append(one("HELO client.test\r\n", mailFrom, rcptTo), chunk(text, " LAST"))},
		{"blanks in BDAT", with(turn{fmt.Sprintf("BDAT  %d  LAST\r\n%s", len(text), text), 1})},
		{"a blank after LAST", with(turn{fmt.Sprintf("BDAT %d LAST \r\n%s", len(text), text), 1})},
		{"a blank after the size", with(turn{fmt.Sprintf("BDAT %d \r\n%s", len(text), text), 1}, chunk("", " LAST"))},
		{"leading zeros", with(turn{fmt.Sprintf("BDAT 000%d LAST\r\n%s", len(text), text), 1})},
	}
}

// crowdExchanges have many recipients.
func crowdExchanges() []exchange {
	var all []exchange
	for _, n := range []int{100, 999, 1000} {
		crowd := one(ehlo, mailFrom)
		for i := range n {
			crowd = append(crowd, turn{fmt.Sprintf("RCPT TO:<crowd%d@far.test>\r\n", i), 1})
		}
		all = append(all, exchange{fmt.Sprintf("%d recipients", n), append(crowd, one("DATA\r\n", plainText)...)})
	}
	same := one(ehlo, mailFrom)
	for range 200 {
		same = append(same, turn{rcptTo, 1})
	}
	return append(all, exchange{"200 times the same recipient", append(same, one("DATA\r\n", plainText)...)},
		exchange{"one recipient in two cases", one(ehlo, mailFrom, "RCPT TO:<Bob@far.test>\r\n", "RCPT TO:<bob@FAR.test>\r\n", "DATA\r\n", plainText)})
}
