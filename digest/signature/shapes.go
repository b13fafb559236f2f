package signature

import "strings"

// Predicates of single words. Each reads its word at most a few times.

// isEdge reports whether a joint at the end of a word is none of it.
func isEdge(c byte) bool {
	return c == '.' || c == ':' || c == '-' || c == '/' || c == '\\' || c == '@' || c == '~'
}

func slash(word string) int { return strings.IndexAny(word, `/\`) }

func isURL(word string) bool {
	scheme := strings.Index(word, "://")
	return scheme > 1 && scheme < 16
}

// isPath reports whether a word with slashes names a file: absolute, relative
// to here or home, with a drive, or with two slashes and more. "a/b" is not.
func isPath(word string, m *shape) bool {
	switch word[0] {
	case '/', '\\':
		return len(word) > 1 && m.letters+m.digits+m.wide > 0
	case '.', '~':
		return m.slashes > 0 && (word[1] == '/' || strings.HasPrefix(word, "../"))
	}
	return m.slashes >= 2 || len(word) > 2 && word[1] == ':' && word[2] == '\\'
}

// sourceFile returns where the base name stands in the path text[start:end],
// if it is that of a source file.
func sourceFile(text string, start, end int) (from, to int, found bool) {
	word := text[start:end]
	base := word[strings.LastIndexAny(word, `/\\`)+1:]
	name := before(base, ":")
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || !isSource(name[dot+1:]) {
		return 0, 0, false
	}
	from = end - len(base)
	return from, from + len(name), true
}

// isMount reports whether a path is one where a disk is mounted.
func isMount(word string) bool {
	switch word {
	case "/var", "/home", "/boot", "/usr", "/tmp", "/opt", "/srv", "/data", "/mnt", "/export", "/backup", "/var/log", "/var/lib", "/boot/efi":
		return true
	}
	return false
}

func isSource(extension string) bool {
	switch extension {
	case "c", "h", "cc", "cpp", "cxx", "hpp", "go", "rs", "py", "rb", "pl", "pm", "php", "js", "ts", "java", "scala", "kt", "cs", "sh", "lua", "erl", "ex", "S":
		return true
	}
	return false
}

func isMailbox(word string) bool {
	at := strings.IndexByte(word, '@')
	return at > 0 && at < len(word)-1
}

// isMoment reports whether a word begins as an ISO date, or is a clock with a
// zone or half of the day.
func isMoment(word string) bool {
	if len(word) >= 8 && digitsAt(word, 0, 4) && isDateJoint(word[4]) && digitsAt(word, 5, 2) && (len(word) < 10 || word[7] == word[4] && digitsAt(word, 8, 2)) {
		return true
	}
	if len(word) >= 9 && digitsAt(word, 0, 8) && word[8] == 'T' {
		return true
	}
	return len(word) >= 5 && digitsAt(word, 0, 2) && word[2] == ':' && digitsAt(word, 3, 2)
}

func isDateJoint(c byte) bool { return c == '-' || c == '/' || c == '.' || c == '_' }

func digitsAt(word string, at, n int) bool {
	if at+n > len(word) {
		return false
	}
	for _, c := range []byte(word[at : at+n]) {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// isVersion takes v1.2, 6.4.0-1024-aws and 2.3~rc1, but no longer names that
// begin with a version.
func isVersion(word string) bool {
	start := 0
	if lower(word[0]) == 'v' {
		start = 1
	}
	at, dots := start, 0
	for at < len(word) && (isDigit(word[at]) || word[at] == '.') {
		if word[at] == '.' {
			dots++
		}
		at++
	}
	suffix := word[at:]
	switch {
	case at == start || !isDigit(word[start]) || len(suffix) > 24 || strings.IndexByte(suffix, '_') >= 0:
		return false
	case dots >= 2, start == 1 && suffix == "":
		return true
	}
	return dots == 1 && (start == 1 || suffix != "" && suffix[0] == '-')
}

// isQuantity takes a number and its unit, and runs of them: 12ms, 3h2m, 1.5GB.
func isQuantity(word string) bool {
	for word != "" {
		n := 0
		for n < len(word) && (isDigit(word[n]) || n > 0 && (word[n] == '.' || word[n] == ',')) {
			n++
		}
		if n == 0 {
			return false
		}
		word = word[n:]
		n = 0
		for n < len(word) && isLetter(word[n]) {
			n++
		}
		if n == 0 || !isUnit(word[:n]) {
			return false
		}
		word = strings.TrimLeft(word[n:], ":-")
	}
	return true
}

// isUnit reports whether a word after a number belongs to it.
func isUnit(word string) bool {
	if len(word) > 12 {
		return false
	}
	var folded [12]byte
	for i := 0; i < len(word); i++ {
		folded[i] = lower(word[i])
	}
	switch string(folded[:len(word)]) {
	case "b", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "k", "m", "g", "t", "kbit", "mbit", "gbit",
		"bytes", "byte", "bit", "bits", "kbytes", "mbytes", "gbytes", "bps", "kbps", "mbps", "gbps", "pps", "iops", "rpm",
		"ns", "us", "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "msec", "msecs", "usec",
		"h", "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "y", "month", "months", "year", "years",
		"hz", "khz", "mhz", "ghz", "v", "mv", "w/h", "c", "f", "dbm", "percent", "pct", "am", "pm", "utc", "gmt", "cest", "cet",
		"est", "edt", "pst", "pdt", "mst", "mdt", "cst", "cdt", "bst", "z", "x", "st", "nd", "rd", "th":
		return true
	}
	return false
}

// isCounted reports whether a word after a number says what is counted in a
// list of results ("3 failed, 25 passed, 1 error"), in which items come and go.
func isCounted(word string) bool {
	if _, known := lookUp(word); known {
		return true
	}
	switch word {
	case "warnings", "alerts", "regression", "skipped", "ignored", "untried", "pending", "cancelled", "canceled", "conflict", "conflicts":
		return true
	}
	return false
}

// isCalendar reports whether a word names a day of the week or a month.
func isCalendar(word string) bool {
	if len(word) < 3 || len(word) > 9 || !isUpper(word[0]) {
		return false
	}
	switch word {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Tues", "Thur", "Thurs",
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec",
		"January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December":
		return true
	}
	return false
}

func isUUID(word string, m *shape) bool {
	return len(word) == 36 && m.dashes == 4 && m.digits+m.hex == 32 && word[8] == '-' && word[13] == '-' && word[18] == '-' && word[23] == '-'
}

// isHexWord takes what can only be a hash or an address: six and more hex
// characters of one case with a digit among them.
func isHexWord(word string, m *shape) bool {
	return len(word) >= 6 && int(m.digits+m.hex) == len(word) && (m.upper == 0 || m.lower == 0)
}

// isRandom takes long words that letters and digits take turns in, but no
// names with a random end: "cleanup-27812345-x7k2q".
func isRandom(word string, m *shape) bool {
	return !isNamed(word) && len(word) >= 10 && m.digits >= 4 && m.changes >= 3 && m.dots+m.dashes+m.unders+m.colons <= 2
}

// isNamed reports whether a word begins with four letters and a dash.
func isNamed(word string) bool {
	n := 0
	for n < len(word) && isLetter(word[n]) {
		n++
	}
	return n >= 4 && n < len(word) && word[n] == '-'
}

// query returns where an address or a path ends that text[:end] is the first
// word of: with its query, up to a blank or a quote.
func query(text string, end int) int {
	for end < len(text) && text[end] > ' ' && strings.IndexByte("\"'`<>()[]{},;|", text[end]) < 0 {
		end++
	}
	return end
}

