package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoorOf(t *testing.T) {
	for text, want := range map[string]Door{
		"127.0.0.1:2525":             {Network: "tcp", Address: "127.0.0.1:2525"},
		":25":                        {Network: "tcp", Address: ":25"},
		"tls:[::1]:465":              {Network: "tcp", Address: "[::1]:465", TLS: true},
		"unix:/run/lull/smtp":        {Network: "unix", Address: "/run/lull/smtp"},
		"lmtp:unix:/run/lull:x/lmtp": {Network: "unix", Address: "/run/lull:x/lmtp", LMTP: true},
		"proxy:tls:0.0.0.0:465":      {Network: "tcp", Address: "0.0.0.0:465", TLS: true, Proxied: true},
		"tls:proxy:0.0.0.0:465":      {Network: "tcp", Address: "0.0.0.0:465", TLS: true, Proxied: true},
		"tls:systemd:lull.socket":    {Network: "systemd", Address: "lull.socket", TLS: true},
	} {
		if got, err := DoorOf(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                 "HOST:PORT",
		"localhost":                        "HOST:PORT",
		"tls:":                             "HOST:PORT",
		"127.0.0.1:99999":                  "no port",
		"unix:":                            "a path",
		"unix:" + strings.Repeat("x", 108): "107 bytes",
		"systemd:":                         "lull.socket",
		"smtp:127.0.0.1:25":                "HOST:PORT",
	} {
		if d, err := DoorOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", text, d, err)
		}
	}
}

func TestDoorsThatCannotOpen(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("anna\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		`listen = ["proxy:127.0.0.1:1"]`:       {"listen[0]", "name them in proxies"},
		`proxies = ["10.0.0.1"]`:               {"proxies", "write proxy:"},
		`proxies = ["ten"]`:                    {"proxies[0]", "10.0.0.0/8"},
		`qualify_domain = "a b"`:               {"qualify_domain", "not a domain"},
		`users = "` + users + `"`:              {"users", "chmod 640", "over TLS alone"},
		`users = "` + users + `.missing"`:      {"users", "no such file"},
		"[[smarthost]]\naddr = \"run/lmtp\"\n": {"smarthost[0].addr", "HOST:PORT"},
	} {
		_, err := Load(write(t, text), Flags{})
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v, want … %s …", text, err, part)
			}
		}
	}
	good := "listen = [\"lmtp:unix:/run/lull/lmtp\", \"proxy:127.0.0.1:1\"]\nproxies = [\"10.0.0.1\"]\n[[smarthost]]\naddr = \"/run/dovecot/lmtp\"\nlmtp = true\n"
	if c, err := Load(write(t, good), Flags{}); err != nil || !c.Smarthost[0].LMTP {
		t.Errorf("%v", err)
	}
}
