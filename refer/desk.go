package refer

import (
	"cmp"
	"math"
	"slices"
	"time"

	"dtm"
)

// Offer is a desk that could take a referral, with what speaks for and against it.
type Offer struct {
	Desk     dtm.Desk
	Km       float64 // from where the person is; -1 not known
	Free     int     // places; dtm.NoLimit
	OpenNow  bool
	Stale    bool   // its entry was not confirmed for thirty days
	Speaks   bool   // the person's language
	Services int    // of the needs that it serves
	Why      string // code why it cannot take the referral; "" it can: "barred", "programme", "closed", "paused", "full", "age", "sex", "area"
}

// Offers judges all desks for a referral and puts the best first: those that can take
// it, by whether they have a place, whether the language is spoken, needs served and
// distance. from is where the person is, area the admin 1 P-code around it.
func Offers(op *dtm.Operation, r dtm.Referral, desks []dtm.Desk, from *dtm.Whereabouts, area string, now time.Time) []Offer {
	list := make([]Offer, 0, len(desks))
	for _, d := range desks {
		if d.Programme != r.Programme {
			continue
		}
		o := Offer{Desk: d, Km: -1, Free: d.Free(), Stale: now.Sub(d.Verified) > dtm.Stale, Speaks: r.Lang == "" || slices.Contains(d.Languages, r.Lang)}
		if from != nil && d.Located {
			o.Km = dtm.Kilometres(from.Lat, from.Lon, d.Lat, d.Lon)
		}
		for _, n := range r.Needs {
			if slices.Contains(d.Services, n) {
				o.Services++
			}
		}
		zone := op.Zone
		if zone == nil {
			zone = time.UTC
		}
		o.OpenNow = openAt(d.Open, now, zone)
		o.Why = why(op, r, d, area, now)
		list = append(list, o)
	}
	slices.SortStableFunc(list, func(a, b Offer) int {
		return cmp.Or(
			yesFirst(a.Why == "", b.Why == ""),
			yesFirst(a.Speaks, b.Speaks),
			yesFirst(a.Km >= 0, b.Km >= 0),
			cmp.Compare(math.Round(a.Km), math.Round(b.Km)),
			cmp.Compare(b.Services, a.Services),
			cmp.Compare(free(b), free(a)),
			cmp.Compare(a.Desk.Code, b.Desk.Code))
	})
	return list
}

// openAt tells whether a desk is open: hours over midnight belong to the day before.
func openAt(p dtm.Plan, now time.Time, zone *time.Location) bool {
	if p.Days == 0 {
		return false
	}
	local := now.In(zone)
	for _, back := range []int{0, 1} {
		day := time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, time.UTC)
		if from, to := p.Span(day, zone); p.On(day) && !now.Before(from) && now.Before(to) {
			return true
		}
	}
	return false
}

func free(o Offer) int {
	if o.Free == dtm.NoLimit {
		return math.MaxInt
	}
	return o.Free
}

func yesFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// why tells what keeps a desk from taking the referral.
func why(op *dtm.Operation, r dtm.Referral, d dtm.Desk, area string, now time.Time) string {
	youngest, oldest := bounds(r.Age)
	switch {
	case Barred(op.Programmes, r.Guarded, d) != nil:
		return "barred"
	case d.Closed:
		return "closed"
	case d.PausedAt(now):
		return "paused"
	case d.Area != "" && area != "" && d.Area != area:
		return "area"
	case d.Sex != "" && r.Sex != d.Sex:
		return "sex"
	case r.Age != "" && (d.MinAge > oldest || d.MaxAge > 0 && d.MaxAge < youngest):
		return "age"
	case d.Free() == 0:
		return "full"
	}
	return ""
}

// bounds of an age band.
func bounds(band string) (from, to int) {
	switch band {
	case "0-4":
		return 0, 4
	case "5-17":
		return 5, 17
	case "18-59":
		return 18, 59
	}
	return 60, 200
}
