package refer

import "strings"

// crockford is the alphabet of numbers: without I, L, O and U, which are misread.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// checkSigns are those of Crockford's base 32: the value modulo 37.
const checkSigns = crockford + "*~$=U"

// Number writes 40 bits as eight signs and a check sign.
func Number(v uint64) string {
	v &= 1<<40 - 1
	var b [9]byte
	for i, n := 7, v; i >= 0; i, n = i-1, n>>5 {
		b[i] = crockford[n&31]
	}
	b[8] = checkSigns[v%37]
	return string(b[:])
}

// ReadNumber reads a number as people write it: with blanks, hyphens, small letters, O
// for 0, I and L for 1. false when it is none or its check sign does not fit; a number
// of eight signs, as an old slip has, is read without.
func ReadNumber(s string) (number string, ok bool) {
	s = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(s)))
	if len(s) != 8 && len(s) != 9 {
		return "", false
	}
	var v uint64
	for _, r := range s[:8] {
		i := strings.IndexRune(crockford, r)
		if i < 0 {
			return "", false
		}
		v = v<<5 | uint64(i)
	}
	if n := Number(v); len(s) == 8 || n == s {
		return n, true
	}
	return "", false
}
