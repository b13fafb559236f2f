package compose

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// StormNotice composes the one mail that stands for the first notices of a
// storm: that there is one, what it is about, and when the digest comes. Of in
// it uses the identity, Now, Next, Zone, Storm, and Incidents: those that
// opened since the storm began, all of them or the first. It accounts for no
// copy.
func StormNotice(in Input) ([]byte, error) {
	if in.Storm == nil {
		return nil, errors.New("a storm notice needs a storm")
	}
	in.Entries, in.Level, in.Body = nil, NoOriginals, nil
	in = in.defaults()
	if err := in.check(); err != nil {
		return nil, err
	}
	a := &account{Input: in, clock: clock{in.Now, in.Zone}}
	s := a.stormStory()
	return a.mail(&s, nil)
}

// stormListed bounds what a storm notice names: it is read on a phone.
const stormListed = 10

func (a *account) stormStory() story {
	p := part{kind: quiet}
	for i := range a.Incidents {
		p.members = append(p.members, newTally(a.Incidents[i]))
	}
	slices.SortStableFunc(p.members, urgency(p.kind))
	var out Omitted
	worst := a.section(&p, limits{listed: stormListed, names: 4}, &out)
	worst.Title, worst.Kind = "Opened so far", "new"
	since := a.clock.at(a.Storm.Began)
	s := story{
		Subject:  "lull " + a.readerName() + ": storm, " + incidents(a.Storm.Opened) + " since " + since,
		Summary:  "A storm: " + count(a.Storm.Opened, "incident has", "incidents have") + " opened since " + since + " " + a.clock.name() + ".",
		Notes:    []string{"No more single notices until it is over, unless one is critical. All mail is kept and counted" + a.due() + "."},
		Sections: []section{worst},
		Foot: []string{"Times are " + a.clock.described() + ".",
			"Storm notice " + clean(a.ID, 40) + " for " + shown(a.Reader, 100) + ", by lull on " + clean(a.Host, 100) + "."},
	}
	if most := a.busiest(); most != "" {
		s.Sections[0].Notes = []string{most}
	}
	return s
}

func (a *account) due() string {
	if a.Next.IsZero() {
		return ", and told in the next digest"
	}
	return ", and told in the digest at " + a.clock.at(a.Next)
}

// busiest names the objects that most incidents are about.
func (a *account) busiest() string {
	in := make(map[string]int)
	for i := range a.Incidents {
		for _, o := range a.Incidents[i].Objects {
			if o.Name != "" {
				in[o.Name]++
			}
		}
	}
	var names []string
	for name, n := range in {
		if n > 1 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(in[y], in[x]), natural(x, y)) })
	names = names[:min(5, len(names))]
	for i, name := range names {
		names[i] = shown(name, nameColumns) + " (" + digits(in[name]) + ")"
	}
	return "In most incidents: " + strings.Join(names, ", ")
}
