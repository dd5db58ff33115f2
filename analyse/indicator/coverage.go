package indicator

import (
	"context"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/check"
)

// Coverage is what the register, as it is now, expected of each point in a period
// and what came, as of the last event that is loaded; it gives that moment too.
func (e *Engine) Coverage(ctx context.Context, p dtm.Period) (list []check.PointCoverage, at time.Time, err error) {
	came, err := e.PointDays(ctx, p)
	if err != nil {
		return nil, at, err
	}
	d, err := e.definition("coverage_days_pct")
	if err != nil {
		return nil, at, err
	}
	err = e.wh.Read(ctx, func(rd warehouse.Reader) error {
		s, err := e.stateOf(ctx, rd)
		if err != nil {
			return err
		}
		c := &computation{engine: e, ctx: ctx, reader: rd, request: &request{def: d, period: p}, state: s, table: &dtm.Table{}}
		list, err = c.pointCoverage(came)
		at = s.release.At
		return err
	})
	return list, at, err
}

// pointCoverage covers the points asked for. What came may say more of days than that
// they were observed.
func (c *computation) pointCoverage(came []dtm.PointDay) ([]check.PointCoverage, error) {
	r, op := c.request, c.engine.op
	lines, err := c.run(r.def.query, ask{by: []string{"point", "day"}, where: r.where, period: r.period}, 1)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, d := range came {
		known[d.Point+" "+d.Day.Format(time.DateOnly)] = true
	}
	days := map[string]time.Time{} // few, and each at many points
	came = slices.Grow(came, len(lines))
	for _, l := range lines {
		if len(known) > 0 && known[strings.Join(l.keys, " ")] {
			continue
		}
		day, ok := days[l.keys[1]]
		if !ok {
			if day, err = time.Parse(time.DateOnly, l.keys[1]); err != nil {
				return nil, err
			}
			days[l.keys[1]] = day
		}
		came = append(came, dtm.PointDay{Point: l.keys[0], Day: day, History: true})
	}
	vague := map[string][]dtm.Month{}
	for _, v := range c.covering() {
		if v.monthOnly && v.people > 0 {
			vague[v.point] = append(vague[v.point], v.month)
		}
	}
	network := op.Network()
	if codes, ok := r.where["point"]; ok {
		network = slices.DeleteFunc(slices.Clone(network), func(p dtm.Point) bool { return !slices.Contains(codes, p.Code) })
	}
	zone := op.Zone
	if zone == nil {
		zone = time.UTC
	}
	return check.Coverage(network, came, vague, r.period, zone, c.state.release.At), nil
}

// expectedDays is the observed share of the days on which the register has points
// observed. Which days those are is said by the register as it is now.
func (c *computation) expectedDays() error {
	r, op := c.request, c.engine.op
	c.table.Basis = "expected_point_days"
	list, err := c.pointCoverage(nil)
	if err != nil {
		return err
	}
	type sum struct {
		keys                        []string
		observed, expected, unknown int
	}
	sums := map[string]*sum{}
	network := op.Network()
	_, regional := r.where["region"]
	regional = regional || slices.Contains(r.by, "region")
	var keys []string
	for _, x := range list {
		at := slices.IndexFunc(network, func(p dtm.Point) bool { return p.Code == x.Point })
		for _, d := range x.Days {
			if d.State == check.DayPending {
				c.running()
			}
			if !d.Expected || d.State == check.DayPending {
				continue
			}
			var region string
			if regional {
				region = network[at].PlaceAt(d.Day).Area
			}
			if codes, ok := r.where["region"]; ok && !slices.Contains(codes, region) {
				continue
			}
			keys = keys[:0]
			for _, dim := range r.by {
				switch dim {
				case "month":
					keys = append(keys, dtm.MonthOf(d.Day).String())
				case "point":
					keys = append(keys, x.Point)
				case "region":
					keys = append(keys, region)
				}
			}
			id := strings.Join(keys, "\x1f")
			s := sums[id]
			if s == nil {
				s = &sum{keys: slices.Clone(keys)}
				sums[id] = s
			}
			s.expected++
			switch d.State {
			case check.DayObserved:
				s.observed++
			case check.DayUnknown:
				s.unknown++
			}
		}
	}
	for _, s := range sums {
		f := dtm.Figure{Keys: s.keys, Denominator: number(float64(s.expected))}
		if s.unknown > 0 {
			c.note("days.unknown", noDaysEN, noDaysFR)
		} else {
			f.Numerator, f.Value = number(float64(s.observed)), number(100*float64(s.observed)/float64(s.expected))
		}
		c.add(f)
	}
	return nil
}
