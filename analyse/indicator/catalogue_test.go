package indicator

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"dtm"
)

// TestCatalogueSaysAll checks that each definition can be read and quoted: name,
// definition and rule for what is missing in English and French, a formula, a
// unit, and a denominator where there is a division.
func TestCatalogueSaysAll(t *testing.T) {
	t.Parallel()
	defs, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	units := []string{"movements", "movements/day", "percent", "points"}
	for id, d := range defs {
		texts := map[string]dtm.Text{"name": d.Name, "definition": d.Definition, "missing": d.Missing}
		if d.Unit == "percent" || d.Unit == "movements/day" {
			texts["denominator"] = d.Denominator
		}
		for what, text := range texts {
			for _, l := range []dtm.Lang{dtm.English, dtm.French} {
				if text[l] == "" {
					t.Errorf("%s has no %s in %s", id, what, l)
				}
			}
			checkFrench(t, id+" "+what, text[dtm.French])
		}
		if d.Formula == "" || d.Source == "" || !slices.Contains(units, d.Unit) {
			t.Errorf("%s: formula %q, source %q, unit %q", id, d.Formula, d.Source, d.Unit)
		}
		if d.Counts != (d.Unit == "movements" || d.Unit == "movements/day") {
			t.Errorf("%s: counts is %v and the unit %s: guard would look away, or at percentages", id, d.Counts, d.Unit)
		}
		if _, _, err := text(d.query, "op", ask{}, "extra"); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for _, dim := range d.Default {
			if !slices.Contains(d.Indicator.By, dim) {
				t.Errorf("%s is split by %s when nothing is said, and may not be", id, dim)
			}
		}
	}
}

// TestNotesInFrench reads the caveats out of the program's own text.
func TestNotesInFrench(t *testing.T) {
	t.Parallel()
	checkFrench(t, "noDaysFR", noDaysFR)
	for k, w := range words {
		checkFrench(t, k, w[dtm.French])
	}
	for _, d := range Dimensions() {
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			if words[d][l] == "" {
				t.Errorf("the dimension %s has no name in %s", d, l)
			}
		}
	}
}

var wrongFrench = regexp.MustCompile(`'|[ \p{L}\d][:;!?%](?: |$)`)

// checkFrench finds straight apostrophes, and colons and the like without the
// narrow no-break space before them.
func checkFrench(t *testing.T, what, s string) {
	t.Helper()
	if m := wrongFrench.FindString(s); m != "" {
		t.Errorf("%s: French typography at %q in %q", what, m, s)
	}
}

func TestDeriveFaults(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]dtm.DerivedIndicator{
		"no base":      {ID: "x", Base: "none"},
		"taken":        {ID: "entries", Base: "total_movements"},
		"no dimension": {ID: "x", Base: "entries", Where: map[string][]string{"people": {"1"}}},
		"time":         {ID: "x", Base: "entries", Where: map[string][]string{"month": {"2022-01"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(&dtm.Operation{Indicators: []dtm.DerivedIndicator{d}}, nil)
			if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), d.ID) {
				t.Errorf("got %v, want Invalid that names %s", err, d.ID)
			}
		})
	}
}
