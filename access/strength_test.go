package access

import (
	"crypto/sha1" //nolint:gosec // the list's own
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dtm"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for _, p := range []string{
		"password1234", "123456789012", "qwertyuiop123", "iloveyou1234", "aaaaaaaaaaaa", "Password123!", "abcdefghijkl", "passwordpassword", "fatima.ali2026",
		"djibouti2026", "19700101197001", "letmeinletmein", "administrator1",
	} {
		if err := CheckPassword(p, "fatima.ali@example.org", "Djibouti"); dtm.KindOf(err) != dtm.Invalid || err == nil {
			t.Errorf("%q is taken: %v", p, err)
		}
	}
	for _, p := range []string{
		"a sentence of five words", "correct horse battery staple", "les chameaux boivent le soir", "جمل يشرب ماء كل مساء", "x7Kp2mQv9sLd",
	} {
		if err := CheckPassword(p, "fatima.ali@example.org", "Djibouti"); err != nil {
			t.Errorf("%q is refused: %v", p, err)
		}
	}
}

// TestBreached: every password of a list is found, and none that is not in it.
func TestBreached(t *testing.T) {
	t.Parallel()
	var lines []string
	sum := func(s string) string {
		h := sha1.Sum([]byte(s)) //nolint:gosec // the list's own
		return strings.ToUpper(hex.EncodeToString(h[:]))
	}
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("%s:%d", sum(fmt.Sprintf("leaked %d", i)), i*i*i))
	}
	slices.Sort(lines)
	for _, end := range []string{"\n", "\r\n"} {
		for _, n := range []int{0, 1, 2, 1000} {
			text := ""
			if n > 0 {
				text = strings.Join(lines[:n], end) + end
			}
			b := Breached{Size: int64(len(text)), Read: strings.NewReader(text).ReadAt}
			for i, l := range lines {
				has, err := b.Has(l[:40])
				if err != nil || has != (i < n) {
					t.Fatalf("%d of %d lines: %v, %v", i, n, has, err)
				}
			}
			for i := range 100 {
				if has, err := b.Has(sum(fmt.Sprintf("not leaked %d", i))); err != nil || has {
					t.Fatalf("%d lines: %v, %v", n, has, err)
				}
			}
		}
	}
}
