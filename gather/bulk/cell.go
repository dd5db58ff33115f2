package bulk

import (
	"hash/maphash"
	"strings"

	"dtm"
)

// cell is one value of a column: registry files repeat a few hundred over millions
// of rows, so what a value means, where the chunk keeps it and its part in a row's
// identity are found once.
type cell struct {
	text string   // as stored
	flag dtm.Flag // what its spelling earns; no rule: none
	hash [2]uint64

	chunk int // serial number of the chunk that ref is of
	ref   uint64
}

// Seeds of this process: hashes are compared only within one import.
var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// newCell makes a cell; same is what its rows' identity takes for it.
func newCell(text, same string) *cell {
	return &cell{text: text, hash: [2]uint64{maphash.String(seeds[0], same), maphash.String(seeds[1], same)}}
}

// parts of a row in the order of the chunk format.
const (
	partPoint = iota
	partDirection
	partFlowType
	partRoute
	partSubroute
	partOrigin
	partPrevious
	partNext
	partFinal
	partBreakdown
	partNationality
	partSex
	partAge
	partReasons
	partTransports
	parts
)

// row is a movement as cells.
type row struct {
	day        int64 // since 1970-01-01
	monthOnly  bool
	unresolved bool // the point was not known when the row was read
	people     int
	part       [parts]*cell
	vulnerable []dtm.Vulnerable
	flags      []dtm.Flag // of the row; those of its point are found on decoding
}

// tally counts equal rows. It holds hashes of 128 bits, not keys: they are made in
// a tenth of the time and compared within one import only.
type tally map[[2]uint64]uint64

// next tells how many rows of the same identity came before.
func (t tally) next(r *row) uint64 {
	var h [2]uint64
	for i := range h {
		v := uint64(r.day) << 1
		if r.monthOnly {
			v |= 1
		}
		for _, c := range r.part {
			v = (v ^ c.hash[i]) * 0x9e3779b97f4a7c15
			v ^= v >> 32
		}
		h[i] = v
	}
	n := t[h]
	t[h] = n + 1
	return n
}

// cells makes the cells of movements that do not come from a file.
type cells struct {
	op     *dtm.Operation
	met    map[string]*cell
	points map[string]*cell
	known  map[string]bool
}

func newCells(op *dtm.Operation) *cells {
	return &cells{op: op, met: map[string]*cell{}, points: map[string]*cell{}, known: map[string]bool{}}
}

func (c *cells) of(s string) *cell {
	k, ok := c.met[s]
	if !ok {
		k = newCell(s, s)
		c.met[s] = k
	}
	return k
}

func (c *cells) row(m *dtm.Movement) row {
	p, ok := c.points[m.PointText]
	if !ok {
		found := resolve(c.op, m.PointText)
		p = newCell(m.PointText, found.key)
		c.points[m.PointText], c.known[m.PointText] = p, found.code != ""
	}
	return row{day: dayNumber(m.Observed), monthOnly: m.MonthOnly, unresolved: !c.known[m.PointText], people: m.People, vulnerable: m.Vulnerable, flags: m.Flags,
		part: [parts]*cell{p, c.of(m.Direction), c.of(m.FlowType), c.of(m.Route), c.of(m.Subroute), c.of(m.Origin), c.of(m.Previous), c.of(m.Next), c.of(m.Final),
			c.of(string(m.Breakdown)), c.of(m.Nationality), c.of(m.Sex), c.of(m.Age), c.of(strings.Join(m.Reasons, "\x00")), c.of(strings.Join(m.Transports, "\x00"))}}
}
