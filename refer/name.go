package refer

import (
	"slices"
	"strings"

	"dtm"
)

// Sounds reduces a name to keys by which spellings of it are found: one for each of its
// parts, in the order of the alphabet. The same name written by ear in Latin letters
// (Mohammed, Muhamad; Abdulqadir, Abdul Kadir) gives the same keys; so does one in
// Arabic letters with and without vowel marks. It errs to the side of finding too much:
// people decide.
func Sounds(name string) (keys []string) {
	for _, part := range strings.Fields(strings.NewReplacer("-", " ", "'", "", "’", "", ".", " ", ",", " ").Replace(name)) {
		if k := sound(dtm.Fold(arabic.Replace(part))); k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// arabic joins the forms of a letter and drops vowel marks.
var arabic = strings.NewReplacer("أ", "ا", "إ", "ا", "آ", "ا", "ٱ", "ا", "ى", "ي", "ئ", "ي", "ؤ", "و", "ة", "ه",
	"\u064b", "", "\u064c", "", "\u064d", "", "\u064e", "", "\u064f", "", "\u0650", "", "\u0651", "", "\u0652", "", "\u0640", "")

// alike are ways to write one sound; longer ones first.
var alike = strings.NewReplacer("tch", "c", "tsh", "c", "ch", "c", "sh", "s", "kh", "k", "gh", "g", "ph", "f", "th", "t", "dh", "d", "zh", "j", "dj", "j", "ts", "s", "ou", "u", "oo", "u", "ee", "i", "q", "k", "x", "h", "v", "f", "w", "u", "y", "i", "z", "s")

// sound keeps the first letter and the consonants after it, each once in a row.
func sound(word string) string {
	w := alike.Replace(word)
	var b strings.Builder
	var last rune
	for i, r := range w {
		if strings.ContainsRune("aeiou", r) {
			if i > 0 {
				last = r
				continue
			}
			r = 'a' // names begin with any vowel: Ibrahim, Ebrahim
		}
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// Digits are those of a telephone number that tell it from others: the last eight, as
// country codes and trunk zeros come and go. "" when there are fewer than six.
func Digits(phone string) string {
	d := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	if len(d) < 6 {
		return ""
	}
	return d[max(0, len(d)-8):]
}

// Marks are the kinds and texts by which a person's fields are found.
func Marks(fields map[string]string) (list []Mark) {
	for _, k := range Sounds(fields["name"]) {
		list = append(list, Mark{"name", k})
	}
	for _, f := range []string{"phone", "caregiver_phone"} {
		if d := Digits(fields[f]); d != "" && !slices.Contains(list, Mark{"phone", d}) {
			list = append(list, Mark{"phone", d})
		}
	}
	for _, f := range []string{"birth_year", "case_code"} {
		if v := dtm.Fold(fields[f]); v != "" {
			list = append(list, Mark{f, v})
		}
	}
	return list
}

// Mark is one thing that a person is found by.
type Mark struct{ Kind, Text string }
