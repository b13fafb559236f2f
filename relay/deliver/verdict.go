package deliver

import (
	"strings"

	"lull/store"
)

// verdict says what a reply means for the mail. It is total: every stage, every
// code, code 0 (no reply) and codes that SMTP does not know have an answer, and
// what nobody foresaw is tried again.
//
//	            connect…auth   mail             rcpt                data           body, dot
//	no reply    retry          retry            retry               retry          retry
//	421         retry          slow             retry               retry          retry
//	451, 452    retry          slow¹            later               later          later
//	other 4xx   retry          later            later               later          later
//	5xx         retry          later²           recipient³          mail⁴          mail
//	rate text   slow           slow             slow (4xx)          slow (4xx)     slow (4xx)
//
// ¹ but later if it is about the sender.
// ² but mail if it is about the sender, the size or the content, and retry if
// about us.
// ³ but retry if it is about us or about too many recipients (RFC 5321 section
// 4.5.3.1.10), and later if the server does not relay for us.
// ⁴ but retry if it is about the dialogue or about us.
func verdict(stage string, code int, enhanced, text string) store.Verdict {
	switch {
	case stage == stageData && code == 354, stage != stageData && code >= 200 && code < 300:
		return ""
	case code < 400 || code > 599:
		return store.Retry // no reply, or one that does not belong here
	case code < 500:
		return temporary(stage, code, enhanced, strings.ToLower(text))
	}
	return permanent(stage, code, enhanced, strings.ToLower(text))
}

func temporary(stage string, code int, enhanced, text string) store.Verdict {
	switch {
	case aboutRate(text):
		return store.SlowDown
	case stage == stageMail && aboutSender(enhanced, text):
		return store.RetryLater
	case stage == stageMail && (code == 421 || code == 451 || code == 452):
		return store.SlowDown // Exim's ratelimit answers so
	case code == 421 || aboutServer(stage):
		return store.Retry
	case stage == stageRcpt && tooManyRecipients(enhanced, text):
		return store.Retry // the rest of them goes in another transaction
	}
	return store.RetryLater
}

func permanent(stage string, code int, enhanced, text string) store.Verdict {
	switch stage {
	case stageMail:
		return permanentMail(code, enhanced, text)
	case stageRcpt:
		return permanentRcpt(code, enhanced, text)
	case stageData:
		if aboutUs(code, text) || aboutDialogue(code, enhanced) {
			return store.Retry
		}
		return store.MailFailed
	case stageBody, stageDot:
		return store.MailFailed
	}
	if aboutRate(text) {
		return store.SlowDown
	}
	return store.Retry
}

// permanentRcpt judges a 5xx to RCPT: it is about the recipient, or about us,
// or about both, as where the server does not relay for us: then others may well
// be taken, and this one is put off until the operator has seen it.
func permanentRcpt(code int, enhanced, text string) store.Verdict {
	switch {
	case tooManyRecipients(enhanced, text), aboutUs(code, text), aboutDialogue(code, enhanced):
		return store.Retry
	case relayDenied(text):
		return store.RetryLater
	}
	return store.RecipientFailed
}

// permanentMail judges a 5xx to MAIL. There the server knows us and the sender
// only, and most that refuse do it for us: bouncing for it would bounce
// everything. So the mail fails only when the reply is clearly about it. When
// it is clearly about us, any mail will meet it; else this one is put off, and
// does not keep others waiting.
func permanentMail(code int, enhanced, text string) store.Verdict {
	switch {
	case aboutRate(text):
		return store.SlowDown
	case aboutUs(code, text):
		return store.Retry
	case code == 501 || code == 552 || code == 553:
		return store.MailFailed // syntax of the sender, size, sender not allowed
	case aboutDialogue(code, enhanced):
		return store.Retry
	case strings.HasPrefix(enhanced, "5.6."), enhanced == "5.3.4", enhanced == "5.2.3":
		return store.MailFailed // content, size
	case aboutSender(enhanced, text):
		return store.MailFailed
	}
	return store.RetryLater
}

// aboutSender reports whether a refusal of MAIL is about the address.
func aboutSender(enhanced, text string) bool {
	return len(enhanced) > 2 && enhanced[1:4] == ".1." ||
		containsAny(text, "sender", "from address", "return path", "reverse path", "callout")
}

func aboutServer(stage string) bool {
	switch stage {
	case stageConnect, stageGreeting, stageEHLO, stageStartTLS, stageAuth:
		return true
	}
	return false
}

// aboutRate knows how servers say "too fast" (4.7.x alone also means
// greylisting, which is no reason to slow down).
func aboutRate(text string) bool {
	return containsAny(text,
		"rate limit", "ratelimit", "rate-limit", "unusual rate", "sending rate", "message rate", "connection rate",
		"throttl", "too many connection", "too many concurrent", "too many session", "connection limit",
		"too many message", "too many mails", "too much mail", "too fast", "too quickly", "slow down")
}

// aboutUs reports whether a 5xx is about this client and not about the mail:
// authentication wanted or failed, our address or name refused.
func aboutUs(code int, text string) bool {
	switch code {
	case 530, 534, 535, 538:
		return true
	}
	return containsAny(text, "client host", "client address", "your ip", "helo command rejected", "blocked using", "authentication required")
}

// aboutDialogue reports whether a 5xx says that the two sides do not
// understand each other (RFC 5321 section 4.2.2).
func aboutDialogue(code int, enhanced string) bool {
	if strings.HasPrefix(enhanced, "5.1.") {
		return false // some say 501 5.1.3 for an address they do not like
	}
	return code == 500 || code == 502 || code == 503 || code == 521
}

// relayDenied is what a mail server says when it was not told that we may use
// it for that recipient.
func relayDenied(text string) bool {
	return containsAny(text, "relay access denied", "relay not permitted", "relaying denied", "relaying not allowed", "not permitted to relay", "unable to relay",
		"recipient address rejected: access denied", // Postfix's submission, to who has not proved who he is
		"allowed rcpthosts", "credentials for relay")
}

func tooManyRecipients(enhanced, text string) bool {
	return strings.HasSuffix(enhanced, ".5.3") || strings.Contains(text, "too many recipients")
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
