package warehouse

import (
	"slices"
	"time"
)

// Move says that the facts of a cell observed in a span of days belong to another
// cell.
type Move struct {
	Cell        int32
	From, Until time.Time // civil days; Until is not included
	To          Cell
}

// ends of the days that a database is asked about.
var (
	firstDay = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	afterAll = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Recast gives the moves that bring facts made with the pack before to the regions
// and roles of after; before is nil when it is not known. Not every move has facts:
// the rooms leave out those that have none. Names resolve alike in both.
func Recast(before, after *Pack, cells map[Cell]int32) []Move {
	changed := map[string][]span{}
	for i := range after.points {
		p := &after.points[i]
		spans := after.spans(i)
		if before != nil {
			if j, ok := before.index[p.Code]; ok && slices.Equal(before.spans(j), spans) {
				continue
			}
		}
		changed[p.Code] = spans
	}
	var out []Move
	for c, n := range cells {
		for _, s := range changed[c.Point] {
			if c.Region != s.region || c.Role != s.role {
				to := c
				to.Region, to.Role = s.region, s.role
				out = append(out, Move{n, s.from, s.until, to})
			}
		}
	}
	return out
}

// span is days with one region and role.
type span struct {
	from, until  time.Time
	region, role string
}

func (p *Pack) spans(i int) []span {
	at := []time.Time{firstDay}
	for _, r := range p.points[i].Role {
		at = append(at, r.From)
	}
	for _, r := range p.points[i].Places {
		at = append(at, r.From)
	}
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, time.Time.Equal)
	var out []span
	for k, from := range at {
		region, role := p.at(i, from)
		until := afterAll
		if k+1 < len(at) {
			until = at[k+1]
		}
		if n := len(out); n > 0 && out[n-1].region == region && out[n-1].role == role {
			out[n-1].until = until
			continue
		}
		out = append(out, span{from, until, region, role})
	}
	return out
}

// NewCells numbers the cells that moves lead to and that have no number yet, from
// the first free one, and gives each move's number.
func NewCells(moves []Move, known map[Cell]int32) (fresh []Cell, to []int32) {
	index := map[Cell]int32{}
	for _, m := range moves {
		n, ok := known[m.To]
		if !ok {
			n, ok = index[m.To]
		}
		if !ok {
			n = int32(len(known) + len(fresh))
			index[m.To] = n
			fresh = append(fresh, m.To)
		}
		to = append(to, n)
	}
	return fresh, to
}

// Adoption is what a warehouse has to do for its facts to follow a pack.
type Adoption int

// Kinds of adoption.
const (
	Kept     Adoption = iota // nothing: the facts would be the same
	Recasted                 // facts of some days change region or role
	Anew                     // names mean something else: all facts are made again
)

// Adopt compares two fingerprints.
func Adopt(found string, pack *Pack) Adoption {
	switch {
	case found == pack.Fingerprint():
		return Kept
	case len(found) > len(pack.Names) && found[:len(pack.Names)+1] == pack.Names+" ":
		return Recasted
	}
	return Anew
}
