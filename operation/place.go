package operation

import (
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
		if first, twice := seen[a.Code]; twice {
			l.fault(file, r.line, "the P-code %q is on line %d already", a.Code, first)
		}
		seen[a.Code] = r.line
		if a.Parent != "" && seen[a.Parent] == 0 {
			l.fault(file, r.line, "the parent %q of %q is not above this line", a.Parent, a.Code)
		}
		if level > 1 && !strings.HasPrefix(a.Code, a.Parent) {
			l.fault(file, r.line, "the P-code %q does not begin with its parent's, %q", a.Code, a.Parent)
		}
		l.complete(file, r.line, a.Code, a.Name)
		l.op.Areas = append(l.op.Areas, a)
	}
}

func (l *loader) points() {
	const file = "points.csv"
	index := map[string]int{}
	spelt := map[string]string{} // folded spelling -> point
	claim := func(file string, line int, name, code string) {
		key := dtm.Fold(name)
		if other, ok := spelt[key]; ok && other != code {
			l.fault(file, line, "%q already means the point %q", name, other)
		}
		spelt[key] = code
	}
	for _, r := range l.table(file, "code", "en", "fr", "region", "area", "lon", "lat", "approximate", "note") {
		p := dtm.Point{Code: r.get("code"), Name: l.text(r), Area: r.get("region"), Area2: r.get("area"), Note: r.get("note"), Approximate: r.get("approximate") == "yes"}
		if _, twice := index[p.Code]; twice || p.Code == "" {
			l.fault(file, r.line, "the code %q is empty or there twice", p.Code)
		}
		for _, a := range []string{p.Area, p.Area2} {
			if _, ok := l.op.Area(a); a != "" && !ok {
				l.fault(file, r.line, "the P-code %q is not in areas.csv", a)
			}
		}
		if p.Area2 != "" && !strings.HasPrefix(p.Area2, p.Area) {
			l.fault(file, r.line, "the area %q does not lie in the region %q", p.Area2, p.Area)
		}
		if r.get("lon") != "" || r.get("lat") != "" {
			p.Positioned = true
			p.Lon = l.number(file, r.line, "lon", r.get("lon"), 180)
			p.Lat = l.number(file, r.line, "lat", r.get("lat"), 90)
		}
		l.complete(file, r.line, p.Code, p.Name)
		claim(file, r.line, p.Code, p.Code)
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
	if err != nil || v < -limit || v > limit {
		l.fault(file, line, "%s %q: want a number between -%g and %g", what, s, limit, limit)
	}
	return v
}
