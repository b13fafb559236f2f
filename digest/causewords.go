package digest

import (
	"net/netip"
	"strings"
)

// service is the service on which much depends that texts speak of, "" if they
// speak of none; of several the first of the list.
func service(texts ...string) string {
	text := strings.ToLower(strings.Join(texts, " "))
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

// objects numbers the names of objects as they are written.
type objects struct {
	numbers map[string]int
	written []string
}

func (o *objects) number(name string) int {
	if o.numbers == nil {
		o.numbers = make(map[string]int)
	}
	n, known := o.numbers[name]
	if !known {
		n = len(o.written)
		o.numbers[name] = n
		o.written = append(o.written, name)
	}
	return n
}

// compared are the names by which objects are compared, and which of them each
// written name is: the short name of a host, or the full one where hosts of
// several domains share the short one.
func (o *objects) compared() (same []int, names []string) {
	full := make(map[string]string) // by short name; "" if there are several
	for _, written := range o.written {
		if name := machine(written); short(name) != name {
			if other, known := full[short(name)]; known && other != name {
				full[short(name)] = ""
				continue
			}
			full[short(name)] = name
		}
	}
	var distinct objects
	for _, written := range o.written {
		name := machine(written)
		if full[short(name)] != "" {
			name = short(name)
		}
		same = append(same, distinct.number(name))
	}
	return same, distinct.written
}

// short is the name of a host without its domain; addresses have none.
func short(name string) string {
	first, _, long := strings.Cut(name, ".")
	if !long || address(name) {
		return name
	}
	return first
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
