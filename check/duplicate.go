package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// composition describes the people of a record, whatever the order of its rows;
// with ways also where they come from, where they go and why.
func (x *Record) composition(ways bool) string {
	parts := make([]string, 0, len(x.Rows))
	for i := range x.Rows {
		m := &x.Rows[i]
		s := fmt.Sprintf("%s/%s/%s=%d", m.Sex, m.Age, m.Nationality, m.People)
		if ways {
			s += fmt.Sprintf(":%s>%s>%s>%s:%s:%s", m.Origin, m.Previous, m.Next, m.Final, m.Direction, strings.Join(m.Reasons, "+"))
		}
		parts = append(parts, s)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// made is when the record was made, by the phone or else by the server.
func (x *Record) made() time.Time {
	if !x.Start.IsZero() {
		return x.Start
	}
	return x.Received
}

// Duplicates finds groups that were recorded twice: at one point within minutes,
// and at two points within hours. Small groups look alike by chance; how often the
// composition comes up otherwise says whether this is one of those.
func (r Rules) Duplicates(records []*Record) []Finding {
	return append(r.atPoint(records), r.between(records)...)
}

func (r Rules) atPoint(records []*Record) []Finding {
	const rule = "duplicate.point"
	minutes, off := r.limit(rule, "minutes")
	chance, _ := r.limit(rule, "chance")
	if off {
		return nil
	}
	window := time.Duration(minutes * float64(time.Minute))
	like := map[string][]*Record{}
	perPoint := map[string]int{}
	perDay := map[string]int{}
	for _, x := range records {
		if len(x.Rows) == 0 || x.monthly() {
			continue
		}
		like[x.Point+"\x00"+x.composition(true)] = append(like[x.Point+"\x00"+x.composition(true)], x)
		perPoint[x.Point]++
		perDay[x.Point+x.Observed.Format(time.DateOnly)]++
	}
	var out []Finding
	for _, same := range like {
		slices.SortFunc(same, func(a, b *Record) int { return cmp.Or(a.made().Compare(b.made()), cmp.Compare(a.ID, b.ID)) })
		for i := 1; i < len(same); i++ {
			a, b := same[i-1], same[i]
			if !a.Observed.Equal(b.Observed) {
				continue
			}
			if apart := b.made().Sub(a.made()); apart > window || a.Start.IsZero() && a.Slot != b.Slot {
				continue
			}
			// How many records of this kind chance puts into the window: others of the
			// kind, spread over the day's records of the point, taken as twelve hours.
			others := float64(len(same)-2) / float64(perPoint[a.Point])
			inWindow := float64(perDay[a.Point+a.Observed.Format(time.DateOnly)]) * minutes / (12 * 60)
			if others*inWindow > chance {
				continue
			}
			out = append(out, Finding{Rule: rule, Record: b.ID, Other: a.ID, Subject: b.Point, Day: b.Observed, Seen: b.made().Sub(a.made()).Minutes(), Usual: minutes})
		}
	}
	return sorted(out)
}

func (r Rules) between(records []*Record) []Finding {
	const rule = "duplicate.between"
	least, off := r.limit(rule, "people")
	hours, _ := r.limit(rule, "hours")
	chance, _ := r.limit(rule, "chance")
	if off {
		return nil
	}
	var some []*Record
	for _, x := range records {
		if !x.monthly() && float64(x.people()) >= least {
			some = append(some, x)
		}
	}
	if len(some) == 0 {
		return nil
	}
	// The span is that of all records: on a quiet day large groups are few.
	first, last := records[0].made(), records[0].made()
	for _, x := range records {
		if x.made().Before(first) {
			first = x.made()
		}
		if x.made().After(last) {
			last = x.made()
		}
	}
	span := max(last.Sub(first), 24*time.Hour).Hours()
	var out []Finding
	seen := map[string]bool{}
	// A composition that comes up often says nothing, unless where they go and why, told
	// alike at both points, makes it rare.
	for _, ways := range []bool{false, true} {
		like := map[string][]*Record{}
		for _, x := range some {
			key := x.composition(ways)
			like[key] = append(like[key], x)
		}
		for _, same := range like {
			if expected := float64(len(same)-2) * hours / span; expected > chance {
				continue
			}
			slices.SortFunc(same, func(a, b *Record) int { return cmp.Or(a.made().Compare(b.made()), cmp.Compare(a.ID, b.ID)) })
			for i, b := range same {
				for k := i - 1; k >= 0 && !seen[b.ID] && b.made().Sub(same[k].made()).Hours() <= hours; k-- {
					if a := same[k]; a.Point != b.Point {
						seen[b.ID] = true
						out = append(out, Finding{Rule: rule, Record: b.ID, Other: a.ID, Subject: b.Point, Day: b.Observed, Seen: b.made().Sub(a.made()).Hours(), Usual: hours})
					}
				}
			}
		}
	}
	return sorted(out)
}

// sorted puts findings in an order that does not depend on maps.
func sorted(list []Finding) []Finding {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Record, b.Record))
	})
	return list
}
