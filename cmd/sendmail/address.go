package main

import (
	"fmt"
	"strings"
)

// mailbox is one address in a list.
type mailbox struct {
	// address is as it goes into the envelope, without brackets, comments
	// and white space; it may lack a domain.
	address string
	// end is where in the list the address ends: a domain would stand there.
	end int
}

// bare reports whether the address lacks a domain.
func (m mailbox) bare() bool { return bare(m.address) }

// bare reports whether an address lacks a domain; a quoted @ is none.
func bare(address string) bool {
	return !strings.Contains(address[strings.LastIndexByte(address, '"')+1:], "@")
}

// qualified is an address with a domain.
func qualified(address, domain string) string {
	if address == "" || !bare(address) {
		return address
	}
	return address + "@" + domain
}

// mailboxes reads a list as it stands in a header field (RFC 5322 section 3.4)
// or on a command line, with all that people and programs write: bare names,
// comments, groups, routes, lists with empty places.
func mailboxes(text string) ([]mailbox, error) {
	s := scanner{text: text}
	for s.at < len(text) {
		if err := s.step(); err != nil {
			return nil, fmt.Errorf("the address list %q %w", text, err)
		}
	}
	if err := s.finish(); err != nil {
		return nil, fmt.Errorf("the address list %q %w", text, err)
	}
	return s.found, nil
}
