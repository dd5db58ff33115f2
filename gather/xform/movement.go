package xform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/gather/xlsform"
)

// tag is an HXL tag taken apart.
type tag struct {
	hash  string
	attrs []string
}

func parseTag(s string) tag {
	parts := strings.Split(s, "+")
	return tag{parts[0], parts[1:]}
}

func (t tag) is(hash string, attrs ...string) bool {
	if t.hash != hash {
		return false
	}
	for _, a := range attrs {
		if !slices.Contains(t.attrs, a) {
			return false
		}
	}
	return true
}

// group is what the answers of a submission say about one group of people.
type group struct {
	base        dtm.Movement
	nationality string
	cells       []cell
	total       int
	hasTotal    bool
	vulnerable  []dtm.Vulnerable
}

// cell is a count at sex and age.
type cell struct {
	sex, age string
	people   int
}

// Movements turns a submission's answers into movement rows by the tags of its
// form: one row for each nationality, sex and age with people. A form without
// counts (#affected) gives none. What is odd is flagged; the rest is kept.
//
// Tags: #date+observed, #loc+fmp+code, #meta+movement+type, #meta+flow+type,
// #country+code with origin, previous, next, final or nationality, #cause+type,
// #meta+transport, #affected with m or f and adults, children or an age band,
// #affected+vulnerable+v_CODE, #affected+total.
func Movements(op *dtm.Operation, f *xlsform.Form, in *Instance) ([]dtm.Movement, []dtm.Flag) {
	if !counts(f) {
		return nil, nil
	}
	r := &tagReader{op: op}
	g := group{base: dtm.Movement{Source: in.InstanceID, Breakdown: dtm.Full}}
	r.read(in.Root, &g)
	if g.base.Observed.IsZero() {
		r.flag("date.missing", "", "no date of observation: the group stands in no period")
		return nil, r.flags
	}
	if g.base.PointText == "" {
		r.flag("point.blank", "", "no point")
	}
	blocks := r.blocks(in.Root, g)
	var rows []dtm.Movement
	sum := 0
	for _, b := range blocks {
		for _, c := range b.cells {
			sum += c.people
			if c.people == 0 {
				continue
			}
			m := b.base
			m.Nationality, m.Sex, m.Age, m.People = b.nationality, c.sex, c.age, c.people
			m.Reasons, m.Transports = slices.Clone(m.Reasons), slices.Clone(m.Transports)
			rows = append(rows, m)
		}
	}
	if g.hasTotal && g.total != sum {
		r.flag("answers.sum", "", fmt.Sprintf("the total says %d, the counts add up to %d", g.total, sum))
	}
	if sum == 0 {
		r.flag("group.empty", "", "no people counted")
	}
	r.vulnerabilities(rows, g, sum)
	return rows, r.flags
}

// counts tells whether any question of the form counts people.
func counts(f *xlsform.Form) bool {
	any := false
	f.Root.Walk(func(n *xlsform.Node) {
		t := parseTag(n.HXL)
		any = any || t.hash == "#affected" && !t.is("#affected", "vulnerable")
	})
	return any
}

type tagReader struct {
	op    *dtm.Operation
	flags []dtm.Flag
}

func (r *tagReader) flag(rule, path, note string) {
	r.flags = append(r.flags, dtm.Flag{Rule: rule, Path: path, Note: note})
}

// blocks are the counted parts of a group: the form's own counts, and each turn
// of a repeat that counts people.
func (r *tagReader) blocks(root *Answers, g group) []group {
	var out []group
	if len(g.cells) > 0 {
		out = append(out, g)
	}
	var each func(a *Answers, around group)
	each = func(a *Answers, around group) {
		for _, t := range a.Turns {
			b := around
			b.cells = nil
			r.read(t, &b)
			if len(b.cells) > 0 {
				out = append(out, b)
			}
			each(t, b)
		}
	}
	each(root, g)
	return out
}

