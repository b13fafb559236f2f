package signature

// class is what one byte is to the scanner.
type class uint8

const (
	separator class = iota
	digit
	hexLower
	otherLower
	hexUpper
	otherUpper
	dot
	dash
	colon
	slashes
	underscore
	at
	tilde
	other // the rest of ASCII
	wide  // part of a character beyond ASCII
	classCount
)

// classSet is a set of classes.
type classSet uint16

// joints are the classes that may stand loose at the end of a word.
const joints classSet = 1<<dot | 1<<colon | 1<<dash | 1<<slashes | 1<<at | 1<<tilde

const letters classSet = 1<<hexLower | 1<<otherLower | 1<<hexUpper | 1<<otherUpper

// classes has the class of each byte.
var classes = func() (table [256]class) {
	for c := range table {
		table[c] = classOf(byte(c))
	}
	for _, c := range "()[]{}<>\"'`,;|!?*+#^&$%=" {
		table[c] = separator
	}
	return table
}()

// bits has the class of each byte as a set.
var bits = func() (table [256]classSet) {
	for c, class := range classes {
		table[c] = 1 << class
	}
	return table
}()

func classOf(c byte) class {
	switch {
	case c <= ' ' || c == 0x7f:
		return separator
	case c >= 0x80:
		return wide
	case isDigit(c):
		return digit
	case isUpper(c) && isHex(c):
		return hexUpper
	case isUpper(c):
		return otherUpper
	case isHex(c):
		return hexLower
	case isLetter(c):
		return otherLower
	}
	switch c {
	case '.':
		return dot
	case '-':
		return dash
	case ':':
		return colon
	case '/', '\\':
		return slashes
	case '_':
		return underscore
	case '@':
		return at
	case '~':
		return tilde
	}
	return other
}

// shape counts what a word is made of.
type shape struct {
	digits, letters, upper, lower, hex    uint16 // hex: letters a to f
	dots, dashes, colons, slashes, unders uint16
	ats, tildes, others, wide             uint16
	changes                               uint16 // from letter to digit or back
}

func classesIn(word string) (seen classSet) {
	for i := 0; i < len(word); i++ {
		seen |= bits[word[i]]
	}
	return seen
}

func measure(word string) shape {
	var n [classCount]uint16
	changes := uint16(0)
	last := separator
	for i := 0; i < len(word); i++ {
		c := classes[word[i]]
		n[c]++
		if c == digit && isLetterClass(last) || last == digit && isLetterClass(c) {
			changes++
		}
		last = c
	}
	return shape{
		digits: n[digit], letters: n[hexLower] + n[otherLower] + n[hexUpper] + n[otherUpper],
		upper: n[hexUpper] + n[otherUpper], lower: n[hexLower] + n[otherLower], hex: n[hexLower] + n[hexUpper],
		dots: n[dot], dashes: n[dash], colons: n[colon], slashes: n[slashes], unders: n[underscore],
		ats: n[at], tildes: n[tilde], others: n[other], wide: n[wide], changes: changes,
	}
}

func isLetterClass(c class) bool { return hexLower <= c && c <= otherUpper }
