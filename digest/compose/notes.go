package compose

import "lull/store"

// maxTold bounds how many earlier digests are told one by one.
const maxTold = 3

// notes are what the reader must know before anything else, or nothing.
func (a *account) notes() []string {
	var notes []string
	if a.Storm != nil {
		notes = append(notes, a.storm())
	}
	notes = append(notes, a.earlier(a.Assumed, "got no answer from the mail server and counts as told: you may not have it.")...)
	notes = append(notes, a.earlier(a.Returned, "came back undelivered; its mails are told again.")...)
	if a.missing != 0 {
		notes = append(notes, "This digest stands for "+mails(a.Batch.Copies)+", but "+mails(len(a.Entries))+
			" could be read. Ask the operator to run lull verify.")
	}
	return notes
}

func (a *account) storm() string {
	s := "A storm"
	if a.Storm.Ended.IsZero() {
		s += " since " + a.clock.at(a.Storm.Began)
	} else {
		s += " " + a.clock.between(a.Storm.Began, a.Storm.Ended)
	}
	s += ": " + count(a.Storm.Opened, "incident has", "incidents have") + " opened."
	if a.Storm.Ended.IsZero() {
		s += " Until it is over they are told in digests only."
	}
	return s
}

func (a *account) earlier(batches []store.Batch, what string) []string {
	var notes []string
	for i := range batches[:min(maxTold, len(batches))] {
		b := &batches[i]
		notes = append(notes, "The digest of "+a.clock.at(b.At)+" ("+mails(b.Copies)+", "+clean(b.ID, 40)+") "+what)
	}
	if more := len(batches) - maxTold; more > 0 {
		notes = append(notes, "And "+count(more, "more digest", "more digests")+" likewise.")
	}
	return notes
}

// foot is what a reader may want to know in the end.
func (a *account) foot() []string {
	next := ""
	if !a.Next.IsZero() {
		next = "The next digest is due at " + a.clock.at(a.Next) + ", if there is anything to tell."
	}
	return []string{
		list(" ", some(a.attached, count(a.attached, "original is", "originals are")+" attached."), "lull show ID shows any mail whole."),
		list(" ", "Times are "+a.clock.described()+".", next),
		"Digest " + clean(a.ID, 40) + " for " + shown(a.Reader, 100) + ", by lull on " + clean(a.Host, 100) + ".",
	}
}
