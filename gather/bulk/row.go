package bulk

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// reader turns records into movements. It remembers what it has seen: registry
// files repeat a few hundred values over millions of rows.
type reader struct {
	op    *dtm.Operation
	cols  columns
	text  map[string]string // interned
	dates map[string]dated
	lists map[string]map[string]string // list -> folded spelling -> code
	met   map[string]map[string]spelling

	reasons map[uint64][]string // mask of reason columns -> codes
}

type dated struct {
	day       time.Time
	monthOnly bool
	err       string
}

func newReader(op *dtm.Operation, cols columns) *reader {
	r := &reader{op: op, cols: cols, text: map[string]string{}, dates: map[string]dated{}, lists: map[string]map[string]string{}, met: map[string]map[string]spelling{}, reasons: map[uint64][]string{}}
	for name, list := range op.Lists {
		m := map[string]string{}
		for _, c := range list.Codes {
			m[dtm.Fold(c.Code)] = c.Code
			if a := c.Extra["aliases"]; a != "" {
				for _, alias := range strings.Split(a, ";") {
					m[dtm.Fold(alias)] = c.Code
				}
			}
		}
		r.lists[name] = m
	}
	// The registry's own words, whatever the language of the pack.
	for list, words := range map[string]map[string]string{
		"sex": {"m": "male", "f": "female", "homme": "male", "femme": "female", "masculin": "male", "feminin": "female", "inconnu": "unknown"},
		"age": {"adult": "adults", "child": "children", "adulte": "adults", "adultes": "adults", "enfant": "children", "enfants": "children", "inconnu": "unknown"},
	} {
		if r.lists[list] == nil {
			r.lists[list] = map[string]string{}
		}
		for w, code := range words {
			if _, taken := r.lists[list][w]; !taken {
				r.lists[list][w] = code
			}
		}
	}
	return r
}

func (r *reader) at(rec []string, i int) string {
	if i < 0 || i >= len(rec) {
		return ""
	}
	s := rec[i]
	if t, ok := r.text[s]; ok {
		return t
	}
	t := strings.Clone(strings.TrimFunc(s, blank))
	if len(r.text) < 100_000 {
		r.text[strings.Clone(s)] = t
	}
	return t
}

func blank(c rune) bool { return c == ' ' || c == '\t' || c == '\u00a0' || c == '\u202f' || c == '\r' }

// spelling is what a word of a file means in a list.
type spelling struct {
	code string
	rule string // of the flag it earns; "" for none
}

// code looks a spelling up in a list; what is not there stays as written, with a
// flag.
func (r *reader) code(m *dtm.Movement, list, column, s string) string {
	if s == "" {
		return ""
	}
	met := r.met[list]
	if met == nil {
		met = map[string]spelling{}
		r.met[list] = met
	}
	f, ok := met[s]
	if !ok {
		f = r.find(list, s)
		if len(met) < 100_000 {
			met[s] = f
		}
	}
	if f.rule != "" {
		m.Flags = append(m.Flags, dtm.Flag{Rule: f.rule, Path: column, Note: s})
	}
	return f.code
}

func (r *reader) find(list, s string) spelling {
	known, ok := r.lists[list]
	if !ok {
		return spelling{code: s}
	}
	c, ok := known[dtm.Fold(s)]
	switch {
	case !ok:
		return spelling{s, "code.unknown"}
	case dtm.Fold(c) != dtm.Fold(s):
		return spelling{c, "code.spelling"}
	}
	return spelling{code: c}
}

