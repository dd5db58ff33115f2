package check

import (
	"math"

	"dtm"
)

// Compared is a published figure with what is computed from the records now; Known is
// false where nothing can be computed.
type Compared struct {
	dtm.Reference
	Computed float64
	Known    bool
}

// Differs tells whether the computed figure is another than the published one, in
// units of the last digit that was published; a lower bound is only passed from below.
func (c Compared) Differs(units float64) bool {
	step := units * math.Pow(10, -float64(c.Decimals))
	if !c.Known {
		return true
	}
	if c.AtLeast {
		return c.Computed < c.Value
	}
	// Half a unit is what rounding takes, in either direction.
	return math.Abs(c.Computed-c.Value) > step+1e-9
}

// References names the published figures that the records do not give.
func (r Rules) References(list []Compared) []Finding {
	const rule = "month.reference"
	units, off := r.limit(rule, "units")
	if off {
		return nil
	}
	var out []Finding
	for _, c := range list {
		if c.Differs(units) {
			out = append(out, Finding{Rule: rule, Subject: c.Indicator, Day: c.Period.From, Seen: c.Computed, Usual: c.Value, Text: c.Source})
		}
	}
	return sorted(out)
}
