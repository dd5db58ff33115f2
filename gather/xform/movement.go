package xform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dtm"
	"dtm/gather/xlsform"
)

// tag is an HXL tag taken apart.
type tag struct {
	hash  string
	attrs []string
}

// tags are those that forms have, taken apart once: every answer of every submission
// asks for its own. There are as many as staff have published.
var tags sync.Map

func parseTag(s string) tag {
	if s == "" {
		return tag{}
	}
	if t, ok := tags.Load(s); ok {
		return t.(tag)
	}
	parts := strings.Split(s, "+")
	t := tag{parts[0], parts[1:]}
	tags.Store(s, t)
	return t
}

func (t tag) is(hash string, attrs ...string) bool {
	return t.hash == hash && !slices.ContainsFunc(attrs, func(a string) bool { return !slices.Contains(t.attrs, a) })
}

// block is what the answers say about people of one nationality: the whole group,
// or one turn of a repeat.
type block struct {
	base       dtm.Movement
	cells      []cell
	vulnerable []seen
	total      *int
	totalPath  string
	rows       []int // of the result, once made
}

// cell is a count at sex and age.
type cell struct {
	sex, age string
	people   int
}

// seen is a count of people by vulnerability.
type seen struct {
	code, path string
	people     int
}

// Movements turns a submission's answers into movement rows by the tags of its
// form: one row for each nationality, sex and age with people, breakdown Full,
// source the instance's id. A form that counts nobody (#affected) gives none, nor
// one whose counts are a stock (#affected+stock): people who are at a place on a
// day are never added to people who pass.
// What is odd is flagged; the rest is kept.
//
// Tags: #date+observed, #loc+fmp+code, #meta+movement+type, #meta+flow+type,
// #country+code with origin, previous, next, final or nationality, #cause+type,
// #meta+transport, #affected with m or f and adults, children or an age band
// (+age_5_17), #affected+total, #affected+vulnerable+v_CODE, #geo+coord. A tag in
// a repeat holds for its turn, and above those around it.
//
// A day that is missing is taken from the phone's own record of the interview
// (start, today or end). Without that the group stands in no period and gives no
// rows; with or without, date.missing is flagged.
//
// Vulnerabilities are counted once a group, not by sex and age: the count is laid
// on the rows it can be of (children for uac and under_5, not men for pregnant and
// lactating, not children for elderly and single_head), in their order, and the other rows that it
// can be of say 0, so that they are known as assessed.
func Movements(op *dtm.Operation, f *xlsform.Form, in *Instance) ([]dtm.Movement, []dtm.Flag) {
	if !counts(f) {
		return nil, nil
	}
	r := &tagReader{op: op}
	whole := &block{base: dtm.Movement{Source: in.InstanceID, Breakdown: dtm.Full}}
	r.read(in.Root, whole)
	recorded := clock(in)
	if whole.base.Observed.IsZero() {
		r.flag("date.missing", "", "")
		whole.base.Observed = recorded
	} else if !recorded.IsZero() && whole.base.Observed.After(recorded.AddDate(0, 0, 1)) {
		// A day of grace: the phone may be in another time zone.
		r.flag("date.future", "", whole.base.Observed.Format(time.DateOnly)+" > "+recorded.Format(time.DateOnly))
	}
	if whole.base.PointText == "" {
		r.flag("point.blank", "", "")
	}
	blocks := r.blocks(in.Root, whole)
	if whole.base.Observed.IsZero() {
		return nil, r.flags
	}
	var rows []dtm.Movement
	for _, b := range blocks {
		if b.base.Observed.IsZero() {
			b.base.Observed = whole.base.Observed
		}
		for _, c := range b.cells {
			if c.people == 0 {
				continue
			}
			m := b.base
			m.Sex, m.Age, m.People = c.sex, c.age, c.people
			m.Reasons, m.Transports = slices.Clone(m.Reasons), slices.Clone(m.Transports)
			b.rows = append(b.rows, len(rows))
			rows = append(rows, m)
		}
	}
	sum := func(rows []dtm.Movement, of []int) (n int) {
		for _, i := range of {
			n += rows[i].People
		}
		return n
	}
	all := make([]int, len(rows))
	for i := range all {
		all[i] = i
	}
	for _, b := range blocks {
		of := b.rows
		if b == whole {
			of = all
		}
		if b.total != nil && *b.total != sum(rows, of) {
			r.flag("answers.sum", b.totalPath, fmt.Sprintf("%d ≠ %d", *b.total, sum(rows, of)))
		}
		for _, v := range b.vulnerable {
			r.vulnerable(rows, of, v)
		}
	}
	if len(rows) == 0 {
		r.flag("group.empty", "", "")
	}
	return rows, r.flags
}

// counts tells whether any question of the form counts people who move.
func counts(f *xlsform.Form) bool {
	found := false
	f.Root.Walk(func(n *xlsform.Node) {
		t := parseTag(n.HXL)
		found = found || t.hash == "#affected" && !t.is("#affected", "vulnerable") && !t.is("#affected", "total") && !t.is("#affected", "stock")
	})
	return found
}

// clock is the day on which the phone recorded the interview, by its own
// questions; zero when it did not.
func clock(in *Instance) time.Time {
	var best time.Time
	rank := 0
	in.Root.Each(func(a Answer, _ *Answers) {
		order := map[string]int{"end": 1, "start": 2, "today": 3}[a.Node.Type]
		if order <= rank {
			return
		}
		if t, ok := day(a.Value); ok {
			best, rank = t, order
		}
	})
	return best
}

