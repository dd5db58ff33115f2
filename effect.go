package dtm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Things of a point that the register dates, in the order they are shown.
const (
	ThingStatus = "status"
	ThingRole   = "role"
	ThingName   = "name"
	ThingPlace  = "place"
	ThingPlan   = "plan"
	ThingCrew   = "crew"
	ThingAlias  = "alias"
)

// Effect is what a change of the register alters on a span of days: the thing is
// one way before, another way after.
type Effect struct {
	Thing         string
	From, Until   time.Time // Until is not included; zero: without end (From: since ever)
	Before, After Point     // the point as it was and would be on the first of the days
}

// Effects tells what the register would say otherwise of a point if c were added: an
// empty list when nothing. Aliases have no days.
func (r *Register) Effects(c PointChange) []Effect {
	before, _ := r.Point(c.Point, c.From)
	after, _ := r.With(c).Point(c.Point, c.From)
	var out []Effect
	for _, thing := range []string{ThingStatus, ThingRole, ThingName, ThingPlace, ThingPlan, ThingCrew} {
		out = append(out, effects(thing, &before, &after)...)
	}
	if strings.Join(before.Aliases, "\n") != strings.Join(after.Aliases, "\n") {
		out = append(out, Effect{Thing: ThingAlias, Before: before, After: after})
	}
	return out
}

func effects(thing string, before, after *Point) []Effect {
	days := []time.Time{{}}
	for _, p := range []*Point{before, after} {
		days = append(days, p.days(thing)...)
	}
	slices.SortFunc(days, time.Time.Compare)
	days = slices.CompactFunc(days, time.Time.Equal)
	var out []Effect
	last := ""
	for i, d := range days {
		was, is := before.say(thing, d), after.say(thing, d)
		if was == is {
			last = ""
			continue
		}
		until := time.Time{}
		if i+1 < len(days) {
			until = days[i+1]
		}
		if key := was + "\x00" + is; key == last {
			out[len(out)-1].Until = until
		} else {
			last = key
			out = append(out, Effect{thing, d, until, *before, *after})
		}
	}
	return out
}

// days are those on which a thing may change.
func (p *Point) days(thing string) (out []time.Time) {
	switch thing {
	case ThingStatus:
		return dayList(since(p.Status))
	case ThingRole:
		return dayList(since(p.Role))
	case ThingName:
		return dayList(p.Names)
	case ThingPlace:
		return dayList(p.Places)
	case ThingPlan:
		return dayList(p.Plans)
	case ThingCrew:
		return dayList(p.Crews)
	}
	return nil
}

func dayList[T any](list []Since[T]) (out []time.Time) {
	for _, s := range list {
		out = append(out, s.From)
	}
	return out
}

// say writes how a thing is on a day: two states that are written alike are alike.
func (p *Point) say(thing string, day time.Time) string {
	switch thing {
	case ThingStatus:
		return ValueAt(p.Status, day)
	case ThingRole:
		return ValueAt(p.Role, day)
	case ThingName:
		return fmt.Sprint(map[Lang]string(p.NameAt(day)))
	case ThingPlace:
		return fmt.Sprint(p.PlaceAt(day))
	case ThingPlan:
		return p.PlanAt(day).String()
	case ThingCrew:
		return fmt.Sprint(p.CrewAt(day))
	}
	return ""
}