// keyColon returns where the colon of "key:value" stands, if the value is one
// that varies and the key is a word; 0 for hosts, times and addresses.
func keyColon(word string, m *shape) int {
	if m.colons != 1 || m.digits == 0 || m.digits+m.hex == m.digits+m.letters && isDigit(word[0]) {
		return 0
	}
	colon := strings.IndexByte(word, ':')
	key, value := word[:colon], word[colon+1:]
	if key == "" || isDigit(key[0]) || strings.ContainsAny(key, ".0123456789") {
		return 0
	}
	if v := measure(value); isDigit(value[0]) || value[0] == '-' || isUUID(value, &v) || isHexWord(value, &v) {
		return colon
	}
	return 0
}

// isHost takes dotted names with two dots, or one dot and a digit or a common
// top-level domain, and names with a port.
func isHost(word string, m *shape) bool {
	if m.others+m.unders+m.ats+m.tildes+m.slashes+m.wide > 0 {
		return false
	}
	name, port, found := strings.Cut(word, ":")
	if found {
		return len(name) > 0 && len(port) >= 2 && len(port) <= 5 && digitsAt(port, 0, len(port)) && name[0] != '-'
	}
	dot := strings.LastIndexByte(word, '.')
	if dot <= 0 {
		return false
	}
	last := word[dot+1:]
	if m.dots == 1 && m.digits == 0 {
		return isCommonDomain(last)
	}
	return len(last) >= 2 && isLetter(last[0]) && (m.dots >= 2 || !isSource(last))
}

