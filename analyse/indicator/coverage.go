package indicator

import (
	"slices"
	"strings"
	"time"

	"dtm"
)

// expectedDays is the observed share of the days on which the register has points
// observed. Which days those are is said by the register as it is now.
func (c *computation) expectedDays() error {
	r := c.request
	c.table.Basis = "expected_point_days"
	lines, err := c.run(r.def.query, ask{by: []string{"point", "day"}, where: r.where, period: r.period}, 1)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, l := range lines {
		seen[strings.Join(l.keys, " ")] = true
	}
	monthOnly := map[string]bool{}
	for _, v := range c.covering() {
		if v.monthOnly && v.people > 0 {
			monthOnly[v.point+" "+v.month.String()] = true
		}
	}
	type sum struct {
		keys               []string
		observed, expected float64
		unknown            bool
	}
	sums := map[string]*sum{}
	until := r.period.From.AddDate(0, 0, c.elapsed(r.period))
	network := c.engine.op.Network()
	for i := range network {
		p := &network[i]
		if codes, ok := r.where["point"]; ok && !slices.Contains(codes, p.Code) {
			continue
		}
		for d := r.period.From; d.Before(until); d = d.AddDate(0, 0, 1) {
			region := p.PlaceAt(d).Area
			if codes, ok := r.where["region"]; ok && !slices.Contains(codes, region) {
				continue
			}
			if plan := p.PlanAt(d); !p.OpenOn(d) || plan.Days != 0 && !plan.On(d) {
				continue
			}
			month := dtm.MonthOf(d).String()
			var keys []string
			for _, dim := range r.by {
				keys = append(keys, map[string]string{"month": month, "point": p.Code, "region": region}[dim])
			}
			id := strings.Join(keys, "\x1f")
			s := sums[id]
			if s == nil {
				s = &sum{keys: keys}
				sums[id] = s
			}
			s.expected++
			if seen[p.Code+" "+d.Format(time.DateOnly)] {
				s.observed++
			} else if monthOnly[p.Code+" "+month] {
				s.unknown = true
			}
		}
	}
	for _, s := range sums {
		f := dtm.Figure{Keys: s.keys, Denominator: number(s.expected)}
		if s.unknown {
			c.note("days.unknown", noDaysEN, noDaysFR)
		} else {
			f.Numerator, f.Value = number(s.observed), number(100*s.observed/s.expected)
		}
		c.add(f)
	}
	return nil
}
