package main

import (
	"testing"

	"lull/digest/signature"
	"lull/digest/signature/corpus"
)

// TestCorpus reads the generated corpus: every format's examples on other
// hosts and in all the forms that mailers give to a text.
func TestCorpus(t *testing.T) {
	const each, least = 50, .998
	mails, err := corpus.Generate(1, each)
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]int{}
	var families, incidents []pair
	var kinds, objects tally
	told := 0
	for _, m := range mails {
		formats[m.Format]++
		r := signature.Read(m.Raw)
		worst := r.Reports[0]
		families = append(families, pair{r.Signature.ID, m.Family})
		incidents = append(incidents, pair{r.Signature.ID + " " + worst.Object, m.Incident})
		right := isKind(worst, m.Kind) && worst.Object == m.Object
		kinds.add(isKind(worst, m.Kind))
		objects.add(worst.Object == m.Object)
		if !right && told < 5 {
			told++
			t.Logf("%s %v: %q, %s on %q, not %s on %q\n%s", m.Format, m.Varied, r.Signature.Core, worst.State, worst.Object, m.Kind, m.Object, m.Raw[:min(len(m.Raw), 1500)])
		}
	}
	if len(formats) < 45 {
		t.Errorf("%d formats, 45 are promised", len(formats))
	}
	for name, n := range formats {
		if n < each {
			t.Errorf("%s has %d mails, %d are promised", name, n, each)
		}
	}
	for name, s := range map[string]score{"family": scoreOf(families), "incident": scoreOf(incidents)} {
		t.Logf("%s: %d mails, precision %.4f, recall %.4f", name, s.messages, s.precision, s.recall)
		if s.precision < least || s.recall < least {
			t.Errorf("%s: precision %.4f, recall %.4f, at least %.3f is promised", name, s.precision, s.recall, least)
		}
	}
	t.Logf("state %.4f, object %.4f of %d mails", kinds.share(), objects.share(), kinds.all)
	if kinds.share() < least || objects.share() < least {
		t.Errorf("state %.4f, object %.4f, at least %.3f is promised", kinds.share(), objects.share(), least)
	}
}
