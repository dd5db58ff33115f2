package locale_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/locale"
)

// TestCatalogues: every key in every language, with the same arguments.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	want := locale.Keys(dtm.English)
	hole := regexp.MustCompile(`\{\d+\}`)
	for _, l := range locale.Languages {
		if got := locale.Keys(l); !slices.Equal(got, want) {
			t.Errorf("%s: keys differ from English", l)
		}
		for _, k := range want {
			s := locale.Say(l, k, 5, 5, 5)
			if s == "" || hole.MatchString(s) {
				t.Errorf("%s %s: %q", l, k, s)
			}
			if l == dtm.French {
				for _, bad := range []string{" :", " ;", " ?", " !", " %", "'"} {
					if strings.Contains(s, bad) {
						t.Errorf("fr %s: %q holds %q", k, s, bad)
					}
				}
			}
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	dec := dtm.Month{Year: 2022, Month: 12}
	for _, c := range []struct{ got, want string }{
		{locale.Number(dtm.English, 19156, -1), "19,156"},
		{locale.Number(dtm.French, 19156, -1), "19\u202f156"},
		{locale.Number(dtm.French, 617.9, 1), "617,9"},
		{locale.Number(dtm.Arabic, 19156, -1), "19,156"},
		{locale.Percent(dtm.French, 12.5, 1), "12,5\u202f%"},
		{locale.Percent(dtm.English, 12.5, 1), "12.5%"},
		{locale.Date(dtm.French, day), "1er novembre 2026"},
		{locale.Date(dtm.English, day), "1 November 2026"},
		{locale.Month(dtm.French, dec), "décembre 2022"},
		{locale.Period(dtm.English, dtm.Months(dec, dec)), "December 2022"},
		{locale.Period(dtm.French, dtm.Months(dec.Add(-11), dec)), "janvier 2022 à décembre 2022"},
		{locale.Say(dtm.English, "say.points", 1), "1 point was active."},
		{locale.Say(dtm.English, "say.points", 8), "8 points were active."},
		{locale.Say(dtm.Arabic, "say.points", 2), "كانت نقطتان نشطتين."},
		{locale.Say(dtm.French, "say.points", 0), "0 point était actif."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]dtm.Lang{"": "en", "fr-DJ,fr;q=0.9": "fr", "so, ar;q=0.8, en;q=0.5": "ar", "de": "en", "nonsense;;q": "en"} {
		if got := locale.Match(header, locale.Languages); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	err := dtm.Errorf(dtm.Invalid, "x").Coded("month.invalid", "2022-13")
	if got := locale.Error(dtm.French, err); !strings.HasPrefix(got, "2022-13 n’est pas un mois") {
		t.Error(got)
	}
	if got := locale.Error(dtm.English, dtm.Errorf(dtm.Internal, "password of the database")); strings.Contains(got, "database") {
		t.Error(got)
	}
}
