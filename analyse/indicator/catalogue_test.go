package indicator

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/analyse/warehouse"
)

// TestCatalogueSaysAll checks that each definition can be read and quoted: name,
// definition and rule for what is missing in the three languages, a formula, a
// unit, and a denominator where there is a division.
func TestCatalogueSaysAll(t *testing.T) {
	t.Parallel()
	defs, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	units := []string{"movements", "movements/day", "percent", "points", "people", "interviews", "incidents", "sites", "days"}
	people := []string{"movements", "movements/day", "people", "interviews"}
	for id, d := range defs {
		texts := map[string]dtm.Text{"name": d.Name, "definition": d.Definition, "missing": d.Missing}
		if d.Unit == "percent" || d.Unit == "movements/day" {
			texts["denominator"] = d.Denominator
		}
		for what, text := range texts {
			for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
				if text[l] == "" {
					t.Errorf("%s has no %s in %s", id, what, l)
				}
			}
			checkFrench(t, id+" "+what, text[dtm.French])
		}
		checkFrench(t, id+" source", d.Source[dtm.French])
		if len(d.Formula) != 3 || len(d.Source) != 3 || d.Source[dtm.Arabic] == "" || !slices.Contains(units, d.Unit) {
			t.Errorf("%s: formula %q, source %q, unit %q", id, d.Formula, d.Source, d.Unit)
		}
		if d.Counts != slices.Contains(people, d.Unit) {
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

// closed is a warehouse that cannot be read: what gets that far was understood.
type closed struct{}

var errClosed = errors.New("closed")

func (closed) Read(context.Context, func(warehouse.Reader) error) error { return errClosed }

// FuzzTable asks with any words: the answer is a plain error or the warehouse's.
func FuzzTable(f *testing.F) {
	for _, s := range [][4]string{
		{"total_movements", "point", "previous", "ETH"},
		{"sex_age_share_pct:male_adult+unknown", "month", "sex", "female"},
		{"sex_age_share_pct:_", "", "", ""},
		{"destination_share_pct:", "next", "next", ""},
		{"origin_destination:ETH_DJI", "", "point", "'; DROP TABLE fact; --"},
		{"reason_share_pct:buy_goods", "reason", "reason", "x"},
		{"total_movements", "\x00point_text", "\x00point_text", "x"},
		{":::+_+", "day", "month", "2022-01"},
	} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	code := func(codes ...string) dtm.CodeList {
		var l dtm.CodeList
		for _, c := range codes {
			l.Codes = append(l.Codes, dtm.Code{Code: c})
		}
		return l
	}
	e, err := New(&dtm.Operation{
		Points: []dtm.Point{{Code: "a"}}, Areas: []dtm.Area{{Code: "A1", Level: 1}},
		Lists: map[string]dtm.CodeList{"sex": code("male", "female", "unknown"), "age": code("adults", "children", "unknown"), "country": code("ETH", "DJI"), "reason": code("buy_goods", "economic")},
	}, closed{})
	if err != nil {
		f.Fatal(err)
	}
	month := dtm.Month{Year: 2022, Month: 1}
	f.Fuzz(func(t *testing.T, id, by, dim, codes string) {
		q := dtm.Query{Indicator: id, Period: dtm.Months(month, month), Where: map[string][]string{}}
		if by != "" {
			q.By = strings.Split(by, ",")
		}
		if dim != "" {
			q.Where[dim] = strings.Split(codes, ",")
		}
		_, err := e.Table(t.Context(), q)
		if !errors.Is(err, errClosed) && dtm.KindOf(err) != dtm.Invalid && dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("%q by %q where %q=%q: %v", id, by, dim, codes, err)
		}
		r, err := e.resolve(q)
		if err != nil {
			return
		}
		// Nothing from outside stands in a text, and arguments and numbers agree.
		for _, file := range []string{"total", "reason", "observed_days", "share_of_all"} {
			body, args, err := text(file, "op", ask{by: r.by, where: r.where, period: r.period, rows: mainRows})
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(body, ";\x00") {
				t.Errorf("%q %q %q", by, dim, body)
			}
			for _, m := range argument.FindAllStringSubmatch(body, -1) {
				if n, _ := strconv.Atoi(m[1]); n > len(args) {
					t.Errorf("no argument %s in %q", m[0], body)
				}
			}
		}
	})
}
