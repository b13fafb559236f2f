package digest

import (
	"net/netip"
	"strings"

	"lull/store"
)

// service is the service on which much depends that a text speaks of, "" if it
// speaks of none; of several the first of the list.
func service(text string) string {
	text = strings.ToLower(text)
	for _, s := range services {
		for _, sign := range s.signs {
			if speaksOf(text, sign) {
				return s.name
			}
		}
	}
	return ""
}

// services are those whose failure shows in many other places, and the words
// by which it shows, the most telling first. Words that name only what failed
// to answer (a web server, a disk) would take together what merely coincides.
var services = []struct {
	name  string
	signs []string
}{
	{"NFS", []string{"nfs", "nfsd", "nfs4", "stale file handle"}},
	{"LDAP", []string{"ldap", "ldaps", "slapd", "nslcd", "sssd"}},
	{"DNS", []string{"dns", "unbound", "recursor", "unknownhostexception", "name or service not known",
		"temporary failure in name resolution", "could not resolve host", "unable to resolve host", "getaddrinfo"}},
	{"Kerberos", []string{"kerberos", "krb5", "kdc"}},
	{"Ceph", []string{"ceph", "rbd", "cephfs"}},
	{"etcd", []string{"etcd"}},
	{"DHCP", []string{"dhcp", "dhcpd"}},
	{"NTP", []string{"ntp", "chrony", "chronyd", "ntpd"}},
}

// speaksOf reports whether words occur in a text in lower case, not as parts
// of longer words.
func speaksOf(text, words string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], words)
		if at < 0 {
			return false
		}
		at += from
		end := at + len(words)
		if (at == 0 || !partOfWord(text[at-1])) && (end == len(text) || !partOfWord(text[end])) {
			return true
		}
		from = end
	}
}

func partOfWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

// hosts tells short names that stand for several full ones.
type hosts map[string]string // the full name by the short one; "" if there are several

func hostsOf(incidents []store.Incident) hosts {
	h := make(hosts)
	for i := range incidents {
		for _, o := range incidents[i].Objects {
			full := machine(o.Name)
			short, _, long := strings.Cut(full, ".")
			if !long || address(full) {
				continue
			}
			if other, known := h[short]; known && other != full {
				full = ""
			}
			h[short] = full
		}
	}
	return h
}

// of is the name of an object as it is compared: the short name of a host, the
// full one where hosts of several domains share the short one.
func (h hosts) of(object string) string {
	full := machine(object)
	short, _, long := strings.Cut(full, ".")
	if !long || address(full) || h[short] == "" {
		return full
	}
	return short
}

// machine is the host in an object's name: "queue@host", "host device".
func machine(object string) string {
	first, _, _ := strings.Cut(object, " ")
	first = first[strings.LastIndexByte(first, '@')+1:]
	if host, port, found := strings.Cut(first, ":"); found && port != "" && strings.Trim(port, "0123456789") == "" {
		first = host
	}
	return strings.ToLower(first)
}

func address(name string) bool {
	if name == "" || name[0] < '0' || name[0] > '9' {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}
