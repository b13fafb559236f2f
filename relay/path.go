package relay

import (
	"slices"
	"strings"
)

// reversePath is a sender's address as it is kept, or why it is refused: err
// is what reading the address gave.
func (s *Server) reversePath(a address, err error) (string, error) {
	if err != nil {
		return "", addressFault("sender", enhanced{5, 1, 7}, err)
	}
	if !among(a.domain, s.cfg.SenderDomains) {
		return "", say(550, enhanced{5, 7, 1}, "This relay takes no mail from that domain; its setting 'sender_domains' names those it takes")
	}
	return a.String(), nil
}

// forwardPath is a recipient's address as it is kept, or why it is refused:
// err is what reading the address gave.
func (s *Server) forwardPath(a address, err error) (string, error) {
	if err == nil && strings.ContainsAny(a.local, "%!@") {
		err = errRoute // the mail server may follow it, as it trusts us
	}
	if err != nil {
		return "", addressFault("recipient", enhanced{5, 1, 3}, err)
	}
	if !among(a.domain, s.cfg.RecipientDomains) {
		return "", say(550, enhanced{5, 7, 1}, "This relay takes no mail to that domain; its setting 'recipient_domains' names those it takes")
	}
	return a.String(), nil
}

// among reports whether a domain is in a list; an empty one names all.
func among(domain string, domains []string) bool {
	return len(domains) == 0 ||
		slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}
