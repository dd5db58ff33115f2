package check

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"dtm"
)

// Devices looks at the records of each device: the same answers one after another,
// round counts, unknown sex and age, groups of another size than the others'. The
// figures are for support: they say where training or a better shade helps.
func (r Rules) Devices(op *dtm.Operation, records []*Record) []Finding {
	zone := op.Zone
	if zone == nil {
		zone = time.UTC
	}
	by := map[string][]*Record{}
	for _, x := range records {
		if x.Device != "" && !x.monthly() {
			by[x.Device] = append(by[x.Device], x)
		}
	}
	var out []Finding
	for _, device := range slices.Sorted(maps.Keys(by)) {
		list := by[device]
		slices.SortFunc(list, func(a, b *Record) int { return cmp.Or(a.made().Compare(b.made()), cmp.Compare(a.ID, b.ID)) })
		out = append(out, r.straight(list)...)
		out = append(out, r.heaping(device, list)...)
		out = append(out, r.unknowns(device, list)...)
		out = append(out, r.pace(list)...)
		out = append(out, r.night(zone, device, list)...)
		out = append(out, r.same(device, list)...)
	}
	return append(out, r.sizes(by)...)
}

// straight finds runs of records with the same answers; every record of a run
// after the first is named.
func (r Rules) straight(list []*Record) []Finding {
	const rule = "device.straight"
	least, off := r.limit(rule, "records")
	if off {
		return nil
	}
	var out []Finding
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].Answers != "" && list[j].Answers == list[i].Answers {
			j++
		}
		if run := j - i; float64(run) >= least {
			for _, x := range list[i+1 : j] {
				out = append(out, Finding{Rule: rule, Record: x.ID, Other: list[i].ID, Subject: x.Device, Day: x.Observed, Seen: float64(run), Usual: least})
			}
		}
		i = j
	}
	return out
}

func (r Rules) heaping(device string, list []*Record) []Finding {
	const rule = "device.heaping"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	if off {
		return nil
	}
	n, round := 0, 0
	for _, x := range list {
		// Below five there is nothing to round.
		if p := x.people(); p >= 5 {
			n++
			if p%5 == 0 {
				round++
			}
		}
	}
	if float64(n) < least || float64(round)/float64(n) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(round) / float64(n), Usual: 0.2}}
}

func (r Rules) unknowns(device string, list []*Record) []Finding {
	const rule = "device.unknown"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	unknown := 0
	for _, x := range list {
		if x.unknown() > 0 {
			unknown++
		}
	}
	if off || float64(len(list)) < least || float64(unknown)/float64(len(list)) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(unknown) / float64(len(list)), Usual: most}}
}

// moments are the count, mean and variance of the logarithms of group sizes.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(v float64) { m.n, m.sum, m.squares = m.n+1, m.sum+v, m.squares+v*v }
func (m moments) mean() float64  { return m.sum / m.n }
func (m moments) variance() float64 {
	return max(0, (m.squares-m.sum*m.sum/m.n)/(m.n-1))
}

// sizes compares the logarithm of a device's group sizes with that of the others
// at the same points (two-sample z).
func (r Rules) sizes(by map[string][]*Record) []Finding {
	const rule = "device.size"
	least, off := r.limit(rule, "records")
	score, _ := r.limit(rule, "score")
	if off {
		return nil
	}
	at := map[string]map[string]*moments{} // point, device
	for device, list := range by {
		for _, x := range list {
			if at[x.Point] == nil {
				at[x.Point] = map[string]*moments{}
			}
			if at[x.Point][device] == nil {
				at[x.Point][device] = &moments{}
			}
			if p := x.people(); p > 0 {
				at[x.Point][device].add(math.Log(float64(p)))
			}
		}
	}
	var out []Finding
	apart := map[string]bool{} // found already, and no measure for the others
	for {
		worst, highest, ratio := "", score, 0.0
		for _, device := range slices.Sorted(maps.Keys(by)) {
			if apart[device] {
				continue
			}
			z, diff, n := compare(at, device, apart)
			if n >= least && math.Abs(z) > highest && math.Abs(diff) > math.Log(1.3) {
				worst, highest, ratio = device, math.Abs(z), math.Exp(diff)
			}
		}
		if worst == "" {
			return out
		}
		apart[worst] = true
		list := by[worst]
		out = append(out, Finding{Rule: rule, Subject: worst, Day: list[len(list)-1].Observed, Seen: ratio, Usual: 1})
	}
}

// compare gives the device's z against the others at its points, the mean
// difference of the logarithms, and the number of records that it rests on.
func compare(at map[string]map[string]*moments, device string, apart map[string]bool) (z, diff, n float64) {
	var variance float64
	for _, point := range slices.Sorted(maps.Keys(at)) {
		devices := at[point]
		own := devices[device]
		if own == nil || own.n < 5 {
			continue
		}
		var others moments
		for d, m := range devices {
			if d != device && !apart[d] {
				others.n, others.sum, others.squares = others.n+m.n, others.sum+m.sum, others.squares+m.squares
			}
		}
		if others.n < 20 {
			continue
		}
		v := others.variance()
		diff += own.n * (own.mean() - others.mean())
		variance += own.n * own.n * (v/own.n + v/others.n)
		n += own.n
	}
	if n == 0 || variance == 0 {
		return 0, 0, 0
	}
	return diff / math.Sqrt(variance), diff / n, n
}
