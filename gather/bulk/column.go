package bulk

import (
	"fmt"
	"slices"
	"strings"

	"dtm"
)

// columns says where in a row each thing stands; -1 is nowhere.
type columns struct {
	date                                      int
	monthly                                   bool // the column is of months, not of days
	fmp, direction, route, subroute, flowType int
	origin, previous, next, final             int
	nationality, sex, age, people, uac        int
	country                                   int // of the point
	reasons                                   []reasonColumn
	breakdown                                 dtm.Breakdown
	ignored                                   []string
	names                                     []string
}

type reasonColumn struct {
	index int
	code  string
}

// headings are the spellings of the registry's column names, folded.
var headings = map[string]string{
	"month": "month", "date": "date", "observed": "date", "dateobserved": "date",
	"fmp": "fmp", "point": "fmp", "fmpname": "fmp", "psf": "fmp",
	"route": "route", "subroute": "subroute", "movement": "movement", "direction": "movement", "flowtype": "flow_type",
	"origin": "origin", "previous": "previous", "next": "next", "final": "final", "destination": "final",
	"nat": "nat", "nationality": "nat", "sex": "sex", "age": "age",
	"n": "n", "movements": "n", "people": "n", "uac": "uac",
	"fmpcountry": "fmp_country",
}

// columnsOf reads the header row. Its error is Invalid and names what is missing
// or there twice.
func columnsOf(file string, header []string) (columns, error) {
	c := columns{date: -1, fmp: -1, direction: -1, route: -1, subroute: -1, flowType: -1, origin: -1, previous: -1, next: -1, final: -1,
		nationality: -1, sex: -1, age: -1, people: -1, uac: -1, country: -1, names: slices.Clone(header)}
	places := map[string]*int{"fmp": &c.fmp, "route": &c.route, "subroute": &c.subroute, "movement": &c.direction, "flow_type": &c.flowType,
		"origin": &c.origin, "previous": &c.previous, "next": &c.next, "final": &c.final, "nat": &c.nationality, "sex": &c.sex, "age": &c.age,
		"n": &c.people, "uac": &c.uac, "fmp_country": &c.country, "month": &c.date, "date": &c.date}
	seen := map[string]string{}
	for i, h := range header {
		h = strings.TrimSpace(h)
		if h == "" {
			continue
		}
		key := headings[dtm.Fold(h)]
		if code, ok := strings.CutPrefix(strings.ToLower(h), "reason_"); ok && code != "" {
			key = "reason_" + code
			c.reasons = append(c.reasons, reasonColumn{i, code})
		}
		if key == "" {
			c.ignored = append(c.ignored, h)
			continue
		}
		if before, twice := seen[key]; twice {
			return c, dtm.Errorf(dtm.Invalid, "the header has the column %q twice (%q and %q); keep one", key, before, h).
				At(fmt.Sprintf("%s:1", file)).Coded("import.column_twice", key, before, h)
		}
		seen[key] = h
		if p := places[key]; p != nil {
			if key == "date" || key == "month" {
				if c.date >= 0 {
					return c, dtm.Errorf(dtm.Invalid, "the header has both a month and a date column; keep one").At(file + ":1").Coded("import.both_dates")
				}
				c.monthly = key == "month"
			}
			*p = i
		}
	}
	var missing []string
	for name, at := range map[string]int{"month": c.date, "fmp": c.fmp, "n": c.people} {
		if at < 0 {
			missing = append(missing, name)
		}
	}
	sexAge, nat := c.sex >= 0 && c.age >= 0, c.nationality >= 0
	switch {
	case sexAge && nat:
		c.breakdown = dtm.Full
	case sexAge:
		c.breakdown = dtm.BySexAge
	case nat:
		c.breakdown = dtm.ByNationality
	case c.sex >= 0:
		missing = append(missing, "age")
	case c.age >= 0:
		missing = append(missing, "sex")
	default:
		missing = append(missing, "sex and age, or nat")
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return c, dtm.Errorf(dtm.Invalid, "the header lacks: %s; the columns found are: %s", strings.Join(missing, ", "), short(strings.Join(header, ", "), 300)).
			At(file+":1").Coded("import.columns_missing", strings.Join(missing, ", "), short(strings.Join(header, ", "), 300))
	}
	if len(c.reasons) > maxReasons {
		return c, dtm.Errorf(dtm.Invalid, "the header has %d reason columns; at most %d can be read", len(c.reasons), maxReasons).At(file+":1").Coded("import.reasons", len(c.reasons), maxReasons)
	}
	return c, nil
}

// maxReasons is what fits the mask that rows' reasons are remembered by.
const maxReasons = 64

// texts copies fields that would be overwritten.
func texts(fields [][]byte) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = string(f)
	}
	return out
}

// short cuts a text that would fill a screen.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " ..."
}
