package bulk

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// reader turns records into rows. It remembers what it has seen.
type reader struct {
	op      *dtm.Operation
	cols    columns
	lists   spellings
	from04  bool // spreadsheet days count from 1904
	dates   map[string]dated
	met     [parts]column
	country column // of the point
	reasons map[uint64]*cell
	none    *cell
}

// column remembers the values of one column.
type column struct {
	at    int
	name  string // of flags
	met   map[string]*cell
	last  []byte // as written, and what it means
	value *cell
}

// many is when a column's values are no longer remembered: it is not of codes.
const many = 100_000

func newReader(op *dtm.Operation, cols columns, from04 bool) *reader {
	r := &reader{op: op, cols: cols, from04: from04, lists: newSpellings(op), dates: map[string]dated{}, reasons: map[uint64]*cell{}, none: newCell("", "")}
	for part, c := range map[int]struct {
		at   int
		name string
	}{partPoint: {cols.fmp, "fmp"}, partDirection: {cols.direction, "movement"}, partFlowType: {cols.flowType, "flow_type"}, partRoute: {cols.route, "route"}, partSubroute: {cols.subroute, "subroute"},
		partOrigin: {cols.origin, "origin"}, partPrevious: {cols.previous, "previous"}, partNext: {cols.next, "next"}, partFinal: {cols.final, "final"},
		partNationality: {cols.nationality, "nat"}, partSex: {cols.sex, "sex"}, partAge: {cols.age, "age"}, partBreakdown: {-1, ""}, partReasons: {-1, ""}, partTransports: {-1, ""}} {
		r.met[part] = column{at: c.at, name: c.name, met: map[string]*cell{}}
	}
	r.country = column{at: cols.country, name: "fmp_country", met: map[string]*cell{}}
	r.met[partBreakdown].value = newCell(string(cols.breakdown), string(cols.breakdown))
	return r
}

// listOf names the code list of a part.
func listOf(part int) string {
	switch part {
	case partDirection:
		return "direction"
	case partFlowType:
		return "flow_type"
	case partRoute:
		return "route"
	case partSubroute:
		return "subroute"
	case partSex:
		return "sex"
	case partAge:
		return "age"
	}
	return "country"
}

// cell finds what a field means.
func (r *reader) cell(part int, rec [][]byte) *cell {
	c := &r.met[part]
	if c.at < 0 {
		if c.value != nil {
			return c.value
		}
		return r.none
	}
	field := rec[c.at]
	if c.value != nil && bytes.Equal(c.last, field) {
		return c.value
	}
	k, ok := c.met[string(field)]
	if !ok {
		raw := string(field)
		k = r.meaning(part, c.name, clean(raw))
		if len(c.met) < many {
			c.met[raw] = k
		}
	}
	c.last, c.value = append(c.last[:0], field...), k
	return k
}

func (r *reader) meaning(part int, name, s string) *cell {
	switch {
	case part == partPoint:
		p := resolve(r.op, s)
		k := newCell(s, p.key)
		k.flag = p.flag
		return k
	case s == "" && (part == partSex || part == partAge):
		return newCell(dtm.Unknown, dtm.Unknown)
	case s == "":
		return r.none
	}
	found := r.lists.find(listOf(part), s)
	k := newCell(found.code, found.code)
	if found.rule != "" {
		k.flag = dtm.Flag{Rule: found.rule, Path: name, Note: s}
	}
	return k
}

// clean takes away spaces around a value, no-break ones too.
func clean(s string) string {
	return strings.TrimFunc(s, func(c rune) bool {
		return c == ' ' || c == '\t' || c == '\u00a0' || c == '\u202f' || c == '\r' || c == '\n'
	})
}

// read reads one record into row, whose slices are used again. reason is not nil
// when the row cannot be kept.
func (r *reader) read(rec [][]byte, row *row) (reason *dtm.Error) {
	c := &r.cols
	if len(rec) != len(c.names) {
		return dtm.Errorf(dtm.Invalid, "the row has %d columns, the header %d", len(rec), len(c.names)).Coded("import.row_width", len(rec), len(c.names))
	}
	d := r.date(rec[c.date])
	if d.err != nil {
		return d.err
	}
	if code := r.elsewhere(rec); code != "" {
		return dtm.Errorf(dtm.Invalid, "the point lies in %s, not in %s: the row is of another operation", code, r.op.Country).
			At(c.names[c.country]).Coded("import.row_elsewhere", code, r.op.Country)
	}
	people, why := count(rec[c.people])
	if why != nil {
		return why.At(c.names[c.people])
	}
	row.day, row.monthOnly, row.people = d.day, d.monthOnly, people
	row.flags, row.vulnerable = row.flags[:0], row.vulnerable[:0]
	for part := range row.part[:partReasons] {
		k := r.cell(part, rec)
		row.part[part] = k
		if k.flag.Rule != "" && part != partPoint {
			row.flags = append(row.flags, k.flag)
		}
	}
	row.unresolved = row.part[partPoint].flag.Rule != ""
	row.part[partTransports] = r.none
	row.part[partReasons] = r.reasonsOf(rec, row)
	if people == 0 {
		row.flags = append(row.flags, dtm.Flag{Rule: "count.zero", Path: "n"})
	}
	if c.uac >= 0 && len(rec[c.uac]) > 0 {
		r.unaccompanied(rec[c.uac], row)
	}
	return nil
}

