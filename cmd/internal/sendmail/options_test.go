package sendmail

import (
	"strings"
	"testing"
)

func TestArgumentOf(t *testing.T) {
	for letters, want := range map[string]Argument{
		"tiImnsvEGU": None, "ABbCDFfhLMNOoprRVX": Follows, "dqe": Attached, "-zZ1": Unknown,
	} {
		for _, l := range []byte(letters) {
			if got := ArgumentOf(l); got != want {
				t.Errorf("-%c has %v, want %v", l, got, want)
			}
		}
	}
}

// TestHelpIsComplete: every option and every letter without effect is told.
func TestHelpIsComplete(t *testing.T) {
	help := Help()
	for _, o := range Options() {
		if o.Help != "" && !strings.Contains(help, o.Form+" ") {
			t.Errorf("the help does not tell of %s", o.Form)
		}
		if o.Help == "" && !strings.Contains(help, o.Form[:2]) {
			t.Errorf("the help does not name %s", o.Form)
		}
	}
	for _, k := range Keys() {
		if k.Name == "" || k.Help == "" {
			t.Errorf("the key %+v has no name or help", k)
		}
	}
}
