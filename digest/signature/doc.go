// Package signature reads from the bytes of a mail what kind of trouble it
// reports, about which objects, and how they are.
//
// [Read] is a pure function of the bytes and [Version]: the same on every
// node and after every restart, with no state, no clock and no rules of an
// operator. It accepts whatever arrives and costs a bounded amount. The way
// of a mail through the package:
//
//	header.go    fields, tolerant of all that mailers get wrong
//	words.go     RFC 2047 words, charset.go charsets
//	body.go      MIME tree to the decoded text, html.go HTML to text
//	format.go    a known format, described by a file in formats/
//	generic.go   otherwise: the template of the subject, mask.go masks it
//	vocabulary.go  state words, object.go hosts, source.go the sender
//	read.go      all of it put together
//
// Adding a format is adding a file to formats/; docs/formats.md says how.
package signature
