package warehousetest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
)

// casesDir holds the cases, seen from the folder of a room under warehouse/.
const casesDir = "../../indicator/case"

// runCases runs every case file on a warehouse of its own. A file is a list of
// blocks; a block is a line at the margin and the indented lines under it. Blank
// lines and lines that begin with # say nothing.
//
//	import                     the rows under it are a chunk of history
//	submit ID [replaces ID]    the rows under it are a submission
//	    observed point people  the first one names the columns
//	    2022-12  GATE  10      a date without a day is month-only; - is empty
//	interview | need | incident | present   each row is a submission of its own; of
//	                           present, the rows of one site, day and hour are one count
//	reject ID                  of the submissions above, counted from 1: interview3
//	ask QUERY PERIOD [by a,b] [where dim=code,code ...]
//	    GATE 0.3 10 31         keys, value and, if given, numerator, denominator
//	    basis calendar_days:31
//	    note  days.unknown
//	    fails invalid          instead of all others
//
// Every caveat that a table has must be named. A value is compared at the decimals
// it is written with; - is a value that is missing.
func runCases(t *testing.T, open Open) {
	files, err := filepath.Glob(filepath.Join(casesDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", casesDir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runCase(t, open, string(data))
		})
	}
}

type block struct {
	line int
	head []string
	rows [][]string
	at   []int // lines of rows
}

func blocks(text string) []block {
	var out []block
	for n, l := range strings.Split(text, "\n") {
		fields := strings.Fields(l)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case l[0] == ' ' || l[0] == '\t':
			b := &out[len(out)-1]
			b.rows = append(b.rows, fields)
			b.at = append(b.at, n+1)
		default:
			out = append(out, block{line: n + 1, head: fields})
		}
	}
	return out
}

func runCase(t *testing.T, open Open, text string) {
	op := Operation()
	w := open(t, op)
	log := NewLog()
	l := log.Loader(op, w)
	e, err := indicator.New(op, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(text) {
		switch b.head[0] {
		case "import":
			rows, err := caseRows(b)
			if err != nil {
				t.Fatal(err)
			}
			log.Import(rows...)
			MustCatchUp(t, l)
		case "submit":
			rows, err := caseRows(b)
			if err != nil {
				t.Fatal(err)
			}
			replaces := ""
			if len(b.head) == 4 && b.head[2] == "replaces" {
				replaces = b.head[3]
			}
			log.Submit(b.head[1], replaces, rows...)
			MustCatchUp(t, l)
		case "interview", "need", "incident", "present":
			if err := caseFacts(log, b); err != nil {
				t.Fatal(err)
			}
			MustCatchUp(t, l)
		case "reject":
			log.Review(b.head[1], dtm.StateRejected)
			MustCatchUp(t, l)
		case "ask":
			checkAsk(t, e, b)
		default:
			t.Fatalf("line %d: unknown block %q", b.line, b.head[0])
		}
	}
}

func caseRows(b block) ([]dtm.Movement, error) {
	if len(b.rows) == 0 {
		return nil, nil
	}
	var out []dtm.Movement
	for n, r := range b.rows[1:] {
		if len(r) != len(b.rows[0]) {
			return nil, fmt.Errorf("line %d: %d fields, want %d", b.at[n+1], len(r), len(b.rows[0]))
		}
		m := dtm.Movement{Breakdown: dtm.Full}
		for i, name := range b.rows[0] {
			v := r[i]
			if v == "-" {
				continue
			}
			switch name {
			case "observed":
				layout := time.DateOnly
				if len(v) == len("2022-12") {
					layout, m.MonthOnly = "2006-01", true
				}
				d, err := time.Parse(layout, v)
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", b.at[n+1], err)
				}
				m.Observed = d
			case "point":
				m.Point = v
			case "written":
				m.PointText = strings.ReplaceAll(v, "_", " ")
			case "direction":
				m.Direction = v
			case "previous":
				m.Previous = v
			case "next":
				m.Next = v
			case "breakdown":
				m.Breakdown = dtm.Breakdown(v)
			case "nationality":
				m.Nationality = v
			case "sex":
				m.Sex = v
			case "age":
				m.Age = v
			case "reasons":
				m.Reasons = strings.Split(v, "+")
			case "uac", "people":
				k, err := strconv.Atoi(v)
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", b.at[n+1], err)
				}
				if name == "people" {
					m.People = k
				} else {
					m.Vulnerable = []dtm.Vulnerable{{Code: "uac", People: k}}
				}
			default:
				return nil, fmt.Errorf("line %d: unknown column %q", b.at[0], name)
			}
		}
		key := m
		key.People, key.Vulnerable = 0, nil
		m.Source = fmt.Sprint(key)
		out = append(out, m)
	}
	return out, nil
}

