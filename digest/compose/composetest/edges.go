package composetest

import (
	"fmt"
	"strings"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// OnlyRecovered is an hour after which nothing is open: what came within it,
// and what was told before.
func OnlyRecovered() compose.Input {
	b := New(Host, Reader, cutAt)
	b.Add(Mail{At: At("13:10"), Title: "SSH on <host>", Object: "tools-bastion-03", State: store.Problem, Severity: store.Critical, Earlier: true})
	b.Add(Mail{At: At("15:31"), Title: "SSH on <host>", Object: "tools-bastion-03", State: store.Recovery, Subject: "SSH OK", Excerpt: "SSH OK"})
	for i := range 17 {
		m := Mail{At: At("15:02").Add(time.Duration(i) * time.Minute), Title: "Host DOWN alert", Object: fmt.Sprintf("tools-sgeexec-%04d", 901+i),
			State: store.Problem, Severity: store.Critical, Subject: "Host DOWN alert", Excerpt: "PING CRITICAL"}
		b.Add(m)
		m.At, m.State, m.Severity = m.At.Add(20*time.Minute), store.Recovery, ""
		b.Add(m)
	}
	return b.Input()
}

// OnlyLate is what a mail host lets go after hours: all of it is past, some
// has recovered, one is still open; two mails claim times that cannot be.
func OnlyLate() compose.Input {
	b := New(Host, Reader, cutAt)
	add := func(title, object, sent string, s store.State) {
		b.Add(Mail{At: At("15:58"), Sent: At(sent), Title: title, Object: object, State: s, Severity: store.Critical,
			Subject: title, Excerpt: "Socket timeout after 10 seconds"})
	}
	for i := range 12 {
		clock := fmt.Sprintf("%02d:%02d", 11+i/4, 15*(i%4))
		add("Cron <tools.foo@<host>> update.sh", "tools-sgecron-01", clock, store.Problem)
	}
	add("HTTP on <host>", "tools-proxy-05", "11:46", store.Problem)
	add("HTTP on <host>", "tools-proxy-05", "12:31", store.Recovery)
	add("LDAP on <host>", "ldap-ro01", "11:47", store.Problem)
	add("LDAP on <host>", "ldap-ro01", "14:40", store.Recovery)
	b.Add(Mail{At: At("13:00"), Sent: At("19:00"), Title: "Clock from the future", Object: "old-box", State: store.Problem, Subject: "x"})
	b.Add(Mail{At: At("13:01"), Sent: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Title: "Clock from the past", Object: "older-box", State: store.Problem, Subject: "y"})
	for title, closed := range map[string]string{"HTTP on <host>": "12:31", "LDAP on <host>": "14:40"} {
		b.Incident(title).Closed = At(closed)
	}
	in := b.Input()
	in.Since = At("11:00")
	return in
}

// Hostile is what nobody should be able to send.
func Hostile() compose.Input {
	b := New(Host, Reader, cutAt)
	texts := []string{
		"<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>",
		"disk full\r\nBcc: victim@example.org\r\n\r\nforged body",
		"=?utf-8?B?YQ0KQmNjOiBib28=?= encoded word with CRLF inside",
		"invoice \u202egpj.exe\u202c and \u2066isolated\u2069 \u200bzero\u200dwidth\ufeff",
		strings.Repeat("very long subject ", 600),
		"nul \x00 esc \x1b[31mred\x1b[0m bell \x07 del \x7f c1 \u0085\u009b31m",
		"broken \xff\xfe utf-8 \xc3",
		"z" + strings.Repeat("\u0301", 3000) + "algo",
		"{{.Subject}} ${HOME} `id` $(id) %s %n",
		"-- \n.\r\nFrom here the mail would end",
		strings.Repeat("x", 5000),
		"\U000E0041\U000E0042 tags, \u2028line and \u2029paragraph separators",
		"",
		"javascript:alert(1) &lt;b&gt; &#x202e; ]]> --> </pre></style></title>",
	}
	for i, s := range texts {
		b.Add(Mail{At: At("15:10").Add(time.Duration(i) * time.Minute), Title: s, Object: s, State: store.Problem,
			Severity: store.Critical, Kind: s, Subject: s, Excerpt: s + "\n" + s})
		b.Add(Mail{At: At("15:40").Add(time.Duration(i) * time.Minute), Title: "many objects, one name each", Object: fmt.Sprint(i, s),
			State: store.Notice, Kind: s, Severity: store.Severity(s), Subject: s, Excerpt: s})
	}
	b.Add(Mail{At: At("15:59"), Title: "repeated", State: store.Problem, Joined: texts[1], Subject: texts[0], Excerpt: texts[5]})
	b.Add(Mail{At: At("15:59"), Title: "kept quiet", State: store.Problem, Silenced: texts[0], Subject: texts[0], Excerpt: texts[5]})
	in := b.Input()
	in.Causes = []compose.Cause{{Title: texts[3], Reasons: []string{texts[0], texts[1], texts[5]},
		Incidents: []string{in.Incidents[0].ID, in.Incidents[2].ID, "unknown", in.Incidents[0].ID}}}
	in.Assumed = []store.Batch{{ID: texts[1], At: At("12:00"), Copies: 3}}
	in.Reader = "=?utf-8?q?a?=\"'; rm -rf /\u202e\x1b@example.org"
	return in
}

// Many is n incidents of one mail each: a source that invents kinds of trouble.
func Many(n int) compose.Input {
	b := New(Host, Reader, cutAt)
	for i := range n {
		b.Add(Mail{At: At("15:00").Add(time.Duration(i) * 59 * time.Minute / time.Duration(n)), Title: fmt.Sprintf("unhandled exception %x in worker", i*2654435761),
			Object: fmt.Sprintf("app-%02d", i%40), State: []store.State{store.Problem, store.Problem, store.Recovery, store.Notice}[i%4],
			Subject: "unhandled exception", Excerpt: "Traceback (most recent call last):\n  File \"worker.py\", line 12\nValueError"})
	}
	return b.Input()
}

// Scripts has alerts in wide and in right-to-left characters.
func Scripts() compose.Input {
	b := New(Host, Reader, cutAt)
	for i, m := range []Mail{
		{Title: "バックアップに失敗しました: データベース接続がタイムアウトしました(ホスト <host>)", Object: "東京-データベース-01", State: store.Problem, Severity: store.Critical,
			Excerpt: "エラー: 接続できませんでした。ネットワークを確認してください。エラー: 接続できませんでした。ネットワークを確認してください。"},
		{Title: "磁盘空间不足:/data 使用率 <n>%", Object: "上海-存储-02", State: store.Problem, Severity: store.Warning, Excerpt: "剩余空间 1.2 GB"},
		{Title: "النسخ الاحتياطي فشل على الخادم <host> (رمز 42)", Object: "خادم-01", State: store.Problem, Severity: store.Critical,
			Excerpt: "خطأ: انتهت المهلة 10 ثوان"},
		{Title: "גיבוי נכשל: אין מקום בכונן /dev/sda1", Object: "שרת-07.example.org", State: store.Problem, Excerpt: "שגיאה 28: אין מקום"},
		{Title: "디스크 오류 [🔴 Down] ❤️ 서버", Object: "서울-01", State: store.Problem, Excerpt: "연결 실패"},
		{Title: "Überwachung: Größe der Warteschlange überschritten – naïve Prüfung", Object: "mail-ß", State: store.Problem, Excerpt: "Grüße"},
	} {
		m.At = At("15:10").Add(time.Duration(i) * time.Minute)
		m.Subject = m.Title
		b.Add(m)
		m.At, m.State = m.At.Add(30*time.Minute), store.Recovery
		if i > 2 {
			b.Add(m)
		}
	}
	return b.Input()
}

// Earlier follows digests of which one got no reply and one came back.
func Earlier() compose.Input {
	in := Quiet()
	in.Assumed = []store.Batch{{ID: "01DPJ0000000000000ASSUMED1", Kind: store.KindDigest, At: At("15:00").AddDate(0, 0, -1), Copies: 40, Assumed: true}}
	in.Returned = []store.Batch{{ID: "01DPJ000000000000RETURNED1", Kind: store.KindDigest, At: At("14:00"), Copies: 3, Returned: At("14:20")}}
	in.Quiet = []store.Incident{{ID: "01DPK000000000000000QUIET1", Title: "RAID degraded on <host>", Opened: At("09:12"), Last: At("12:12"), Copies: 4, Before: true,
		Objects: []store.Object{{Name: "labstore1004", State: store.Problem, Severity: store.Warning}}, ObjectCount: 1}}
	return in
}

// StormNotice is the input of a storm notice, a minute into the storm.
func StormNotice() compose.Input {
	now := At("15:46")
	in := storm(20_000, now)
	in.ID, in.Now, in.Next = "01DPJ9ZG00STORM00000000001", now, cutAt
	opened := in.Incidents[:0:0]
	for _, i := range in.Incidents {
		if !i.Opened.Before(in.Storm.Began) {
			opened = append(opened, i)
		}
	}
	in.Incidents = opened
	return in
}