type tagReader struct {
	op    *dtm.Operation
	flags []dtm.Flag
}

func (r *tagReader) flag(rule, path, note string) {
	if len(r.flags) < maxFlags {
		r.flags = append(r.flags, dtm.Flag{Rule: rule, Path: path, Note: note})
	}
}

// blocks are the counted parts of a group: the form's own counts, and every turn
// of a repeat that counts people. The first is the whole.
func (r *tagReader) blocks(root *Answers, whole *block) []*block {
	out := []*block{whole}
	var each func(a *Answers, around *block)
	each = func(a *Answers, around *block) {
		for _, t := range a.Turns {
			b := &block{base: around.base}
			r.read(t, b)
			if len(b.cells) > 0 || len(b.vulnerable) > 0 {
				out = append(out, b)
			}
			each(t, b)
		}
	}
	each(root, whole)
	return out
}

// read takes the answers of one level into b.
func (r *tagReader) read(a *Answers, b *block) {
	for _, x := range a.List {
		if x.Node.HXL == "" || x.Value == "" {
			continue
		}
		t, path := parseTag(x.Node.HXL), x.Node.Path()
		m := &b.base
		switch {
		case t.is("#date", "observed"):
			if d, ok := day(x.Value); ok && d.Year() >= 2000 && d.Year() < 2100 {
				m.Observed = d
			} else {
				r.flag("date.invalid", path, x.Value)
			}
		case t.is("#loc", "fmp"):
			m.PointText = x.Value
			code, ok := r.op.ResolvePoint(x.Value)
			if !ok {
				r.flag("point.unknown", path, x.Value)
			}
			m.Point = code
		case t.is("#geo", "coord"):
			r.position(path, x.Value)
		case t.is("#meta", "movement"):
			m.Direction = r.code("direction", path, x.Value)
		case t.is("#meta", "flow"):
			m.FlowType = r.code("flow_type", path, x.Value)
		case t.is("#meta", "transport"):
			m.Transports = r.codes("transport", path, x.Value)
		case t.is("#cause") && !t.is("#cause", "final") && !t.is("#cause", "stranded"):
			m.Reasons = r.codes("reason", path, x.Value)
		case t.is("#country", "nationality"):
			m.Nationality = r.code("country", path, x.Value)
		case t.is("#country", "origin"):
			m.Origin = r.code("country", path, x.Value)
		case t.is("#country", "previous"):
			m.Previous = r.code("country", path, x.Value)
		case t.is("#country", "next"):
			m.Next = r.code("country", path, x.Value)
		case t.is("#country", "final"):
			m.Final = r.code("country", path, x.Value)
		case t.is("#affected", "stock"):
		case t.is("#affected", "total"):
			if n, ok := r.count(path, x.Value); ok {
				b.total, b.totalPath = &n, path
			}
		case t.is("#affected", "vulnerable"):
			for _, at := range t.attrs {
				if code, ok := strings.CutPrefix(at, "v_"); ok {
					if n, ok := r.count(path, x.Value); ok {
						b.vulnerable = append(b.vulnerable, seen{code, path, n})
					}
				}
			}
		case t.hash == "#affected":
			if n, ok := r.count(path, x.Value); ok {
				sex, age := r.sexAge(t.attrs)
				b.cells = append(b.cells, cell{sex, age, n})
			}
		}
	}
}

// sexAge reads the attributes of a count; what they do not say is unknown. An
// age band is a code of the list age, also without what ends it: +age_60 is
// 60_plus where the list has that.
func (r *tagReader) sexAge(attrs []string) (sex, age string) {
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
				age = band
				if list := r.op.Lists["age"]; !list.Has(band) && list.Has(band+"_plus") {
					age = band + "_plus"
				}
			}
		}
	}
	return sex, age
}

// maxPeople is more than any point sees in a year.
const maxPeople = 10_000_000

func (r *tagReader) count(path, s string) (int, bool) {
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || v != float64(int64(v)):
		r.flag("count.invalid", path, s)
		return 0, false
	case v < 0:
		r.flag("count.negative", path, s)
		return 0, false
	case v > maxPeople:
		r.flag("count.absurd", path, s)
		return 0, false
	}
	return int(v), true
}

// day reads a date or the date of a time stamp.
func day(s string) (time.Time, bool) {
	date, _, _ := strings.Cut(s, "T")
	t, err := time.Parse(time.DateOnly, date)
	return t, err == nil
}

// position checks a geopoint.
func (r *tagReader) position(path, s string) {
	if _, _, _, ok := geopoint(s); !ok {
		r.flag("position.invalid", path, s)
	}
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

// vulnerable lays a count on the rows it can be of.
func (r *tagReader) vulnerable(rows []dtm.Movement, of []int, v seen) {
	var fit []int
	most := 0
	for _, i := range of {
		if rows[i].CanBe(v.code) {
			fit = append(fit, i)
			most += rows[i].People
		}
	}
	if v.people > most {
		r.flag("vulnerable.exceeds", v.path, fmt.Sprintf("%d > %d", v.people, most))
	}
	if len(fit) == 0 && v.people > 0 {
		fit = of[:min(len(of), 1)]
	}
	left := v.people
	for k, i := range fit {
		here := min(left, rows[i].People)
		if k == len(fit)-1 {
			here = left
		}
		left -= here
		rows[i].Vulnerable = append(rows[i].Vulnerable, dtm.Vulnerable{Code: v.code, People: here})
	}
}
