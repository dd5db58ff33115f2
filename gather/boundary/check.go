package boundary

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/peterstace/simplefeatures/geom"

	"dtm"
)

// Use is somewhere that a P-code is in use.
type Use = dtm.AreaUse

// Change is an area that the files have and the areas in use have not, or the other way
// round.
type Change struct {
	Code, Name string
	Level      int
	Uses       []dtm.AreaUse // of one that is missing: it would be retired
}

// Renaming is an area whose name is another in the files.
type Renaming struct {
	Code   string
	Lang   dtm.Lang
	Is, To string
}

// Result is what files of boundaries would change.
type Result struct {
	Faults  []*dtm.Error // the files cannot be used while there are any
	Doubts  []*dtm.Error // they can; somebody should look
	Read    []int        // features read of levels 0, 1, 2
	Added   []Change
	Missing []Change   // not in the files any more
	Renamed []Renaming // where the files have another name
	Kept    bool       // the files have no level 2: that of the areas in use stays
	Atlas   *dtm.Atlas // what the areas would be; nil while there are faults
}

// InUse lists the missing areas that something still names.
func (r *Result) InUse() (out []Change) {
	for _, c := range r.Missing {
		if len(c.Uses) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// Check reads files of boundaries for an operation and lays them beside the areas in
// use. uses gives where a P-code is in use. names says that the names in the files are
// taken; else areas that there are already keep theirs, and new ones have the files'.
func Check(op *dtm.Operation, files []File, uses map[string][]dtm.AreaUse, names bool) *Result {
	in := readFiles(files)
	now := op.Atlas()
	c := &checking{reading: in, op: op, now: now, by: map[string]*area{}, ground: outlines(now.Boundaries)}
	res := &Result{Read: make([]int, 3)}
	if len(in.list) == 0 || len(in.areas) > 0 {
		c.codes()
		c.country()
	}
	for _, a := range in.areas {
		res.Read[a.level]++
	}
	if len(in.list) == 0 && res.Read[1] == 0 {
		c.add("", "level.one", nil, "there are no areas of the first level; add the file of level 1")
	}
	if res.Faults = in.all(); len(res.Faults) > 0 {
		res.Doubts = in.doubts.all()
		return res
	}
	c.within()
	c.points()
	c.compare(res, uses, names)
	res.Doubts = in.doubts.all()
	res.Atlas.Boundaries = c.draw(res.Atlas)
	return res
}

type checking struct {
	*reading
	op     *dtm.Operation
	now    *dtm.Atlas
	by     map[string]*area // of levels 1 and 2
	zero   *area
	ground []ground
}

// ground is an outline in use.
type ground struct {
	code  string
	level int
	raw   json.RawMessage // the feature
	shape orb.MultiPolygon
}

// outlines reads boundaries in use; they were checked when they were taken into use.
func outlines(raw []byte) (out []ground) {
	var doc struct{ Features []json.RawMessage }
	if json.Unmarshal(raw, &doc) != nil {
		return nil
	}
	for _, f := range doc.Features {
		var x struct {
			Properties struct {
				Code  string
				Level int
			}
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
		if json.Unmarshal(f, &x) != nil {
			continue
		}
		g := ground{code: x.Properties.Code, level: x.Properties.Level, raw: f}
		switch x.Geometry.Type {
		case "Polygon":
			g.shape = make(orb.MultiPolygon, 1)
			_ = json.Unmarshal(x.Geometry.Coordinates, &g.shape[0])
		case "MultiPolygon":
			_ = json.Unmarshal(x.Geometry.Coordinates, &g.shape)
		}
		out = append(out, g)
	}
	return out
}

// prefix is how P-codes of the country begin: what those in use share before the digits.
func (c *checking) prefix() string {
	for _, a := range c.now.Areas {
		if a.Level == 1 {
			return strings.TrimRight(a.Code, "0123456789")
		}
	}
	return ""
}

// codes looks at P-codes: twice, of another level or another country, below nothing.
func (c *checking) codes() {
	prefix := c.prefix()
	var zeros []*area
	for i := range c.areas {
		a := &c.areas[i]
		if a.level == 0 {
			zeros = append(zeros, a)
			continue
		}
		if first, twice := c.by[a.code]; twice {
			c.add(a.where(), "pcode.twice", []any{a.code, first.where()}, "the P-code %s is there already: %s")
			continue
		}
		c.by[a.code] = a
		if prefix != "" && !strings.HasPrefix(a.code, prefix) {
			c.add(a.where(), "pcode.country", []any{a.code, prefix}, "the P-code %s is of another country: those in use begin with %s")
			continue
		}
		if was, ok := c.now.Area(a.code); ok && was.Level != a.level {
			c.add(a.where(), "level", []any{a.code, a.level, was.Level}, "%s is given as an area of level %d; in use it is one of level %d")
		}
	}
	for i := range c.areas {
		a := &c.areas[i]
		if a.level != 2 {
			continue
		}
		up := a.parent(prefix)
		_, here := c.by[up]
		switch {
		case !strings.HasPrefix(a.code, up) || up == "":
			c.add(a.where(), "parent.prefix", []any{a.code, up}, "the P-code %s does not begin with that of the area above, %s")
		case !here:
			c.add(a.where(), "parent", []any{a.code, up}, "the area above %s, %s, is in none of the files")
		}
	}
	if len(zeros) == 1 {
		c.zero = zeros[0]
	} else if len(zeros) > 1 {
		c.add(zeros[1].where(), "country.twice", nil, "there is more than one country; level 0 is one feature")
	}
}

// country holds all outlines together against the country as it is drawn now: a file
// of another place, or with latitude first, does not lie there.
func (c *checking) country() {
	var is, would orb.Bound
	found := false
	for _, g := range c.ground {
		if g.code == c.op.Country && len(g.shape) > 0 {
			is, found = g.shape.Bound(), true
		}
	}
	if !found || len(c.areas) == 0 {
		return
	}
	would = c.areas[0].shape.Bound()
	for _, a := range c.areas[1:] {
		would = would.Union(a.shape.Bound())
	}
	swapped := orb.Bound{Min: orb.Point{would.Min[1], would.Min[0]}, Max: orb.Point{would.Max[1], would.Max[0]}}
	middle := would.Center()
	switch {
	case is.Intersects(would) && is.Pad(1).Contains(middle):
	case is.Intersects(swapped) && is.Pad(1).Contains(swapped.Center()):
		c.add(c.areas[0].file, "swapped", nil, "latitude and longitude are the wrong way round: in GeoJSON longitude comes first")
	default:
		c.add(c.areas[0].file, "elsewhere", []any{number(middle[0]), number(middle[1])}, "the areas lie around longitude %s, latitude %s, which is not this country")
	}
}

// within doubts areas of level 2 that lie beside the one above, and areas of level 1
// that lie upon each other, judged by a point well inside.
func (c *checking) within() {
	for i := range c.areas {
		a := &c.areas[i]
		if a.level == 0 {
			continue
		}
		p := inside(a.shape)
		for k := range c.areas {
			b := &c.areas[k]
			if k == i || b.level == 0 || !b.shape.Bound().Contains(p) {
				continue
			}
			if b.level == a.level && planar.MultiPolygonContains(b.shape, p) {
				c.doubts.add(a.where(), "overlap", []any{a.code, b.code}, "%s lies at least partly upon %s")
			}
		}
		if up := c.by[a.parent(c.prefix())]; up != nil && !planar.MultiPolygonContains(up.shape, p) {
			c.doubts.add(a.where(), "parent.beside", []any{a.code, up.code}, "%s does not lie in %s, the area above")
		}
	}
}

// inside is a point in the shape: the middle of the widest stretch of a line through
// the middle of its largest part.
func inside(m orb.MultiPolygon) orb.Point {
	ring := largest(m)
	b := ring.Bound()
	best, width := b.Center(), -1.0
	for _, share := range []float64{0.5, 0.37, 0.63} {
		y := b.Min[1] + share*(b.Max[1]-b.Min[1])
		var cuts []float64
		for i := 1; i < len(ring); i++ {
			p, q := ring[i-1], ring[i]
			if (p[1] > y) != (q[1] > y) {
				cuts = append(cuts, p[0]+(y-p[1])*(q[0]-p[0])/(q[1]-p[1]))
			}
		}
		slices.Sort(cuts)
		for i := 0; i+1 < len(cuts); i += 2 {
			x := orb.Point{(cuts[i] + cuts[i+1]) / 2, y}
			if w := cuts[i+1] - cuts[i]; w > width && planar.MultiPolygonContains(m, x) {
				best, width = x, w
			}
		}
	}
	return best
}

// How far a point may lie from its area, in kilometres: positions and lines are as
// good as that.
const (
	slack      = 1.0
	slackAbout = 5.0 // where the position is of the town
)

// points doubts points that lie outside the area that the register has them in.
func (c *checking) points() {
	for _, p := range c.op.Network() {
		if !p.Positioned || p.Area == "" {
			continue
		}
		code := cmp.Or(p.Area2, p.Area)
		a := c.by[code]
		if a == nil && code == p.Area2 {
			code = p.Area
			a = c.by[code]
		}
		if a == nil {
			continue // missing, which is said apart
		}
		pt := orb.Point{p.Lon, p.Lat}
		if planar.MultiPolygonContains(a.shape, pt) {
			continue
		}
		limit := slack
		if p.Approximate {
			limit = slackAbout
		}
		away := planar.DistanceFrom(a.shape, pt) * 111.2 // at most so many km to a degree
		if away <= limit {
			continue
		}
		here := ""
		for _, b := range c.areas {
			if b.level == a.level && planar.MultiPolygonContains(b.shape, pt) {
				here = b.code
			}
		}
		name, km := p.Name.In(dtm.English)+" ("+p.Code+")", fmt.Sprintf("%.0f", away)
		if here == "" {
			c.doubts.add("", "point.outside", []any{name, code, km}, "the point %s lies outside %s, %s km from it, in none of the areas")
		} else {
			c.doubts.add("", "point.elsewhere", []any{name, code, km, here}, "the point %s lies outside %s, %s km from it, in %s; move the point if the register is wrong")
		}
	}
}

// compare makes the areas, and says what is new, missing and renamed.
func (c *checking) compare(res *Result, uses map[string][]dtm.AreaUse, names bool) {
	atlas := &dtm.Atlas{}
	seen := map[string]bool{}
	for _, code := range slices.SortedFunc(maps.Keys(c.by), func(a, b string) int { return cmp.Or(cmp.Compare(c.by[a].level, c.by[b].level), strings.Compare(a, b)) }) {
		x := c.by[code]
		was, known := c.now.Area(code)
		a := dtm.Area{Code: code, Level: x.level, Parent: x.parent(c.prefix()), ISO: was.ISO, Name: c.name(x, was, known && !was.Retired, names)}
		if !known || was.Retired {
			res.Added = append(res.Added, Change{Code: code, Name: a.Name.In(dtm.English), Level: x.level})
		} else {
			for _, l := range c.op.Languages {
				if to := text(x.name)[l]; to != "" && to != was.Name[l] {
					res.Renamed = append(res.Renamed, Renaming{code, l, was.Name[l], to})
				}
			}
		}
		atlas.Areas, seen[code] = append(atlas.Areas, a), true
	}
	res.Kept = res.Read[2] == 0
	for _, was := range c.now.Areas {
		switch {
		case seen[was.Code]:
		case res.Kept && was.Level == 2 && !was.Retired && seen[was.Parent]:
			atlas.Areas = append(atlas.Areas, was)
		default:
			m := Change{Code: was.Code, Name: was.Name.In(dtm.English), Level: was.Level, Uses: uses[was.Code]}
			if len(m.Uses) > 0 {
				was.Retired = true
				atlas.Areas = append(atlas.Areas, was)
			}
			if r, ok := c.now.Area(was.Code); ok && !r.Retired {
				res.Missing = append(res.Missing, m)
			}
		}
	}
	res.Atlas = atlas
}

// name is what the area is called: in each language of the operation something.
func (c *checking) name(x *area, was dtm.Area, known, take bool) dtm.Text {
	if known && !take {
		return was.Name
	}
	file := text(x.name)
	plain := cmp.Or(text(dtm.Text{"": x.plain})[""], file[dtm.English], file[dtm.French], file[dtm.Arabic], x.code)
	out := dtm.Text{}
	for _, l := range c.op.Languages {
		out[l] = cmp.Or(file[l], was.Name[l], plain)
	}
	return out
}

// draw writes the outlines of the areas and of the neighbours, thinned together: fit
// for a map of the country on a page.
func (c *checking) draw(atlas *dtm.Atlas) []byte {
	type drawn struct {
		code  string
		level int
		name  dtm.Text
		shape orb.MultiPolygon
	}
	var list []drawn
	var countryName dtm.Text
	for _, g := range c.ground {
		if g.code == c.op.Country {
			var x struct{ Properties map[string]any }
			_ = json.Unmarshal(g.raw, &x)
			countryName = dtm.Text{}
			for k, v := range x.Properties {
				if s, ok := v.(string); ok && strings.HasPrefix(k, "name_") {
					countryName[dtm.Lang(k[5:])] = s
				}
			}
		}
	}
	if countryName == nil {
		countryName = c.op.Name
	}
	if c.zero != nil {
		list = append(list, drawn{c.op.Country, 0, countryName, c.zero.shape})
	}
	for _, a := range atlas.Areas {
		if x := c.by[a.Code]; x != nil {
			list = append(list, drawn{a.Code, a.Level, a.Name, x.shape})
		}
	}
	bound := list[0].shape.Bound()
	shapes := make([]orb.MultiPolygon, len(list))
	for i, d := range list {
		shapes[i] = d.shape
		bound = bound.Union(d.shape.Bound())
	}
	// A two-thousandth of the country is half a pixel of the widest map.
	shapes = simplified(shapes, max(bound.Max[0]-bound.Min[0], bound.Max[1]-bound.Min[1])/2000)
	for i := range list {
		list[i].shape = shapes[i]
	}
	if c.zero == nil {
		if whole := together(list, func(d drawn) (orb.MultiPolygon, bool) { return d.shape, d.level == 1 }); whole != nil {
			list = append([]drawn{{c.op.Country, 0, countryName, whole}}, list...)
		}
	}
	var out bytes.Buffer
	out.WriteString(`{"type":"FeatureCollection","features":[`)
	first := true
	put := func(raw []byte) {
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.Write(raw)
	}
	hasCountry := list[0].level == 0
	for _, g := range c.ground {
		if g.level == 0 && !(hasCountry && g.code == c.op.Country) {
			put(g.raw)
		}
	}
	for _, d := range list {
		p := map[string]any{"code": d.code, "level": d.level}
		for l, s := range d.name {
			p["name_"+string(l)] = s
		}
		raw, err := json.Marshal(map[string]any{"type": "Feature", "properties": p, "geometry": map[string]any{"type": "MultiPolygon", "coordinates": d.shape}})
		if err == nil { // numbers were looked at when they were read
			put(raw)
		}
	}
	out.WriteString("]}\n")
	return out.Bytes()
}

// together is the shape that those wanted make; nil when they make none.
func together[T any](list []T, want func(T) (orb.MultiPolygon, bool)) orb.MultiPolygon {
	var parts []geom.Geometry
	for _, d := range list {
		m, ok := want(d)
		if !ok {
			continue
		}
		for _, p := range m {
			if g := features(orb.MultiPolygon{p}); g.Validate() == nil {
				parts = append(parts, g.AsGeometry())
			}
		}
	}
	whole, err := geom.UnionMany(parts)
	if err != nil {
		return nil
	}
	return shapeOf(whole)
}
