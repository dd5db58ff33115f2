package xform

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Circumstances are what a submission says of its own making: when by the device's
// clock, where, and what a person could compare it with others by.
type Circumstances struct {
	Start, End time.Time // zero when the form does not ask
	Positioned bool
	Lat, Lon   float64
	Accuracy   float64 // metres; 0 when not known
	Stated     *int    // the total that the form says of the whole group
	Slot       string  // part of the day, #date+slot
	Answers    string  // what describes the group, without time, place, files and remarks
}

// Circumstances reads them by question types and HXL tags.
func (in *Instance) Circumstances() Circumstances {
	var c Circumstances
	var answers strings.Builder
	in.Root.Each(func(a Answer, among *Answers) {
		if a.Value == "" {
			return
		}
		t := parseTag(a.Node.HXL)
		switch {
		case a.Node.Type == "start":
			c.Start = instant(a.Value)
		case a.Node.Type == "end":
			c.End = instant(a.Value)
		case a.Node.Type == "geopoint" && t.is("#geo", "coord"):
			c.Lat, c.Lon, c.Accuracy, c.Positioned = geopoint(a.Value)
		case t.is("#date", "slot"):
			c.Slot = a.Value
		case t.is("#affected", "total") && among == in.Root:
			if n, err := strconv.Atoi(a.Value); err == nil {
				c.Stated = &n
			}
		case t.hash == "#date", t.is("#loc", "fmp"), a.Node.Attachment():
		case t.hash != "" || strings.HasPrefix(a.Node.Type, "select_") || a.Node.Type == "integer":
			answers.WriteString(a.Node.Path() + "=" + a.Value + "\n")
		}
	})
	c.Answers = answers.String()
	return c
}

// instant reads a time stamp as phones write it; zero when it is none.
func instant(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// geopoint reads "latitude longitude altitude accuracy", the last two optional.
func geopoint(s string) (lat, lon, accuracy float64, ok bool) {
	parts := strings.Fields(s)
	if len(parts) < 2 {
		return 0, 0, 0, false
	}
	v := make([]float64, 4)
	for i, p := range parts[:min(4, len(parts))] {
		var err error
		if v[i], err = strconv.ParseFloat(p, 64); err != nil || math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
			return 0, 0, 0, false
		}
	}
	return v[0], v[1], v[3], math.Abs(v[0]) <= 90 && math.Abs(v[1]) <= 180
}
