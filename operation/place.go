package operation

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"dtm"
)

func (l *loader) areas() {
	const file = "areas.csv"
	seen := map[string]int{}
	for _, r := range l.table(file, "code", "parent", "level") {
		level, err := strconv.Atoi(r.get("level"))
		if err != nil || level < 1 {
			l.fault(file, r.line, "level %q: want 1, 2 ...", r.get("level"))
		}
		a := dtm.Area{Code: r.get("code"), Parent: r.get("parent"), Level: level, ISO: r.get("iso"), Name: l.text(r)}
		l.once(file, r, seen)
		parent, ok := l.op.Area(a.Parent)
		switch {
		case a.Parent == "" && level > 1:
			l.fault(file, r.line, "the area %q of level %d has no parent", a.Code, level)
		case a.Parent != "" && !ok:
			l.fault(file, r.line, "the parent %q of %q is not above this line", a.Parent, a.Code)
		case a.Parent != "" && parent.Level != level-1:
			l.fault(file, r.line, "the parent %q of %q is of level %d, not %d", a.Parent, a.Code, parent.Level, level-1)
		case !strings.HasPrefix(a.Code, a.Parent):
			l.fault(file, r.line, "the P-code %q does not begin with its parent's, %q", a.Code, a.Parent)
		}
		l.complete(file, r.line, a.Code, a.Name)
		l.op.Areas = append(l.op.Areas, a)
	}
}

// spelling is the point that a spelling means, and who says so.
type spelling struct {
	point, where string
	alias        bool
}

func (l *loader) points() {
	const file = "points.csv"
	index, seen := map[string]int{}, map[string]int{}
	spelt := map[string]spelling{} // by what spellings share
	claim := func(file string, line int, name, code string) {
		key := dtm.Fold(name)
		switch before, ok := spelt[key]; {
		case key == "":
			l.fault(file, line, "the name %q of %q has no letters", name, code)
		case ok && before.point != code:
			l.fault(file, line, "%q already means the point %q (%s)", name, before.point, before.where)
		case ok && before.alias && file != "points.csv":
			l.fault(file, line, "the alias %q is on %s already, but for accents, spaces or hyphens", name, before.where)
		default:
			spelt[key] = spelling{code, fmt.Sprintf("%s:%d", file, line), file != "points.csv"}
		}
	}
	for _, r := range l.table(file, "code", "region", "area", "lon", "lat", "approximate", "note") {
		p := dtm.Point{Code: r.get("code"), Name: l.text(r), Area: r.get("region"), Area2: r.get("area"), Note: r.get("note"), Approximate: r.get("approximate") == "yes"}
		l.once(file, r, seen)
		for level, code := range []string{p.Area, p.Area2} {
			switch a, ok := l.op.Area(code); {
			case code == "":
			case !ok:
				l.fault(file, r.line, "the P-code %q is not in areas.csv", code)
			case a.Level != level+1:
				l.fault(file, r.line, "the P-code %q is of level %d, not %d", code, a.Level, level+1)
			}
		}
		if p.Area2 != "" && (p.Area == "" || !strings.HasPrefix(p.Area2, p.Area)) {
			l.fault(file, r.line, "the area %q does not lie in the region %q", p.Area2, p.Area)
		}
		if r.get("lon") != "" || r.get("lat") != "" {
			p.Positioned = true
			p.Lon = l.number(file, r.line, "lon", r.get("lon"), 180)
			p.Lat = l.number(file, r.line, "lat", r.get("lat"), 90)
		}
		if a := r.get("approximate"); a != "" && a != "yes" && a != "no" {
			l.fault(file, r.line, "approximate %q: want yes, no or nothing", a)
		}
		l.complete(file, r.line, p.Code, p.Name)
		if p.Code != "" {
			claim(file, r.line, p.Code, p.Code)
		}
		for _, n := range p.Name {
			claim(file, r.line, n, p.Code)
		}
		index[p.Code] = len(l.op.Points)
		l.op.Points = append(l.op.Points, p)
	}
	find := func(file string, r row) *dtm.Point {
		i, ok := index[r.get("point")]
		if !ok {
			l.fault(file, r.line, "there is no point %q in points.csv", r.get("point"))
			return nil
		}
		return &l.op.Points[i]
	}
	for _, r := range l.table("point_aliases.csv", "point", "alias") {
		if p := find("point_aliases.csv", r); p != nil {
			claim("point_aliases.csv", r.line, r.get("alias"), p.Code)
			p.Aliases = append(p.Aliases, r.get("alias"))
		}
	}
	l.dated("point_roles.csv", "role", find, func(p *dtm.Point) *[]dtm.Dated { return &p.Role },
		dtm.RoleEntry, dtm.RoleTransit, dtm.RoleExit, dtm.RoleReturn)
	l.dated("point_status.csv", "status", find, func(p *dtm.Point) *[]dtm.Dated { return &p.Status }, "open", "closed")
}

// dated reads a file of point, from and a value that holds from that day.
func (l *loader) dated(file, column string, find func(string, row) *dtm.Point, list func(*dtm.Point) *[]dtm.Dated, allowed ...string) {
	for _, r := range l.table(file, "point", "from", column) {
		p := find(file, r)
		if p == nil {
			continue
		}
		d := dtm.Dated{Value: r.get(column)}
		if r.get("from") != "" {
			d.From = l.date(file, r.line, r.get("from"))
		}
		ok := false
		for _, a := range allowed {
			ok = ok || a == d.Value
		}
		if !ok {
			l.fault(file, r.line, "%s %q: want %s", column, d.Value, strings.Join(allowed, ", "))
		}
		at := list(p)
		*at = append(*at, d)
		l.ascending(file, r.line, p.Code, *at)
	}
}

func (l *loader) number(file string, line int, what, s string, limit float64) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(math.Abs(v) <= limit) { // not a number is not within the limit
		l.fault(file, line, "%s %q: want a number between -%g and %g", what, s, limit, limit)
	}
	return v
}
