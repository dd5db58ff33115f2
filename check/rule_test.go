package check_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/check"
	"dtm/locale"
)

// TestRules: every rule says what it is in both languages, and every rule that the
// code names is there.
func TestRules(t *testing.T) {
	t.Parallel()
	rules := check.Built()
	for id, r := range rules {
		for _, l := range []dtm.Lang{dtm.English, dtm.French} {
			if r.Explain[l] == "" {
				t.Errorf("%s says nothing in %s", id, l)
			}
		}
		for name := range r.Limit {
			if !locale.Has("rule.limit." + name) {
				t.Errorf("the limit %s of %s has no name in the message catalogues", name, id)
			}
		}
		if !locale.Has("rule." + id) {
			t.Errorf("%s has no name in the message catalogues", id)
		}
		if regexp.MustCompile(`[^\x{202f}][;:?!»](\s|$)`).MatchString(r.Explain[dtm.French]) {
			t.Errorf("%s lacks a narrow no-break space in French", id)
		}
		if !slices.Contains([]check.Severity{check.Fault, check.Doubt, check.Note}, r.Severity) || !slices.Contains([]string{"form", "record", "day", "device", "point", "month"}, r.Scope) || r.Owner == "" {
			t.Errorf("%s: %+v", id, r)
		}
	}
	// The test that is to prove a rule is there and names it.
	for id, r := range rules {
		room, test, _ := strings.Cut(r.Test, " ")
		list, err := filepath.Glob("../" + room + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, name := range list {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(b), "func "+test+"(") && strings.Contains(string(b), id)
		}
		if !found {
			t.Errorf("%s: no test %q that names it", id, r.Test)
		}
	}
	if ids := rules.IDs(); len(ids) != len(rules) || rules[ids[0]].Severity != check.Fault || rules[ids[len(ids)-1]].Severity != check.Note {
		t.Errorf("in order: %v", ids)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, e := range files {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, _ := strconv.Unquote(l.Value); regexp.MustCompile(`^[a-z]+\.[a-z]+$`).MatchString(s) && s != "rule.toml" {
					named[s] = true
				}
			}
			return true
		})
	}
	for id := range named {
		if _, ok := rules[id]; !ok {
			t.Errorf("the code names %q, which is no rule", id)
		}
	}
	reader, err := os.ReadFile("../gather/xform/movement.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"instance.go", "recheck.go", "primary.go"} {
		b, err := os.ReadFile("../gather/xform/" + name)
		if err != nil {
			t.Fatal(err)
		}
		reader = append(reader, b...)
	}
	for id, x := range rules {
		if x.Scope == "form" {
			named[id] = strings.Contains(string(reader), strconv.Quote(id))
		}
		if !named[id] {
			t.Errorf("nothing finds %q", id)
		}
	}
}

var someday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func register() *dtm.Operation {
	open := []dtm.Dated{{From: someday.AddDate(-1, 0, 0), Value: "open"}}
	return &dtm.Operation{Country: "DJI", Zone: time.FixedZone("EAT", 3*3600), Points: []dtm.Point{
		{Code: "a", Status: open, Lat: 11.5, Lon: 42.5, Positioned: true},
		{Code: "b", Status: append(slices.Clone(open), dtm.Dated{From: someday.AddDate(0, 0, -30), Value: "closed"}), Lat: 12, Lon: 43, Positioned: true, Approximate: true},
	}}
}

// TestClosedIsNotSilent: a point without staff raises nothing; an open one does on
// the day on which it is known, once.
func TestClosedIsNotSilent(t *testing.T) {
	t.Parallel()
	days := map[string]map[time.Time]int{"a": {}, "b": {}}
	from := someday.AddDate(0, 0, -60)
	for k := range 50 {
		days["a"][from.AddDate(0, 0, k)] = 4
		if k < 30 {
			days["b"][from.AddDate(0, 0, k)] = 4
		}
	}
	got := check.Built().Silent(register(), days, from, someday)
	if len(got) != 1 || got[0].Subject != "a" || !got[0].Day.Equal(from.AddDate(0, 0, 52)) {
		t.Errorf("got %+v", got)
	}
}

// TestQuietPoint: where a record comes every third day, three days without one are
// nothing.
func TestQuietPoint(t *testing.T) {
	t.Parallel()
	days := map[string]map[time.Time]int{"a": {}}
	from := someday.AddDate(0, 0, -90)
	for k := 0; k <= 90; k += 3 {
		days["a"][from.AddDate(0, 0, k)] = 1
	}
	delete(days["a"], from.AddDate(0, 0, 60))
	op := register()
	op.Points = op.Points[:1]
	if got := check.Built().Silent(op, days, from, someday); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestBounds: the edges of single rules.
func TestBounds(t *testing.T) {
	t.Parallel()
	at := someday.Add(9 * time.Hour) // noon in the zone
	good := func() *check.Record {
		n := 3
		return &check.Record{ID: "x", Point: "a", Observed: someday, Start: at, End: at.Add(2 * time.Minute), Received: at.Add(time.Hour), Stated: &n,
			Position: &check.Position{Lat: 11.5, Lon: 42.5}, Rows: []dtm.Movement{{Point: "a", PointText: "a", Previous: "ETH", Next: "YEM", Sex: "female", Age: "adults", People: 3, Observed: someday}}}
	}
	for name, c := range map[string]struct {
		change func(*check.Record)
		want   string
	}{
		"nothing":                 {func(*check.Record) {}, ""},
		"internal movement":       {func(x *check.Record) { x.Rows[0].Previous, x.Rows[0].Next = "DJI", "DJI" }, ""},
		"both not known":          {func(x *check.Record) { x.Rows[0].Previous, x.Rows[0].Next = "UNK", "UNK" }, ""},
		"late at night":           {func(x *check.Record) { x.Observed = x.Observed.AddDate(0, 0, -1) }, ""},
		"tomorrow":                {func(x *check.Record) { x.Observed = x.Observed.AddDate(0, 0, 1) }, "date.future"},
		"fourteen kilometres":     {func(x *check.Record) { x.Position.Lat += 14 / 111.2 }, ""},
		"sixteen kilometres":      {func(x *check.Record) { x.Position.Lat += 16 / 111.2 }, "position.far"},
		"sixteen, vague":          {func(x *check.Record) { x.Position.Lat += 16 / 111.2; x.Position.Accuracy = 2000 }, ""},
		"three pregnant of three": {func(x *check.Record) { x.Rows[0].Vulnerable = []dtm.Vulnerable{{Code: "pregnant", People: 3}} }, ""},
		"four pregnant of three":  {func(x *check.Record) { x.Rows[0].Vulnerable = []dtm.Vulnerable{{Code: "pregnant", People: 4}} }, "vulnerable.exceeds"},
		"uac among women":         {func(x *check.Record) { x.Rows[0].Vulnerable = []dtm.Vulnerable{{Code: "uac", People: 1}} }, "vulnerable.exceeds"},
		"no rows":                 {func(x *check.Record) { x.Rows, x.Stated = nil, nil }, "group.empty"},
		"closed point": {func(x *check.Record) {
			x.Point, x.Position = "b", nil
		}, "point.closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := good()
			c.change(x)
			var got []string
			op := register()
			for _, f := range check.Built().One(op, check.FrameOf(op), x) {
				got = append(got, f.Rule)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %q", got, c.want)
			}
		})
	}
}
