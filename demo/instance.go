package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"dtm"
	"dtm/gather/xlsform"
)

// Instance is a group as a phone would send it.
type Instance struct {
	ID    string
	Point string    // code of the point it was filled in at; "" for none
	At    time.Time // when it was filled in
	XML   []byte
}

// Sent is when it arrived: phones send when they find a network, within some hours.
func (i Instance) Sent() time.Time {
	wait := fnv.New32a()
	wait.Write([]byte(i.ID))
	n := wait.Sum32()
	minutes := 10 + n%50
	if n%7 == 0 { // no network until the evening
		minutes += 240
	}
	if n%17 == 0 { // a phone that comes back to the town days later
		minutes += 1440 * (1 + n/17%3)
	}
	return i.At.Add(time.Duration(minutes) * time.Minute)
}

// Day gives the instances of one day. start is the first day of the demo.
func Day(op *dtm.Operation, form *xlsform.Form, start, day time.Time, seed uint64) []Instance {
	var out []Instance
	for _, g := range groupsOn(op, start, day, seed) {
		if pt, ok := op.Point(g.point); ok && pt.Positioned {
			g.answers["position"] = around(pt, g.id)
		}
		out = append(out, Instance{ID: g.id, Point: g.point, At: g.at, XML: write(form, &g)})
	}
	return out
}

// around is where a group was registered, as a phone writes it: within some hundred
// metres of the point, one in a hundred and fifty some kilometres off.
func around(pt dtm.Point, id string) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	n := h.Sum64()
	km := 0.02 + 0.4*float64(n%1000)/1000*float64(n>>10%1000)/1000
	if n>>40%150 == 0 {
		km = 6 + float64(n>>20%8)
	}
	angle := 2 * math.Pi * float64(n>>30%360) / 360
	lat := pt.Lat + km/111.2*math.Cos(angle)
	lon := pt.Lon + km/111.2*math.Sin(angle)/math.Cos(pt.Lat*math.Pi/180)
	return fmt.Sprintf("%.5f %.5f 0 %d", lat, lon, 4+n>>50%12)
}

// write lays the answers out by the form, so that a question added to it is there,
// unanswered.
func write(form *xlsform.Form, g *group) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0"?><%s id="%s" version="%s">`, form.Root.Name, form.ID, form.Version)
	children(&b, form.Root, g.value, g)
	fmt.Fprintf(&b, `<meta><instanceID>%s</instanceID><instanceName>%s %s</instanceName></meta></%s>`, g.id, g.point, g.day.Format(time.DateOnly), form.Root.Name)
	return b.Bytes()
}

func children(b *bytes.Buffer, parent *xlsform.Node, value func(string) string, g *group) {
	for _, n := range parent.Nodes {
		switch n.Kind {
		case xlsform.Repeat:
			for _, turn := range g.blocks {
				b.WriteString("<" + n.Name + ">")
				children(b, n, turn.value, g)
				b.WriteString("</" + n.Name + ">")
			}
		case xlsform.Group:
			b.WriteString("<" + n.Name + ">")
			children(b, n, value, g)
			b.WriteString("</" + n.Name + ">")
		default:
			if v := value(n.Name); v != "" {
				b.WriteString("<" + n.Name + ">")
				_ = xml.EscapeText(b, []byte(v)) // a buffer does not fail
				b.WriteString("</" + n.Name + ">")
			} else {
				b.WriteString("<" + n.Name + "/>")
			}
		}
	}
}
