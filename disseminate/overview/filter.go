package overview

import (
	"net/url"
	"strings"

	"dtm"
)

// Filter is what a reader chose. Its zero value is the last month with data,
// everything in it. It is also the query of every address: page, CSV, SVG.
type Filter struct {
	From, To                 dtm.Month // both zero: the last month with data
	Point, Region, Direction string
}

// ParseFilter reads a query. Invalid names the value that cannot be chosen.
func ParseFilter(op *dtm.Operation, q url.Values) (Filter, error) {
	f := Filter{Point: strings.TrimSpace(q.Get("point")), Region: strings.TrimSpace(q.Get("region")), Direction: strings.TrimSpace(q.Get("direction"))}
	for _, m := range []struct {
		name string
		to   *dtm.Month
	}{{"from", &f.From}, {"to", &f.To}} {
		if s := strings.TrimSpace(q.Get(m.name)); s != "" {
			v, err := dtm.ParseMonth(s)
			if err != nil {
				return Filter{}, err
			}
			*m.to = v
		}
	}
	if f.From.IsZero() {
		f.From = f.To
	}
	if f.To.IsZero() {
		f.To = f.From
	}
	if f.To.Before(f.From) {
		return Filter{}, dtm.Errorf(dtm.Invalid, "the period ends (%s) before it starts (%s)", f.To, f.From).Coded("period.reversed", f.To.String(), f.From.String())
	}
	if _, ok := op.Point(f.Point); f.Point != "" && !ok {
		return Filter{}, unknown(f.Point)
	}
	if a, ok := op.Area(f.Region); f.Region != "" && (!ok || a.Level != 1) {
		return Filter{}, unknown(f.Region)
	}
	if f.Direction != "" && !op.Lists["direction"].Has(f.Direction) {
		return Filter{}, unknown(f.Direction)
	}
	return f, nil
}

func unknown(code string) error {
	return dtm.Errorf(dtm.Invalid, "%q is not a code that can be chosen here", code).Coded("filter.code", code)
}

// Query writes the filter as the query of an address; ParseFilter reads it back.
func (f Filter) Query() url.Values {
	q := url.Values{}
	if !f.From.IsZero() {
		q.Set("from", f.From.String())
		q.Set("to", f.To.String())
	}
	for k, v := range map[string]string{"point": f.Point, "region": f.Region, "direction": f.Direction} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return q
}

// Narrowed tells whether anything but the period is chosen.
func (f Filter) Narrowed() bool { return f.Point != "" || f.Region != "" || f.Direction != "" }

// Where is the filter as a question has it; a new map each time.
func (f Filter) Where() map[string][]string {
	w := map[string][]string{}
	for k, v := range map[string]string{"point": f.Point, "region": f.Region, "direction": f.Direction} {
		if v != "" {
			w[k] = []string{v}
		}
	}
	return w
}
