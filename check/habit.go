package check

import "time"

// pace finds hours in which a device made more records than one can count groups.
// One finding a device and day.
func (r Rules) pace(list []*Record) []Finding {
	const rule = "device.pace"
	most, off := r.limit(rule, "records")
	minutes, _ := r.limit(rule, "minutes")
	if off {
		return nil
	}
	window := time.Duration(minutes * float64(time.Minute))
	var out []Finding
	from := 0
	last := time.Time{}
	for i, x := range list {
		if x.Start.IsZero() {
			continue
		}
		for list[from].Start.IsZero() || x.Start.Sub(list[from].Start) > window {
			from++
		}
		if n := i - from + 1; float64(n) > most && !x.Observed.Equal(last) {
			out = append(out, Finding{Rule: rule, Subject: x.Device, Day: x.Observed, Seen: float64(n), Usual: most})
			last = x.Observed
		}
	}
	return out
}

// night finds devices that make a large share of their records when few people move:
// the day's work written down at night, from memory.
func (r Rules) night(zone *time.Location, device string, list []*Record) []Finding {
	const rule = "device.night"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	from, _ := r.limit(rule, "from")
	to, _ := r.limit(rule, "to")
	n, late := 0, 0
	for _, x := range list {
		if x.Start.IsZero() {
			continue
		}
		n++
		if h := float64(x.Start.In(zone).Hour()); from <= to && h >= from && h < to || from > to && (h >= from || h < to) {
			late++
		}
	}
	if off || float64(n) < least || float64(late)/float64(n) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(late) / float64(n), Usual: most}}
}

// same finds devices that write one size of group again and again.
func (r Rules) same(device string, list []*Record) []Finding {
	const rule = "device.same"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	sizes := map[int]int{}
	n, top := 0, 0
	for _, x := range list {
		// Small groups are alike by nature.
		if p := x.people(); p >= 5 {
			n++
			sizes[p]++
			top = max(top, sizes[p])
		}
	}
	if off || float64(n) < least || float64(top)/float64(n) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(top) / float64(n), Usual: most}}
}