// hostColon returns where the colon of "web1.example.org:disk" stands, 0
// where no word follows a host.
func hostColon(word string, m *shape) int {
	if m.colons != 1 || m.dots == 0 {
		return 0
	}
	colon := strings.IndexByte(word, ':')
	if colon == len(word)-1 || !isLetter(word[colon+1]) {
		return 0
	}
	if name := measure(word[:colon]); name.dots == 0 || !isHost(word[:colon], &name) {
		return 0
	}
	return colon
}

func isCommonDomain(label string) bool {
	switch label {
	case "com", "org", "net", "edu", "gov", "io", "local", "lan", "internal", "localdomain", "cloud", "dev", "info", "eu", "de", "uk", "fr", "nl":
		return true
	}
	return false
}

// isLittle reports whether a word that follows "user" is not its name.
func isLittle(word string) bool {
	switch word {
	case "from", "on", "at", "in", "for", "is", "was", "has", "not", "by", "to", "with", "and", "or", "unknown", "does", "did", "name", "id", "invalid", "illegal", "user", "locked", "logged", "login", "account", "added", "deleted", "created", "out":
		return true
	}
	return false
}

// isException reports whether a dotted name is that of an error's class.
func isException(word string) bool {
	for _, suffix := range [...]string{"Exception", "Error", "Failure", "Warning", "Fault", "Interrupt", "Exit", "DoesNotExist"} {
		if strings.HasSuffix(word, suffix) {
			return true
		}
	}
	return false
}

// exceptionClass returns where the last label of a dotted class name begins:
// java.lang.NullPointerException is told by it alone.
func exceptionClass(text string, start, end int) int {
	last := start + strings.LastIndexByte(text[start:end], '.') + 1
	if isException(text[last:end]) {
		return last
	}
	return start
}

// isUserWord reports whether the word after this one is the name of a user.
func isUserWord(word string) bool {
	switch len(word) {
	case 4:
		return hasPrefixFold(word, "user")
	case 5:
		return hasPrefixFold(word, "ruser")
	case 7:
		return hasPrefixFold(word, "logname")
	case 8:
		return hasPrefixFold(word, "username")
	}
	return false
}

// keptVerbatim lists names whose digits belong to them.
func keptVerbatim(word string) bool {
	if len(word) > 8 {
		return false
	}
	var folded [8]byte
	for i := 0; i < len(word); i++ {
		folded[i] = lower(word[i])
	}
	switch string(folded[:len(word)]) {
	case "ext2", "ext3", "ext4", "ipv4", "ipv6", "ip4", "ip6", "inet6", "md5", "sha1", "sha256", "sha512", "s3", "ec2", "k8s", "x86", "x86_64",
		"i386", "i686", "amd64", "arm64", "armhf", "aarch64", "http2", "http1", "h2", "l2cap", "l2tp", "l2", "l3", "nfs3", "nfs4", "nfsv3", "nfsv4",
		"raid0", "raid1", "raid5", "raid6", "raid10", "utf8", "utf16", "base64", "python2", "python3", "icinga2", "exim4", "apache2", "php5", "php7", "php8",
		"mp3", "mp4", "oauth2", "p2p", "i18n", "h264", "tls1", "log4j", "bz2", "perl5", "net6", "netfs", "9p", "802", "3ware", "64bit", "32bit":
		return true
	}
	return false
}
