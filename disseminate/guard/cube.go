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
	of     string   // which people: dtm.Indicator.Of
	ask    string   // the indicator that gives the counts; "" is each that counts them
	dims   []string // beside place and time
	place  bool
	always bool // the dimension's codes overlap: they are never added up
	only   bool // people of a part of the cube before it: the rest follows by subtraction
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
	{of: "reason", ask: "reason_share_pct", dims: []string{"reason"}, place: true, always: true},
	{of: "transport", ask: "transport_share_pct", dims: []string{"transport"}, place: true, always: true},
	{of: "vulnerable", place: true},
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
func ofMovements(i dtm.Indicator) bool { return i.Facts == "" || i.Facts == "movement" }

// people tells whether the indicator's figures are of people at all. Numbers of
// points and of days are not; that somebody passed at all is no secret.
func people(i dtm.Indicator) bool { return i.Of != "points" && i.Of != "observed_days" }

// cubeFor finds the cube that has the dimensions (month apart); false: none.
func cubeFor(of string, dims []string) (*cube, bool) {
	for i, c := range cubes {
		if c.of == of && !slices.ContainsFunc(dims, func(d string) bool {
			return !slices.Contains(c.dims, d) && !(c.place && slices.Contains(places, d))
		}) && (!c.always || slices.Contains(dims, c.dims[0])) {
			return &cubes[i], true
		}
	}
	return nil, false
}

// published are the dimensions of an indicator that its tables may be split by, each
// beside its own.
func published(i dtm.Indicator) []string {
	if !ofMovements(i) {
		return i.By
	}
	var out []string
	for _, d := range i.By {
		if d == "month" || declared(i, append([]string{d}, i.Default...)) {
			out = append(out, d)
		}
	}
	return out
}

// declared tells whether a table by (or filtered by) the dimensions is published.
func declared(i dtm.Indicator, dims []string) bool {
	dims = slices.DeleteFunc(slices.Clone(dims), func(d string) bool { return d == "month" })
	dims = append(dims, slices.Collect(maps.Keys(i.Fixed))...)
	if i.Kind == "ratio" {
		dims = append(dims, "sex", "age")
	}
	if !people(i) {
		_, ok := cubeFor("total", dims)
		return ok
	}
	_, ok := cubeFor(alias(i), dims)
	return ok
}

// key names one count of a month: which people, then the codes of the dimensions that
// are given, in the order of their names. A point stands for its region too.
func key(of string, at map[string]string) string {
	var b strings.Builder
	b.WriteString(of)
	_, point := at["point"]
	for _, d := range slices.Sorted(maps.Keys(at)) {
		if d == "region" && point {
			continue
		}
		b.WriteString("|" + d + "=" + at[d])
	}
	return b.String()
}
