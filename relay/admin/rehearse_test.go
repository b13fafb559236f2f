package admin

import (
	"fmt"
	"testing"

	"lull/store"
)

func TestRegrouped(t *testing.T) {
	flows := map[flow]int{
		{"ann", "disk", "disk a"}: 3, {"ann", "disk", "disk b"}: 2, // split
		{"ann", "ssh", "down"}: 4, {"ann", "ping", "down"}: 1, // merged
		{"ann", "load", "cpu"}: 7, {"bob", "disk", "disk a"}: 1, // another name alone
		{"ann", "nfs", "nfs"}: 1, {"ann", "mount", "nfs"}: 2, // merged into one that is
	}
	latest := map[[2]string]store.Incident{{"ann", "nfs"}: {ID: "i7", Title: "NFS is gone"}}
	told := func(side func(flow) (string, string)) string {
		text := ""
		for _, g := range regrouped(flows, side, latest) {
			text += fmt.Sprintf("%s %s%s %d of %d:", g.Reader, g.Key, g.Incident, g.Copies, g.Of)
			for _, p := range g.Parts {
				text += fmt.Sprintf(" %s %d", p.Key, p.Copies)
			}
			text += "; "
		}
		return text
	}
	splits := told(func(f flow) (string, string) { return f.from, f.to })
	if want := "ann disk 5 of 2: disk a 3 disk b 2; "; splits != want {
		t.Errorf("splits %q, want %q", splits, want)
	}
	merges := told(func(f flow) (string, string) { return f.to, f.from })
	if want := "ann down 5 of 2: ssh 4 ping 1; ann nfsi7 3 of 2: mount 2 nfs 1; "; merges != want {
		t.Errorf("merges %q, want %q", merges, want)
	}
	every := map[flow]int{}
	for n := range 50 {
		every[flow{"ann", "disk", fmt.Sprint(n)}] = 1
	}
	all := regrouped(every, func(f flow) (string, string) { return f.from, f.to }, nil)
	if len(all) != 1 || all[0].Of != 50 || len(all[0].Parts) != shownParts || all[0].Copies != 50 {
		t.Errorf("of 50 parts: %+v", all)
	}
}
