package signature

// Comparing and classing of ASCII. Bytes above 0x7f are never letters here.

func isAlnum(c byte) bool { return isDigit(c) || isLetter(c) }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isLetter(c byte) bool {
	c |= 0x20
	return 'a' <= c && c <= 'z'
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func lower(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

// containsFold, indexFold, hasPrefixFold and foldEqual ignore the case of
// ASCII letters; part is given in lower case.
func containsFold(text, part string) bool { return indexFold(text, part) >= 0 }

func indexFold(text, part string) int {
	for i := 0; i+len(part) <= len(text); i++ {
		if lower(text[i]) == part[0] && foldEqual(text[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func hasPrefixFold(text, part string) bool {
	return len(text) >= len(part) && foldEqual(text[:len(part)], part)
}

// foldEqual compares text with a part of the same length.
func foldEqual(text, part string) bool {
	for i := 0; i < len(part); i++ {
		if lower(text[i]) != part[i] {
			return false
		}
	}
	return true
}