func checkAsk(t *testing.T, e *indicator.Engine, b block) {
	t.Helper()
	q := dtm.Query{Indicator: b.head[1]}
	from, to, _ := strings.Cut(b.head[2], "..")
	var err error
	if q.Period, err = dtm.ParsePeriod(from, to); err != nil {
		t.Fatalf("line %d: %v", b.line, err)
	}
	for i := 3; i < len(b.head); i++ {
		switch b.head[i] {
		case "by":
			i++
			q.By = strings.Split(b.head[i], ",")
		case "where":
			q.Where = map[string][]string{}
			for _, c := range b.head[i+1:] {
				dim, codes, _ := strings.Cut(c, "=")
				q.Where[dim] = strings.Split(codes, ",")
				if dim == "site" {
					q.Where[dim] = strings.Split(strings.ReplaceAll(codes, "_", " "), ",")
				}
			}
			i = len(b.head)
		default:
			t.Fatalf("line %d: unknown word %q", b.line, b.head[i])
		}
	}
	tab, err := e.Table(t.Context(), q)
	var rows [][]string
	var basis, fails string
	var notes []string
	for _, r := range b.rows {
		switch r[0] {
		case "basis":
			basis = r[1]
		case "note":
			notes = append(notes, r[1])
		case "fails":
			fails = r[1]
		default:
			rows = append(rows, r)
		}
	}
	kinds := map[string]dtm.Kind{"invalid": dtm.Invalid, "notfound": dtm.NotFound}
	if fails != "" {
		if err == nil || dtm.KindOf(err) != kinds[fails] {
			t.Errorf("line %d: want it to fail as %s, got %v", b.line, fails, err)
		}
		return
	}
	if err != nil {
		t.Errorf("line %d: %v", b.line, err)
		return
	}
	if basis != "" && tab.Basis != basis {
		t.Errorf("line %d: basis %q, want %q", b.line, tab.Basis, basis)
	}
	var have []string
	for _, n := range tab.Notes {
		have = append(have, n.Code)
		for _, lang := range []dtm.Lang{dtm.English, dtm.French} {
			if n.Text[lang] == "" {
				t.Errorf("line %d: note %s says nothing in %s", b.line, n.Code, lang)
			}
		}
	}
	slices.Sort(have)
	slices.Sort(notes)
	if !slices.Equal(have, notes) {
		t.Errorf("line %d: notes %v, want %v", b.line, have, notes)
	}
	if len(tab.Figures) != len(rows) {
		t.Errorf("line %d: %d figures, want %d: %s", b.line, len(tab.Figures), len(rows), show(tab))
		return
	}
	for i, f := range tab.Figures {
		r := slices.Clone(rows[i])
		for j := range r {
			if j < len(f.Keys) && r[j] == "-" {
				r[j] = ""
			}
		}
		for j, d := range tab.By {
			if d == "site" && j < len(r) {
				r[j] = strings.ReplaceAll(r[j], "_", " ")
			}
		}
		if len(r) <= len(f.Keys) || !slices.Equal(f.Keys, r[:len(f.Keys)]) {
			t.Errorf("line %d: keys %q, want %q", b.line, f.Keys, r)
			continue
		}
		for j, v := range []*float64{f.Value, f.Numerator, f.Denominator} {
			if at := len(f.Keys) + j; at < len(r) && !equal(v, r[at]) {
				t.Errorf("line %d: %v: number %d is not %s: %s", b.line, f.Keys, j+1, r[at], show(tab))
			}
		}
	}
}

func equal(v *float64, want string) bool {
	if want == "-" || v == nil {
		return want == "-" && v == nil
	}
	w, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false
	}
	_, decimals, _ := strings.Cut(want, ".")
	p := math.Pow(10, float64(len(decimals)))
	return math.Abs(math.Round(*v*p)-math.Round(w*p)) < 0.5
}

func show(t dtm.Table) string {
	number := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return strconv.FormatFloat(*v, 'g', 10, 64)
	}
	var b strings.Builder
	for _, f := range t.Figures {
		fmt.Fprintf(&b, "\n\t%q %s %s %s", f.Keys, number(f.Value), number(f.Numerator), number(f.Denominator))
	}
	return b.String()
}
