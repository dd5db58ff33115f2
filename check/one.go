package check

import (
	"math"
	"time"

	"dtm"
)

// Frame is the country's extent in degrees, a margin for the sea included.
type Frame struct{ West, South, East, North float64 }

func (f Frame) contains(p Position) bool {
	return p.Lon >= f.West && p.Lon <= f.East && p.Lat >= f.South && p.Lat <= f.North
}

// FrameOf is the frame around the operation's positioned points, one degree wider
// on each side; the zero Frame when none has a position.
func FrameOf(op *dtm.Operation) Frame {
	f := Frame{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range op.Network() {
		if p.Positioned {
			f.West, f.East = min(f.West, p.Lon), max(f.East, p.Lon)
			f.South, f.North = min(f.South, p.Lat), max(f.North, p.Lat)
		}
	}
	if f.West > f.East {
		return Frame{}
	}
	return Frame{f.West - 1, f.South - 1, f.East + 1, f.North + 1}
}

// One checks a record by itself.
func (r Rules) One(op *dtm.Operation, frame Frame, x *Record) []Finding {
	var out []Finding
	find := func(rule string, seen, usual float64) {
		if _, ok := r[rule]; ok {
			out = append(out, Finding{Rule: rule, Record: x.ID, Subject: x.Point, Day: x.Observed, Seen: seen, Usual: usual})
		}
	}
	n := x.people()
	if x.Stated != nil && *x.Stated != n {
		find("answers.sum", float64(*x.Stated), float64(n))
	}
	if n == 0 {
		find("group.empty", 1, 0)
	}
	if most, off := r.limit("group.large", "people"); !off && float64(n) > most && !x.monthly() && !x.Imported {
		find("group.large", float64(n), most)
	}
	r.vulnerable(x, find)
	r.route(op, x, find)
	r.place(op, frame, x, find)
	r.clock(op, x, find)
	if x.Imported {
		for _, m := range x.Rows {
			for _, f := range m.Flags {
				if f.Rule == "count.invalid" {
					find(f.Rule, 0, 0)
				}
			}
		}
	}
	return out
}

// monthly tells whether the record is a month's sum.
func (x *Record) monthly() bool { return len(x.Rows) > 0 && x.Rows[0].MonthOnly }

func (r Rules) route(op *dtm.Operation, x *Record, find func(string, float64, float64)) {
	same, missing := false, false
	for _, m := range x.Rows {
		if m.Previous == "" || m.Next == "" {
			missing = true
		} else if m.Previous == m.Next && m.Previous != op.Country && m.Previous != dtm.UnknownCountry && m.Previous != dtm.OtherCountry {
			same = true
		}
	}
	if same {
		find("route.same", 1, 0)
	}
	if missing {
		find("route.missing", 1, 0)
	}
}

func (r Rules) vulnerable(x *Record, find func(string, float64, float64)) {
	counted, most := map[string]int{}, map[string]int{}
	for _, m := range x.Rows {
		for _, v := range m.Vulnerable {
			counted[v.Code] += v.People
		}
	}
	for code, n := range counted {
		for i := range x.Rows {
			if m := &x.Rows[i]; m.CanBe(code) {
				most[code] += m.People
			}
		}
		if n > most[code] {
			find("vulnerable.exceeds", float64(n), float64(most[code]))
			return
		}
	}
}

func (r Rules) place(op *dtm.Operation, frame Frame, x *Record, find func(string, float64, float64)) {
	text := ""
	if len(x.Rows) > 0 {
		text = x.Rows[0].PointText
	}
	p, known := op.Point(x.Point)
	switch {
	case x.Point == "" && text == "":
		find("point.blank", 1, 0)
	case !known:
		find("point.unknown", 1, 0)
	case len(p.Status) > 0 && dtm.ValueAt(p.Status, x.Observed) != "open" && !x.Observed.IsZero() && !x.monthly():
		find("point.closed", 1, 0)
	}
	if x.Position == nil {
		return
	}
	if frame != (Frame{}) && !frame.contains(*x.Position) {
		find("position.outside", 1, 0)
		return
	}
	if at := p.PlaceAt(x.Observed); known && at.Positioned {
		name := "km"
		if at.Approximate {
			name = "approximate_km"
		}
		most, off := r.limit("position.far", name)
		if km := dtm.Kilometres(x.Position.Lat, x.Position.Lon, at.Lat, at.Lon) - x.Position.Accuracy/1000; !off && km > most {
			find("position.far", km, most)
		}
	}
}

func (r Rules) clock(op *dtm.Operation, x *Record, find func(string, float64, float64)) {
	zone := op.Zone
	if zone == nil {
		zone = time.UTC
	}
	made := x.End
	if made.IsZero() {
		made = x.Start
	}
	if made.IsZero() {
		made = x.Received
	}
	if !made.IsZero() && !x.Observed.IsZero() && !x.monthly() && !x.Imported {
		local := made.In(zone)
		day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
		late := day.Sub(x.Observed).Hours() / 24
		if most, off := r.limit("date.old", "days"); !off && late > most {
			find("date.old", late, most)
		}
		if late < 0 {
			find("date.future", -late, 0)
		}
	}
	if (x.monthly() || x.Imported) && x.early(zone) {
		find("date.future", float64(x.Observed.Sub(x.Received).Hours()/24), 0)
	}
	if hours, off := r.limit("clock.wrong", "hours"); !off && !x.End.IsZero() && !x.Received.IsZero() {
		if ahead := x.End.Sub(x.Received).Hours(); ahead > hours {
			find("clock.wrong", ahead, hours)
		}
	}
	if least, off := r.limit("interview.fast", "seconds"); !off && !x.Start.IsZero() && !x.End.IsZero() {
		if took := x.End.Sub(x.Start).Seconds(); took >= 0 && took < least {
			find("interview.fast", took, least)
		}
	}
}

// East is how far, in kilometres, a place lies east of another one near by.
func East(lat, lon, other float64) float64 {
	return (other - lon) * 111.195 * math.Cos(lat*math.Pi/180)
}

// North is the distance to the north.
func North(lat, other float64) float64 { return (other - lat) * 111.195 }
