package locale_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/locale"
)

// TestCatalogues: every key in every language, with the same arguments, and French
// written as French.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	want := locale.Keys(dtm.English)
	hole := regexp.MustCompile(`\{\d+(:\w+)?\}`)
	arg := regexp.MustCompile(`§\d`)
	holes := func(l dtm.Lang, k string) []string {
		found := arg.FindAllString(locale.Say(l, k, "§0", "§1", "§2", "§3"), -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	for _, l := range locale.Languages {
		if got := locale.Keys(l); !slices.Equal(got, want) {
			t.Errorf("%s: keys differ from English", l)
		}
		for _, k := range want {
			s := locale.Say(l, k, 5, 5, 5, 5)
			if s == "" || s == k || hole.MatchString(s) {
				t.Errorf("%s %s: %q", l, k, s)
			}
			if got := holes(l, k); !slices.Equal(got, holes(dtm.English, k)) {
				t.Errorf("%s %s: arguments %v, English has %v", l, k, got, holes(dtm.English, k))
			}
			if l == dtm.French {
				for _, bad := range []string{" :", " ;", " ?", " !", " %", "'", "\u00a0:", "\u00a0;", "\u00a0?", "\u00a0!", "\u00a0»", "«\u00a0", "« ", " »"} {
					if strings.Contains(s, bad) {
						t.Errorf("fr %s: %q holds %q", k, s, bad)
					}
				}
			}
		}
	}
}

// TestPluralForms: a message with forms has every form of its language.
func TestPluralForms(t *testing.T) {
	t.Parallel()
	want := map[dtm.Lang][]string{dtm.English: {"one", "other"}, dtm.French: {"one", "other"}, dtm.Arabic: {"few", "many", "one", "other", "two", "zero"}}
	found := 0
	for _, l := range locale.Languages {
		b, err := os.ReadFile(filepath.Join("message", string(l)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if err := json.Unmarshal(b, &raw); err != nil {
			t.Fatal(err)
		}
		for k, v := range raw {
			if forms, ok := v.(map[string]any); ok {
				found++
				if got := slices.Sorted(maps.Keys(forms)); !slices.Equal(got, want[l]) {
					t.Errorf("%s %s has the forms %v, not %v", l, k, got, want[l])
				}
			}
		}
	}
	if found == 0 {
		t.Error("no message has forms")
	}
}

// TestKeysAreThere: what code and templates say is in the catalogues, and what is
// in the catalogues is said.
func TestKeysAreThere(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile(`(?:\b[Ss]ay\((?:[\w.]+, )?|\.T )"([\w./]+)"`)
	var all strings.Builder
	for _, dir := range []string{"cmd", "disseminate", "gather", "locale", "web"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return filepath.SkipDir
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".html") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			all.Write(b)
			for _, m := range said.FindAllStringSubmatch(string(b), -1) {
				if k := m[1]; !strings.HasSuffix(k, ".") && !locale.Has(k) {
					t.Errorf("%s says %q, which no catalogue has", name, k)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Keys that are put together: by a prefix that the code holds.
	for _, k := range locale.Keys(dtm.English) {
		held := strings.HasPrefix(k, "error.") || strings.Contains(all.String(), `"`+k+`"`)
		for i := range k {
			if k[i] == '.' && strings.Contains(all.String(), `"`+k[:i+1]+`"`) {
				held = true
			}
		}
		if first, _, _ := strings.Cut(k, "."); !held && first != "method" && first != "limit" && !strings.HasPrefix(k, "panel.") {
			t.Errorf("nothing says %q", k)
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
		{locale.Period(dtm.French, dtm.Months(dec.Add(-11), dec)), "janvier à décembre 2022"},
		{locale.Period(dtm.English, dtm.Months(dec.Add(-12), dec)), "December 2021 to December 2022"},
		{locale.Say(dtm.French, "say.total_span", 37221, "avril à mai 2022", "ici"), "D’avril à mai 2022, 37\u202f221 mouvements ont été observés ici."},
		{locale.Say(dtm.French, "say.total_span", 1, "mai à juin 2022", "ici"), "De mai à juin 2022, 1 mouvement a été observé ici."},
		{locale.Say(dtm.French, "scope.region", "Obock"), "dans la région d’Obock"},
		{locale.Say(dtm.French, "scope.region", "Yoboki"), "dans la région de Yoboki"},
		{locale.Say(dtm.English, "error.period.reversed", "{1}", "{0}"), "The period ends ({1}) before it starts ({0})."},
		{locale.Say(dtm.English, "say.daily", "4.4", 1), "The daily average was 4.4, over 1 calendar day."},
		{locale.Say(dtm.French, "say.daily", "618", 31), "La moyenne journalière est de 618, sur 31 jours calendaires."},
		{locale.Say(dtm.Arabic, "head.daily_basis", 5), "على 5 أيام تقويمية"},
		{locale.Say(dtm.French, "say.total", 3_000_000, "2022", "ici"), "En 2022, 3\u202f000\u202f000 mouvements ont été observés ici."},
		{locale.Say(dtm.Arabic, "say.points", 1_000_011), "كانت 1,000,011 نقطة نشطة."},
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