// unaccompanied reads the number of unaccompanied children; NA is not known, which
// is not none.
func (r *reader) unaccompanied(field []byte, row *row) {
	s := clean(string(field))
	if s == "" || strings.EqualFold(s, "NA") {
		return
	}
	v, why := count([]byte(s))
	if why != nil {
		row.flags = append(row.flags, dtm.Flag{Rule: "count.invalid", Path: "uac", Note: s})
		return
	}
	if v > row.people {
		row.flags = append(row.flags, dtm.Flag{Rule: "uac.exceeds", Path: "uac", Note: s})
	}
	row.vulnerable = append(row.vulnerable, dtm.Vulnerable{Code: "uac", People: v})
}

// elsewhere names the other country whose point a row is of, "" if it is of this
// operation: regional files hold the points of all, whose movements would swell this
// one's.
func (r *reader) elsewhere(rec [][]byte) string {
	c := &r.country
	if c.at < 0 {
		return ""
	}
	if c.value != nil && bytes.Equal(c.last, rec[c.at]) {
		return c.value.text
	}
	k, ok := c.met[string(rec[c.at])]
	if !ok {
		raw := string(rec[c.at])
		k = r.none
		s := clean(raw)
		found := r.lists.find("country", s)
		if code := found.code; s != "" && code != r.op.Country && code != dtm.OtherCountry && code != dtm.UnknownCountry && (found.rule == "" || found.rule == "code.spelling" || isISO(s)) {
			k = newCell(code, "")
		}
		if len(c.met) < many {
			c.met[raw] = k
		}
	}
	c.last, c.value = append(c.last[:0], rec[c.at]...), k
	return k.text
}

func isISO(s string) bool {
	return len(s) == 3 && !strings.ContainsFunc(s, func(c rune) bool { return c < 'A' || c > 'Z' })
}

// count reads a whole number of people; a spreadsheet's "12.0" is one.
func count(field []byte) (int, *dtm.Error) {
	n := 0
	for i, b := range field {
		if b < '0' || b > '9' || i > 7 {
			return countText(clean(string(field)))
		}
		n = n*10 + int(b-'0')
	}
	if len(field) == 0 {
		return 0, uncounted
	}
	return limited(n)
}

var uncounted = dtm.Errorf(dtm.Invalid, "empty: how many people?").Coded("import.people_none")

func countText(s string) (int, *dtm.Error) {
	s = strings.TrimSuffix(s, ".0")
	if s == "" {
		return 0, uncounted
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return 0, dtm.Errorf(dtm.Invalid, "%q is not a whole number", short(s, 40)).Coded("import.people_number", short(s, 40))
	case n < 0:
		return 0, dtm.Errorf(dtm.Invalid, "%d is negative", n).Coded("import.people_negative", short(s, 40))
	}
	return limited(int(n))
}

func limited(n int) (int, *dtm.Error) {
	if n > 10_000_000 {
		return 0, dtm.Errorf(dtm.Invalid, "%d is more people than the region has", n).Coded("import.people_many", n)
	}
	return n, nil
}

// reasonsOf gathers the reasons whose columns say yes.
func (r *reader) reasonsOf(rec [][]byte, row *row) *cell {
	var mask uint64
	for bit, c := range r.cols.reasons {
		f := rec[c.index]
		if len(f) == 1 && f[0] == '0' || len(f) == 0 {
			continue
		}
		if len(f) == 1 && f[0] == '1' {
			mask |= 1 << bit
			continue
		}
		switch s := clean(string(f)); strings.ToLower(s) {
		case "1", "1.0", "true", "yes", "oui", "vrai", "x":
			mask |= 1 << bit
		case "", "0", "0.0", "false", "no", "non", "faux", "na":
		default:
			row.flags = append(row.flags, dtm.Flag{Rule: "reason.invalid", Path: r.cols.names[c.index], Note: short(s, 100)})
		}
	}
	if mask == 0 {
		return r.none
	}
	if k, ok := r.reasons[mask]; ok {
		return k
	}
	var l []string
	for bit, c := range r.cols.reasons {
		if mask&(1<<bit) != 0 {
			l = append(l, c.code)
		}
	}
	slices.Sort(l)
	joined := strings.Join(slices.Compact(l), "\x00")
	k := newCell(joined, joined)
	if len(r.reasons) < many {
		r.reasons[mask] = k
	}
	return k
}
