package access

import (
	"bytes"
	"strings"

	"github.com/trustelem/zxcvbn"

	"dtm"
)

// enough is how many guesses a password must stand, by zxcvbn's estimate: it knows the
// passwords that have leaked most, names, words, keys in a row, dates and repetitions.
// A thousand million is what an attacker with the hashes gets through in a year and a
// half at twenty tries a second.
const enough = 1e9

// CheckPassword tells whether a new password is good for the account: Invalid when it
// has leaked before, or would be guessed soon. More are things that a guesser knows of
// this account: the name of the operation.
func CheckPassword(password, email string, more ...string) error {
	runes := []rune(password)
	local, host, _ := strings.Cut(strings.ToLower(email), "@")
	known := append([]string{local, host, "dtm"}, more...)
	known = append(known, strings.FieldsFunc(local, func(r rune) bool { return !(r >= 'a' && r <= 'z') })...)
	if zxcvbn.PasswordStrength(string(runes[:min(len(runes), 60)]), known).Guesses < enough {
		return dtm.Errorf(dtm.Invalid, "this password would be guessed soon: it is, or is made of, what many people use; a sentence of four or five words is good").Coded("password.weak")
	}
	return nil
}

// Breached finds passwords in a list of those that have leaked, as haveibeenpwned.com
// gives it out for download: SHA-1 in capitals, one a line, sorted, each with a colon
// and a number after it. The list is searched where it lies.
type Breached struct {
	Size int64
	Read func(b []byte, at int64) (int, error) // as io.ReaderAt
}

// Has tells whether a SHA-1 in hexadecimal capitals is in the list.
func (b Breached) Has(sum string) (bool, error) {
	lo, hi := int64(0), b.Size // the line begins in [lo, hi)
	for lo < hi {
		mid := lo + (hi-lo)/2
		start, line, err := b.line(mid)
		if err != nil {
			return false, err
		}
		if line == "" || start >= hi {
			hi = mid
			continue
		}
		switch strings.Compare(line, sum) {
		case 0:
			return true, nil
		case -1:
			lo = start + 1
		default:
			hi = mid
		}
	}
	return false, nil
}

// line is the first that begins at or after a place: where, and its sum.
func (b Breached) line(at int64) (int64, string, error) {
	buf := make([]byte, 160)
	from := max(0, at-1)
	n, err := b.Read(buf, from)
	if n == 0 && err != nil {
		if from >= b.Size {
			return b.Size, "", nil
		}
		return 0, "", &dtm.Error{Kind: dtm.Unavailable, Op: "access.Breached", Err: err}
	}
	buf = buf[:n]
	skip := 0
	if at > 0 {
		end := bytes.IndexByte(buf, '\n')
		if end < 0 {
			return b.Size, "", nil
		}
		skip = end + 1
	}
	if len(buf)-skip < 40 {
		return b.Size, "", nil
	}
	return from + int64(skip), strings.ToUpper(string(buf[skip : skip+40])), nil
}
