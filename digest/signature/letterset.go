package signature

// letterSet is the set of ASCII characters of a text, whatever their case. A
// text that contains a literal has all of its characters: a quick look before
// a search.
type letterSet [2]uint64

func lettersOf(text string) (set letterSet) {
	for i := 0; i < len(text); i++ {
		if c := lower(text[i]); c < 128 {
			set[c>>6] |= 1 << (c & 63)
		}
	}
	return set
}

func (s letterSet) with(other letterSet) letterSet {
	return letterSet{s[0] | other[0], s[1] | other[1]}
}

func (s *letterSet) hasAll(other *letterSet) bool {
	return other[0]&^s[0] == 0 && other[1]&^s[1] == 0
}
