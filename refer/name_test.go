package refer

import (
	"slices"
	"testing"
)

func TestSounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Mohammed Abdi", "Muhamad  abdi", true}, {"Abdulqadir", "Abdulkadir", true}, {"Chaltu Tolasa", "TOLASA, Chaaltu", true}, {"Zeinab", "Seynab", true}, {"Ibrahim", "Ebrahim", true},
		{"مُحَمَّد", "محمد", true}, {"أحمد", "احمد", true}, {"Amina", "Hodan", false}, {"Tolasa", "Tolera", false}, {"", "", true},
	} {
		if same := slices.Equal(Sounds(c.a), Sounds(c.b)); same != c.same {
			t.Errorf("%q %v, %q %v", c.a, Sounds(c.a), c.b, Sounds(c.b))
		}
	}
	for a, want := range map[string]string{"+253 77 12 34 56": "77123456", "77 12 34 56": "77123456", "0077123456": "77123456", "12345": "", "": ""} {
		if got := Digits(a); got != want {
			t.Errorf("%q: %q, want %q", a, got, want)
		}
	}
	if m := Marks(map[string]string{"name": "Amina", "phone": "77123456", "caregiver_phone": "+253 77123456", "birth_year": "2004"}); len(m) != 3 {
		t.Errorf("%v", m)
	}
}
