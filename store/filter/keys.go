package filter

import (
	"time"

	"lull/store"
)

// Key is one key of the language, for flags, help and documentation.
type Key struct {
	Name  string // without the dashes
	Value string // what stands for the value: ADDRESS, RE, AGE …
	Help  string // one line
}

// Keys are all keys, in the order in which filters print them.
func Keys() []Key {
	var all []Key
	for _, k := range language() {
		all = append(all, k.Key)
	}
	return all
}

// key is one key and what its values mean.
type key struct {
	Key
	// parse reads one value. The error says what is wrong and what would do.
	parse func(string) (value, error)
	// costly tests run last.
	costly bool
	// fix gives the canonical value on one day, for values that depend on it.
	fix func(text string, now time.Time) value
	// captured is the text whose groups an expression captures.
	captured func(e store.Entry) string
}

// language is the table of all keys.
func language() []key {
	return []key{
		{Key: Key{"from", "ADDRESS", "envelope sender: an address, @domain, * for any text, <> for none"},
			parse: address(func(c *copyAt) string { return c.Message.Envelope.From })},
		{Key: Key{"to", "ADDRESS", "envelope recipient: an address, @domain, * for any text"},
			parse: address(func(c *copyAt) string { return c.Copy.To })},
		{Key: Key{"reader", "ADDRESS", "whom the digest is for: an address, @domain, * for any text"},
			parse: address(func(c *copyAt) string { return c.Copy.Reader })},
		{Key: Key{"subject", "RE", "expression in the decoded subject"},
			parse: subject, captured: decodedSubject},
		{Key: Key{"text", "RE", "expression in the first lines of the decoded text, or in the mail as received"},
			parse: text, costly: true, captured: excerpt},
		{Key: Key{"signature", "ID", "kind of trouble: the signature's id, * for any text"},
			parse: name(signatures)},
		{Key: Key{"incident", "ID", "the incident's id, * for any text"},
			parse: name(func(c *copyAt) []string { return []string{c.Copy.Incident} })},
		{Key: Key{"object", "NAME", "any object that the mail reports about, * for any text"},
			parse: name(objects)},
		{Key: Key{"is", "STATE", "problem, recovery or notice: the worst that the mail reports"},
			parse: word(stateOf, string(store.Problem), string(store.Recovery), string(store.Notice))},
		{Key: Key{"class", "CLASS", "alert or pass"},
			parse: word(func(c *copyAt) string { return string(c.Copy.Class) }, string(store.Alert), string(store.Pass))},
		{Key: Key{"fate", "FATE", "waiting, held, in_flight, passed, told, purged, bounced or expired"},
			parse: word(func(c *copyAt) string { return string(c.Fate) }, fates()...)},
		{Key: Key{"older", "AGE", "sent at least so long ago: 90s, 10m, 1h, 2d, 1d12h"}, parse: older},
		{Key: Key{"younger", "AGE", "sent less than so long ago"}, parse: younger},
		{Key: Key{"since", "TIME", "sent then or later: RFC 3339, \"2019-10-07 19:06\" (UTC), or today's \"19:06\" (UTC)"},
			parse: since, fix: fixed(since)},
		{Key: Key{"until", "TIME", "sent before then"},
			parse: until, fix: fixed(until)},
		{Key: Key{"client", "CIDR", "address or network that handed the mail in, unix for the local socket"},
			parse: client},
		{Key: Key{"id", "ID", "a copy, or all copies of a message"}, parse: id},
	}
}

func signatures(c *copyAt) []string { return []string{c.Message.Reading.Signature.ID} }

func objects(c *copyAt) []string {
	names := make([]string, 0, 1)
	for _, r := range c.Message.Reading.Reports {
		names = append(names, r.Object)
	}
	return names
}

// stateOf is the state of the worst report, which comes first.
func stateOf(c *copyAt) string {
	if len(c.Message.Reading.Reports) == 0 {
		return string(store.Notice)
	}
	return string(c.Message.Reading.Reports[0].State)
}

func fates() []string {
	var all []string
	for _, f := range store.Fates() {
		all = append(all, string(f))
	}
	return all
}