// read takes the answers of one level into g.
func (r *tagReader) read(a *Answers, g *group) {
	for _, x := range a.List {
		if x.Node.HXL == "" || x.Value == "" {
			continue
		}
		t, path := parseTag(x.Node.HXL), x.Node.Path()
		m := &g.base
		switch {
		case t.is("#date", "observed"):
			r.date(m, path, x.Value)
		case t.is("#loc", "fmp"):
			m.PointText = x.Value
			code, ok := r.op.ResolvePoint(x.Value)
			if !ok {
				r.flag("point.unknown", path, x.Value)
			}
			m.Point = code
		case t.is("#meta", "movement"):
			m.Direction = r.code("direction", path, x.Value)
		case t.is("#meta", "flow"):
			m.FlowType = r.code("flow_type", path, x.Value)
		case t.is("#meta", "transport"):
			m.Transports = r.codes("transport", path, x.Value)
		case t.is("#cause"):
			m.Reasons = r.codes("reason", path, x.Value)
		case t.is("#country", "nationality"):
			g.nationality = r.code("country", path, x.Value)
		case t.is("#country", "origin"):
			m.Origin = r.code("country", path, x.Value)
		case t.is("#country", "previous"):
			m.Previous = r.code("country", path, x.Value)
		case t.is("#country", "next"):
			m.Next = r.code("country", path, x.Value)
		case t.is("#country", "final"):
			m.Final = r.code("country", path, x.Value)
		case t.is("#affected", "total"):
			if n, ok := r.count(path, x.Value); ok {
				g.total, g.hasTotal = n, true
			}
		case t.is("#affected", "vulnerable"):
			for _, at := range t.attrs {
				if code, ok := strings.CutPrefix(at, "v_"); ok {
					if n, ok := r.count(path, x.Value); ok {
						g.vulnerable = append(g.vulnerable, dtm.Vulnerable{Code: code, People: n})
					}
				}
			}
		case t.hash == "#affected":
			if n, ok := r.count(path, x.Value); ok {
				sex, age := sexAge(t.attrs)
				g.cells = append(g.cells, cell{sex, age, n})
			}
		}
	}
}

func sexAge(attrs []string) (sex, age string) {
	sex, age = dtm.Unknown, dtm.Unknown
	for _, a := range attrs {
		switch a {
		case "m":
			sex = "male"
		case "f":
			sex = "female"
		case "adults", "children":
			age = a
		default:
			if band, ok := strings.CutPrefix(a, "age_"); ok {
				age = strings.Replace(band, "60", "60_plus", 1)
				if strings.HasSuffix(band, "plus") {
					age = band
				}
			}
		}
	}
	return sex, age
}

func (r *tagReader) count(path, s string) (int, bool) {
	n, err := strconv.Atoi(s)
	if err != nil {
		if v, e := strconv.ParseFloat(s, 64); e == nil && v == float64(int(v)) && v >= 0 && v < 1e7 {
			n, err = int(v), nil
		}
	}
	switch {
	case err != nil:
		r.flag("count.invalid", path, s)
		return 0, false
	case n < 0:
		r.flag("count.negative", path, s)
		return 0, false
	case n > 10_000_000:
		r.flag("count.absurd", path, s)
		return 0, false
	}
	return n, true
}

func (r *tagReader) date(m *dtm.Movement, path, s string) {
	day, _, _ := strings.Cut(s, "T")
	t, err := time.Parse("2006-01-02", day)
	if err != nil || t.Year() < 2004 || t.Year() > 2100 {
		r.flag("date.invalid", path, s)
		return
	}
	m.Observed = t
}

func (r *tagReader) code(list, path, s string) string {
	if l, ok := r.op.Lists[list]; ok && !l.Has(s) {
		r.flag("code.unknown", path, s)
	}
	return s
}

func (r *tagReader) codes(list, path, s string) []string {
	words := strings.Fields(s)
	for _, w := range words {
		r.code(list, path, w)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// vulnerabilities hangs the counts of the whole group on its first row: they are
// counted once a group. A count above what it can be of is flagged.
func (r *tagReader) vulnerabilities(rows []dtm.Movement, g group, sum int) {
	if len(rows) == 0 {
		return
	}
	children, women := 0, 0
	for _, m := range rows {
		if m.Age != "adults" && m.Age != "18_59" && m.Age != "60_plus" {
			children += m.People
		}
		if m.Sex != "male" {
			women += m.People
		}
	}
	limits := map[string]int{"uac": children, "under_5": children, "pregnant": women, "lactating": women}
	for _, v := range g.vulnerable {
		limit, ok := limits[v.Code]
		if !ok {
			limit = sum
		}
		if v.People > limit {
			r.flag("vulnerable.exceeds", v.Code, fmt.Sprintf("%d of %d people it can be of", v.People, limit))
		}
	}
	rows[0].Vulnerable = g.vulnerable
}
