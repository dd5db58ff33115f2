package release

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"dtm/analyse/warehouse"
)

// Changes are what a release says otherwise than the one before it of the same
// month. Nothing in it tells a single group apart: it counts rows by point.
type Changes struct {
	Since   string         `json:"since"` // the earlier release
	Points  []PointChange  `json:"points"`
	Figures []FigureChange `json:"figures"`
	Reasons []Reason       `json:"reasons"`
	Months  []MonthChange  `json:"months"` // other months whose totals differ
}

// None tells whether nothing differs.
func (c *Changes) None() bool {
	return c == nil || len(c.Points) == 0 && len(c.Figures) == 0 && len(c.Months) == 0
}

// PointChange counts the rows of a point that came, went and changed, and what its
// total was and is. Small totals are withheld: nil.
type PointChange struct {
	Point   string `json:"point"` // code; "" for names that are no point
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Changed int    `json:"changed"`
	Was     *int64 `json:"was"`
	Is      *int64 `json:"is"`
}

// FigureChange is a published figure that is another now; "" was not there, or is
// not, Withheld is withheld.
type FigureChange struct {
	Indicator string `json:"indicator"`
	By        string `json:"by,omitempty"`
	Keys      string `json:"keys,omitempty"`
	Was       string `json:"was"`
	Is        string `json:"is"`
}

// Withheld stands for a figure that is not published.
const Withheld = "withheld"

// Reason is why records of the month changed, as who corrected them said.
type Reason struct {
	Text    string `json:"text"`
	Kind    string `json:"kind"` // "correction", "rejection", "edit", "import", "late"
	Records int    `json:"records"`
}

// MonthChange is a month whose total differs from what was published of it.
type MonthChange struct {
	Month   string `json:"month"`
	Release string `json:"release"` // that published it
	Was     int64  `json:"was"`
	Is      int64  `json:"is"`
}

// PointsOf compares the facts of two states of one month: by point, and the sources
// whose facts differ, sorted. Totals below threshold, and pairs that would give one
// away by their difference, are withheld.
func PointsOf(was, is warehouse.Frozen, threshold int64) (points []PointChange, sources []string) {
	type key struct {
		source, observed string
		cell             warehouse.Cell
	}
	index := func(f warehouse.Frozen) map[key]int64 {
		m := make(map[key]int64, len(f.Facts))
		for _, x := range f.Facts {
			m[key{x.Source, x.Observed, f.Cells[x.Cell]}] += x.People
		}
		return m
	}
	old, now := index(was), index(is)
	by := map[string]*PointChange{}
	touched := map[string]bool{}
	at := func(k key) *PointChange {
		touched[k.source] = true
		p := by[k.cell.Point]
		if p == nil {
			p = &PointChange{Point: k.cell.Point}
			by[k.cell.Point] = p
		}
		return p
	}
	for k, n := range now {
		switch o, ok := old[k]; {
		case !ok:
			at(k).Added++
		case o != n:
			at(k).Changed++
		}
	}
	for k := range old {
		if _, ok := now[k]; !ok {
			at(k).Removed++
		}
	}
	total := func(f warehouse.Frozen) map[string]int64 {
		m := map[string]int64{}
		for _, x := range f.Facts {
			if x.Main {
				m[f.Cells[x.Cell].Point] += x.People
			}
		}
		return m
	}
	oldTotal, nowTotal := total(was), total(is)
	for _, p := range by {
		o, n := oldTotal[p.Point], nowTotal[p.Point]
		if (o == 0 || o >= threshold) && (n == 0 || n >= threshold) {
			p.Was, p.Is = &o, &n
		}
		points = append(points, *p)
	}
	slices.SortFunc(points, func(a, b PointChange) int { return strings.Compare(a.Point, b.Point) })
	for s := range touched {
		sources = append(sources, s)
	}
	slices.Sort(sources)
	return points, sources
}

// FiguresOf compares the published figures of two releases, each as its two parts.
func FiguresOf(was, wasWithheld, is, isWithheld []byte) ([]FigureChange, error) {
	old, err := valuesOf(was, wasWithheld)
	if err != nil {
		return nil, err
	}
	now, err := valuesOf(is, isWithheld)
	if err != nil {
		return nil, err
	}
	var out []FigureChange
	add := func(k [4]string, a, b string) {
		out = append(out, FigureChange{Indicator: k[0], By: k[2], Keys: k[3], Was: a, Is: b})
	}
	for k, v := range now {
		if o := old[k]; o != v {
			add(k, o, v)
		}
	}
	for k, v := range old {
		if _, ok := now[k]; !ok {
			add(k, v, "")
		}
	}
	slices.SortFunc(out, func(a, b FigureChange) int {
		return cmp.Or(strings.Compare(a.Indicator, b.Indicator), strings.Compare(a.By, b.By), strings.Compare(a.Keys, b.Keys))
	})
	return out, nil
}

// valuesOf reads figures by indicator, period, split and keys.
func valuesOf(figures, withheld []byte) (map[[4]string]string, error) {
	out := map[[4]string]string{}
	for part, b := range map[string][]byte{PartFigures: figures, PartWithheld: withheld} {
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			return nil, broken(part, 0, err.Error())
		}
		for i, r := range rows {
			if i == 0 || len(r) < 5 {
				continue
			}
			v := Withheld
			if part == PartFigures {
				v = r[4]
			}
			out[[4]string(r[:4])] = v
		}
	}
	return out, nil
}

// Difference is a line of a part that is not what the log says.
type Difference struct {
	Part string
	Line int    // of the release's part; 0: it has no such line
	Was  string // what the release says
	Is   string // what the log says
}

// Differences compares two versions of a part line by line, as sets, and returns the
// first most of those that only one has. Numbers of cells are put into words first,
// so that a fact is named by what it says.
func Differences(part string, stored, made []byte, most int) []Difference {
	a, b := split(stored), split(made)
	have := map[string]int{}
	for _, l := range b {
		have[l]++
	}
	var out []Difference
	only := map[string]int{}
	for n, l := range a {
		if have[l] > 0 {
			have[l]--
			continue
		}
		out = append(out, Difference{Part: part, Line: n + 1, Was: l})
		only[subject(l)] = len(out) // one more than its place
	}
	for _, l := range b {
		if have[l] == 0 {
			continue
		}
		have[l]--
		if i := only[subject(l)]; i > 0 && out[i-1].Is == "" {
			out[i-1].Is = l
			continue
		}
		out = append(out, Difference{Part: part, Is: l})
	}
	return out[:min(most, len(out))]
}

func split(b []byte) []string {
	s := strings.TrimSuffix(string(b), "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// subject is what a line is about: its first field.
func subject(line string) string {
	first, _, _ := strings.Cut(line, ",")
	return first
}

// Spelled is a fact part with the words of its cells in place of their numbers.
func Spelled(part string, parts map[string][]byte) []byte {
	column := map[string]int{PartFacts: 3, PartVulnerable: 3, PartMonths: 2}[part]
	if column == 0 {
		return parts[part]
	}
	cells, err := csv.NewReader(bytes.NewReader(parts[PartCells])).ReadAll()
	if err != nil {
		return parts[part]
	}
	rows, err := csv.NewReader(bytes.NewReader(parts[part])).ReadAll()
	if err != nil {
		return parts[part]
	}
	s := &sheet{}
	for i, r := range rows {
		if n, err := strconv.Atoi(r[column]); i > 0 && err == nil && n >= 0 && n+1 < len(cells) {
			r[column] = strings.Trim(strings.Join(cells[n+1], "|"), "|")
		}
		s.line(r...)
	}
	return s.bytes()
}