// movement reads one record. reason is not empty when the row cannot be kept.
func (r *reader) movement(rec []string) (m dtm.Movement, reason string) {
	c := &r.cols
	if len(rec) != len(c.names) {
		return m, fmt.Sprintf("the row has %d columns, the header %d", len(rec), len(c.names))
	}
	d := r.date(r.at(rec, c.date))
	if d.err != "" {
		return m, d.err
	}
	m.Observed, m.MonthOnly = d.day, d.monthOnly
	n := r.at(rec, c.people)
	people, why := count(n)
	if why != "" {
		return m, fmt.Sprintf("%s: %q %s", c.names[c.people], n, why)
	}
	m.People, m.Breakdown = people, c.breakdown
	m.PointText = r.at(rec, c.fmp)
	m.Direction = r.code(&m, "direction", "movement", strings.ToLower(r.at(rec, c.direction)))
	m.FlowType = r.code(&m, "flow_type", "flow_type", r.at(rec, c.flowType))
	m.Route = r.code(&m, "route", "route", r.at(rec, c.route))
	m.Subroute = r.code(&m, "subroute", "subroute", r.at(rec, c.subroute))
	m.Origin = r.code(&m, "country", "origin", r.at(rec, c.origin))
	m.Previous = r.code(&m, "country", "previous", r.at(rec, c.previous))
	m.Next = r.code(&m, "country", "next", r.at(rec, c.next))
	m.Final = r.code(&m, "country", "final", r.at(rec, c.final))
	m.Nationality = r.code(&m, "country", "nat", r.at(rec, c.nationality))
	m.Sex = r.code(&m, "sex", "sex", r.at(rec, c.sex))
	m.Age = r.code(&m, "age", "age", r.at(rec, c.age))
	if c.sex >= 0 && m.Sex == "" {
		m.Sex = dtm.Unknown
	}
	if c.age >= 0 && m.Age == "" {
		m.Age = dtm.Unknown
	}
	if u := r.at(rec, c.uac); u != "" && !strings.EqualFold(u, "NA") {
		v, why := count(u)
		switch {
		case why != "":
			m.Flags = append(m.Flags, dtm.Flag{Rule: "count.invalid", Path: "uac", Note: u})
		default:
			if v > people {
				m.Flags = append(m.Flags, dtm.Flag{Rule: "uac.exceeds", Path: "uac", Note: u})
			}
			m.Vulnerable = []dtm.Vulnerable{{Code: "uac", People: v}}
		}
	}
	m.Reasons = r.reasonsOf(rec)
	return m, ""
}

// count reads a whole number of people; a spreadsheet's "12.0" is one.
func count(s string) (int, string) {
	s = strings.TrimSuffix(s, ".0")
	if s == "" {
		return 0, "is empty: how many people?"
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return 0, "is not a whole number"
	case n < 0:
		return 0, "is negative"
	case n > 10_000_000:
		return 0, "is more people than the region has"
	}
	return n, ""
}

func (r *reader) reasonsOf(rec []string) []string {
	var mask uint64
	for bit, c := range r.cols.reasons {
		switch r.at(rec, c.index) {
		case "1", "1.0", "TRUE", "true", "True", "yes", "oui", "x", "X":
			mask |= 1 << (bit % 64)
		}
	}
	if mask == 0 {
		return nil
	}
	if l, ok := r.reasons[mask]; ok {
		return l
	}
	var l []string
	for bit, c := range r.cols.reasons {
		if mask&(1<<(bit%64)) != 0 {
			l = append(l, c.code)
		}
	}
	l = sorted(l)
	r.reasons[mask] = l
	return l
}

func (r *reader) date(s string) dated {
	if d, ok := r.dates[s]; ok {
		return d
	}
	d := readDate(s, r.cols.monthly)
	if len(r.dates) < 100_000 {
		r.dates[strings.Clone(s)] = d
	}
	return d
}

// readDate reads YYYY-MM, YYYY-MM-DD (with a time or not) or a spreadsheet's day
// number. A first day in a column of months stands for the month.
func readDate(s string, monthly bool) dated {
	if t, err := time.Parse("2006-01", s); err == nil {
		return sane(dated{day: t, monthOnly: true}, s)
	}
	day, _, _ := strings.Cut(s, "T")
	day, _, _ = strings.Cut(day, " ")
	if t, err := time.Parse("2006-01-02", day); err == nil {
		return sane(dated{day: t, monthOnly: monthly && t.Day() == 1}, s)
	}
	if serial, err := strconv.ParseFloat(s, 64); err == nil && serial >= 20_000 && serial < 80_000 {
		// Spreadsheets count days from 30 December 1899.
		t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(serial))
		return sane(dated{day: t, monthOnly: monthly && t.Day() == 1}, s)
	}
	return dated{err: fmt.Sprintf("%q is not a month (YYYY-MM) or a day (YYYY-MM-DD)", s)}
}

// sane refuses years in which no flow was monitored: a slip of the pen would
// stretch every series.
func sane(d dated, s string) dated {
	if y := d.day.Year(); y < 2004 || y > 2100 {
		return dated{err: fmt.Sprintf("%q: flow monitoring began in 2004", s)}
	}
	return d
}
