package signature

import (
	"slices"
	"strings"
)

// isVacation reports whether a mailer answers for a person who is away, as the
// subjects of such answers say in the languages of their mailers.
func (m *mail) isVacation() bool {
	for _, front := range [...]string{"automatic reply", "auto-reply", "autoreply", "auto reply", "auto response", "auto:", "out of office", "out of the office",
		"vacation", "away from", "on leave", "abwesenheit", "automatische antwort", "automatisch antwoord", "réponse automatique", "absence du bureau", "respuesta automática",
		"risposta automatica", "resposta automática", "автоответ"} {
		if hasPrefixFold(m.subject, front) {
			return true
		}
	}
	return false
}

// isForOne reports whether a program writes to one person about nothing but
// that person's account, purchases or appointments: a code that is wanted at
// once, an invoice, a newsletter. They are no alerts, whoever sends them.
func (m *mail) isForOne() bool {
	for _, words := range [...]string{
		"verification code", "security code", "login code", "sign-in code", "access code", "one-time password", "one-time code", "confirmation code",
		"password reset", "reset password", "reset your", "reset the password", "forgot your password", "forgotten password", "set your password", "change your password", "your password has been",
		"your new password", "verify your", "confirm your", "activate your", "your new account", "welcome to", "invites you", "invited you", "has invited", "invitation to join", "you have been invited", "you've been invited",
		"your invoice", "your receipt", "your order", "your purchase", "your subscription", "your payment", "your booking", "your appointment", "your ticket has been received", "newsletter",
		"your account", "new sign-in", "new login", "new device", "unsubscribe"} {
		if strings.Contains(m.bareFolded, words) {
			return true
		}
	}
	return hasPrefixFold(m.bare, "invitation:") || hasPrefixFold(m.bare, "updated invitation:") || hasPrefixFold(m.bare, "canceled event:") || hasPrefixFold(m.bare, "accepted:") || hasPrefixFold(m.bare, "declined:")
}

// isSecondHand reports whether a mark says that a mail tells of no state itself.
func isSecondHand(mark string) bool {
	return mark == "bounce" || mark == "auto-replied" || mark == "personal"
}

// isAnswer reports whether a mail only speaks of another: a bounce or a vacation
// note that no format knows, mail for one person, the answer of a person.
func (m *mail) isAnswer(format string, marks []string, answers bool) bool {
	if slices.ContainsFunc(marks, isSecondHand) {
		return format == "generic"
	}
	return answers && replyPrefix(m.subject) > 0 && !slices.ContainsFunc(marks, func(mark string) bool {
		return mark == "auto-submitted" || strings.HasPrefix(mark, "robot:")
	})
}
