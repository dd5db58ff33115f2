package guard

import (
	"maps"
	"slices"
	"strings"

	"dtm"
)

// cube is a set of tables that are protected together: everything that may be asked
// of one kind of count, split and filtered by its dimensions and any fewer of them,
// and by place when it has one: country > region > point, crossed with direction.
type cube struct {
	subject string   // of facts beside movements: which (record.go)
	of      string   // which people: dtm.Indicator.Of
	ask     string   // the indicator that gives the counts; "" is each that counts them
	dims    []string // beside place and time
	place   bool
	regions bool   // of places, only regions
	always  bool   // the codes of the first dimension overlap: they are never added up
	whole   string // then: which people the codes are of
	only    bool   // people of a part of the cube before it: the rest follows by subtraction
	kind    string // of facts beside movements: dtm.Indicator.Kind
}

// cubes are all that is published. Whatever is asked beyond them is refused: what
// answers to it would give away together with these tables, nobody has looked at.
var cubes = []cube{
	{of: "total", ask: "total_movements", dims: []string{"previous", "next"}, place: true},
	{of: "entries", ask: "entries", dims: []string{"previous", "next"}, place: true, only: true},
	{of: "total", ask: "total_movements", dims: []string{"nationality"}, place: true},
	{of: "total", ask: "total_movements", dims: []string{"sex", "age"}, place: true},
	{of: "total", ask: "total_movements", dims: []string{"route"}},
	{of: "total", ask: "total_movements", dims: []string{"day"}},
	{of: "reason", ask: "reason_share_pct", dims: []string{"reason"}, place: true, always: true, whole: "total"},
	{of: "transport", ask: "transport_share_pct", dims: []string{"transport"}, place: true, always: true, whole: "total"},
	{of: "vulnerable", place: true},
	{of: "vulnerabilities", ask: "vulnerability_share_pct", dims: []string{"vulnerability"}, place: true, always: true, whole: "assessed:vulnerabilities"},
}

// places are the dimensions of place and direction, which nearly every table has.
var places = []string{"point", "region", "direction"}

// alias names the people of an indicator as the cubes do.
func alias(i dtm.Indicator) string {
	if i.Of == "share_of_all" || i.Of == "unknown" {
		return "total"
	}
	return i.Of
}

// ofMovements tells whether the figures are of movements: those are what the cubes are of.
func ofMovements(i dtm.Indicator) bool {
	return i.Facts == "" || i.Facts == "movement" || i.Facts == "vulnerability"
}

// people tells whether the indicator's figures are of people at all. Numbers of points,
// of days, of sites and of incidents are not, nor what points and sites lack; that
// somebody passed at all is no secret.
func people(i dtm.Indicator) bool {
	if !ofMovements(i) {
		return i.Counts || i.Share
	}
	return i.Of != "points" && i.Of != "observed_days"
}

// cubeFor finds the cube that has the dimensions (month apart); false: none.
func (g *Guard) cubeFor(i dtm.Indicator, dims []string) (*cube, bool) {
	list, of := movements, alias(i)
	switch {
	case !ofMovements(i):
		list, of = g.records[i.Facts], g.recorded(i)
	case !people(i):
		of = "total"
	}
	for _, c := range list {
		if c.of == of && !slices.ContainsFunc(dims, func(d string) bool {
			return !slices.Contains(c.dims, d) && !(c.place && slices.Contains(places, d) && !(c.regions && d == "point"))
		}) && (!c.always || slices.Contains(dims, c.dims[0])) {
			return c, true
		}
	}
	return nil, false
}

// movements are the cubes of movements.
var movements = func() (out []*cube) {
	for n := range cubes {
		out = append(out, &cubes[n])
	}
	return out
}()

// published are the dimensions of an indicator that its tables may be split by, each
// beside its own.
func (g *Guard) published(i dtm.Indicator) []string {
	if !ofMovements(i) && !people(i) {
		return i.By
	}
	var out []string
	for _, d := range i.By {
		if d == "month" || g.declared(i, append([]string{d}, i.Default...)) {
			out = append(out, d)
		}
	}
	return out
}

// declared tells whether a table by (or filtered by) the dimensions is published.
func (g *Guard) declared(i dtm.Indicator, dims []string) bool {
	dims = slices.DeleteFunc(slices.Clone(dims), func(d string) bool { return d == "month" })
	dims = append(dims, slices.Collect(maps.Keys(i.Fixed))...)
	if i.Kind == "ratio" {
		dims = append(dims, "sex", "age")
	}
	_, ok := g.cubeFor(i, dims)
	return ok
}

// key names one count of a month: which people, then the codes of the dimensions that
// are given, in the order of their names. A point stands for its region too; what is at
// no known point, for the region that was said.
func key(of string, at map[string]string) string {
	var b strings.Builder
	b.WriteString(of)
	point, given := at["point"]
	for _, d := range slices.Sorted(maps.Keys(at)) {
		if d == "region" && given && (point != "" || at[d] == "") {
			continue
		}
		b.WriteString("|" + d + "=" + at[d])
	}
	return b.String()
}
