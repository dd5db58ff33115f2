package indicator

import (
	"cmp"
	"embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

//go:embed query/*.sql
var queries embed.FS

// column is where a dimension lives in the facts. These lists are all that ever goes
// into a text.
type column struct {
	name  string
	key   string // the column as text; "" for name itself
	multi string // list of answer_set that holds the codes; name is then a set
	place bool   // also a column of point_day; of presence, of the counts of sites
	list  string // code list that holds the codes; "" for free ones
}

// columns are those of movements.
var columns = map[string]column{
	"month":       {name: "month", key: "CAST(%smonth AS text)", place: true},
	"day":         {name: "observed", key: "CAST(%sobserved AS text)", place: true},
	"point":       {name: "point", place: true},
	"region":      {name: "region", place: true},
	"role":        {name: "role"},
	"direction":   {name: "direction", list: "direction"},
	"flow_type":   {name: "flow_type", list: "flow_type"},
	"route":       {name: "route", list: "route"},
	"subroute":    {name: "subroute", list: "subroute"},
	"origin":      {name: "origin", list: "country"},
	"previous":    {name: "previous", list: "country"},
	"next":        {name: "next", list: "country"},
	"final":       {name: "final", list: "country"},
	"nationality": {name: "nationality", list: "country"},
	"sex":         {name: "sex", list: "sex"},
	"age":         {name: "age", list: "age"},
	"age_band":    {name: "age_band", list: "age"},
	"reason":      {name: "reason_set", multi: "reason", list: "reason"},
	"transport":   {name: "transport_set", multi: "transport", list: "transport"},

	pointText: {name: "point_text", place: true},
}

// pointText tells unresolved names apart where points are counted one by one. It
// is no dimension to ask for.
const pointText = "\x00point_text"

// ask is one run of a text.
type ask struct {
	of     map[string]column // nil: columns
	set    column            // of answers, for texts about one question
	single []string          // columns that must hold an answer
	number string            // column that is added up
	by     []string
	where  map[string][]string
	period dtm.Period
	rows   rows
}

// rows says which rows of the facts are read.
type rows string

const (
	mainRows        rows = "main"
	fullRows        rows = "breakdown = 'full'"
	nationalityRows rows = "breakdown IN ('full', 'nationality')"
	sexAgeRows      rows = "breakdown IN ('full', 'sex_age')"
)

// rowsFor chooses the rows that record every dimension in use.
func rowsFor(dims ...[]string) rows {
	var nationality, sexAge bool
	for _, list := range dims {
		for _, d := range list {
			nationality = nationality || d == "nationality"
			sexAge = sexAge || d == "sex" || d == "age" || d == "age_band"
		}
	}
	switch {
	case nationality && sexAge:
		return fullRows
	case nationality:
		return nationalityRows
	case sexAge:
		return sexAgeRows
	}
	return mainRows
}

// has tells whether r reads rows of the breakdown.
func (r rows) has(b string, main bool) bool {
	switch r {
	case fullRows:
		return b == string(dtm.Full)
	case nationalityRows:
		return b != string(dtm.BySexAge)
	case sexAgeRows:
		return b != string(dtm.ByNationality)
	}
	return main
}

// byDay tells whether single days matter: then rows whose day is not known stay
// out.
func (a ask) byDay() bool {
	return !a.period.WholeMonths() || slices.Contains(a.by, "day")
}

// long tells whether the table has thousands of lines: the database orders them, on all
// its processors. Short ones are ordered as they come.
func (a ask) long() bool { return len(a.by) > 1 && slices.Contains(a.by, "day") }

func order(columns int) string {
	list := make([]string, columns)
	for i := range list {
		list[i] = strconv.Itoa(i+1) + " NULLS LAST"
	}
	return "\nORDER BY " + strings.Join(list, ", ")
}

// ofPlaces tells whether a text about movements asks for nothing but days, places and
// directions, which are summed up.
func (a ask) ofPlaces(body string) bool {
	if a.of != nil || a.rows != mainRows || narrow.MatchString(body) {
		return false
	}
	for _, d := range slices.AppendSeq(slices.Clone(a.by), maps.Keys(a.where)) {
		if !columns[d].place && d != "direction" {
			return false
		}
	}
	return true
}

// narrow finds the columns of a text that single facts alone have.
var narrow = func() *regexp.Regexp {
	list := []string{"source", "assessed", "breakdown"}
	for d, c := range columns {
		if !c.place && d != "direction" {
			list = append(list, c.name)
		}
	}
	slices.Sort(list)
	return regexp.MustCompile(`\b(` + strings.Join(list, "|") + `)\b`)
}()

var (
	marker   = regexp.MustCompile(`/\*(keys|by|group|where|place|days|answered)(?::(\w+))?\*/|/\*(facts|rows|set|list|number)\*/'?\w+'?`)
	argument = regexp.MustCompile(`\$(\d+)`)
	comment  = regexp.MustCompile(`(?m)^--.*\n`)
)

// text fills the query file and gives the arguments: $1 operation, $2 and $3 the
// period, then extra, then the filter's codes.
func text(file string, operation string, a ask, extra ...any) (string, []any, error) {
	raw, err := queries.ReadFile("query/" + file + ".sql")
	if err != nil {
		return "", nil, fmt.Errorf("indicator: %w", err)
	}
	body := comment.ReplaceAllString(string(raw), "")
	args := append([]any{operation, a.period.From.Format(time.DateOnly), a.period.To.Format(time.DateOnly)}, extra...)
	used := 0
	for _, m := range argument.FindAllStringSubmatch(body, -1) {
		n, _ := strconv.Atoi(m[1])
		used = max(used, n)
	}
	if used > len(args) {
		return "", nil, fmt.Errorf("indicator: query/%s.sql wants %d arguments, got %d", file, used, len(args))
	}
	args = args[:used]
	out := marker.ReplaceAllStringFunc(body, func(s string) string {
		m := marker.FindStringSubmatch(s)
		table := ""
		if m[2] != "" {
			table = m[2] + "."
		}
		as := s[strings.Index(s, "*/")+2:] // what stands there for somebody who reads it
		switch m[1] + m[3] {
		case "keys", "by", "group":
			out := dimensions(m[1], table, a.by, a.dims())
			if m[1] == "group" && a.long() {
				out += order(len(a.by))
			}
			return out
		case "where":
			var b strings.Builder
			args = filter(&b, args, a.where, table, false, a.dims())
			return b.String()
		case "answered":
			var b strings.Builder
			for _, c := range a.single {
				b.WriteString(" AND " + table + c + " <> ''")
			}
			return b.String()
		case "set":
			return cmp.Or(a.set.name, as)
		case "list":
			if a.set.multi == "" {
				return as
			}
			return "'" + a.set.multi + "'"
		case "number":
			return cmp.Or(a.number, as)
		case "days":
			if a.byDay() {
				return "AND NOT " + table + "month_only"
			}
			return ""
		case "place":
			var b strings.Builder
			args = filter(&b, args, a.where, table, true, a.dims())
			return b.String()
		case "facts":
			switch {
			case !a.byDay():
				return "movement_month"
			case a.ofPlaces(body):
				return "movement_point_day"
			}
			return "movement"
		default: // rows
			return string(a.rows)
		}
	})
	return out, args, nil
}

func (a ask) dims() map[string]column {
	if a.of == nil {
		return columns
	}
	return a.of
}

func dimensions(marker, table string, by []string, of map[string]column) string {
	if len(by) == 0 {
		return ""
	}
	var list []string
	for _, d := range by {
		c := of[d]
		switch {
		case marker == "keys" && c.key != "":
			list = append(list, fmt.Sprintf(c.key, table))
		default:
			list = append(list, table+c.name)
		}
	}
	joined := strings.Join(list, ", ")
	if marker == "group" {
		return "GROUP BY " + joined
	}
	return joined + ", "
}

// filter writes AND column IN (...) for each dimension, in the order of their
// names, and returns args with the codes.
func filter(b *strings.Builder, args []any, where map[string][]string, table string, placeOnly bool, of map[string]column) []any {
	for _, d := range slices.Sorted(maps.Keys(where)) {
		c := of[d]
		if placeOnly && !c.place {
			continue
		}
		var list []string
		for _, code := range where[d] {
			args = append(args, code)
			list = append(list, "$"+strconv.Itoa(len(args)))
		}
		in := " IN (" + strings.Join(list, ", ") + ")"
		if c.multi != "" {
			fmt.Fprintf(b, " AND %s%s IN (SELECT answer_set FROM answer_set WHERE list = '%s' AND code%s)", table, c.name, c.multi, in)
			continue
		}
		b.WriteString(" AND " + table + c.name + in)
	}
	return args
}
