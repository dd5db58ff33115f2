package odata

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // an identifier, as ODK Central makes them; nothing rests on it
	"encoding/hex"
	"strconv"

	"dtm"
	"dtm/gather/xform"
)

// record is a submission, or a turn of a repeat, as values by the table's leaves.
type record struct {
	*dtm.Streamed
	table  *table
	parent *record
	id     string
	values [][]byte    // nil: not there
	turns  [][]*record // by the table's subs
}

// reader makes records of XML. It is used again and again by one goroutine; what it
// gives is good until the next.
type reader struct {
	layout *layout
	stack  []place
	depth  int // of the element that is not of the form, 0 when none
	into   *node
	begun  int // of the text of the leaf
	at     *record
	arena  []byte
	free   []*record
	used   int
}

type place struct {
	n *node
	r *record
}

func (p *reader) record(t *table, parent *record) *record {
	if p.used == len(p.free) {
		p.free = append(p.free, &record{})
	}
	r := p.free[p.used]
	p.used++
	r.table, r.parent, r.Streamed = t, parent, nil
	if cap(r.values) < len(t.leaves) {
		r.values = make([][]byte, len(t.leaves))
	}
	r.values = r.values[:len(t.leaves)]
	clear(r.values)
	if cap(r.turns) < len(t.subs) {
		r.turns = make([][]*record, len(t.subs))
	}
	r.turns = r.turns[:len(t.subs)]
	for i := range r.turns {
		r.turns[i] = r.turns[i][:0]
	}
	return r
}

// read makes the records of a submission; one that cannot be read (encrypted) has
// no values.
func (p *reader) read(s *dtm.Streamed) *record {
	p.used, p.arena, p.stack, p.depth, p.into = 0, p.arena[:0], p.stack[:0], 0, nil
	top := p.record(p.layout.root, nil)
	top.Streamed, top.id = s, cmp.Or(s.Root, s.ID)
	p.at = top
	if cap(p.arena) < len(s.XML) {
		p.arena = make([]byte, 0, 2*len(s.XML)) // values are never longer than the document
	}
	if err := xform.Visit(s.XML, p); err != nil {
		// Stored in spite of its XML: shown as far as it goes.
		p.stack = p.stack[:0]
	}
	return top
}

func (p *reader) Open(name []byte, depth int) error {
	if p.depth > 0 {
		p.depth++
		return nil
	}
	if depth == 1 {
		p.stack = append(p.stack, place{p.layout.root.top, p.at})
		return nil
	}
	here := p.stack[len(p.stack)-1]
	c := here.n.child(name)
	if c == nil {
		p.depth = 1
		return nil
	}
	switch c.kind {
	case repeatNode:
		r := p.record(c.sub, here.r)
		r.Streamed = here.r.Streamed
		here.r.turns[c.sub.index] = append(here.r.turns[c.sub.index], r)
		p.stack = append(p.stack, place{c, r})
	case leafNode:
		p.into, p.begun = c, len(p.arena)
		p.stack = append(p.stack, place{c, here.r})
	default:
		p.stack = append(p.stack, place{c, here.r})
	}
	return nil
}

func (p *reader) Text(piece []byte) {
	if p.into != nil && p.depth == 0 {
		p.arena = append(p.arena, piece...)
	}
}

func (p *reader) Close(int) error {
	if p.depth > 0 {
		p.depth--
		return nil
	}
	here := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	if here.n.kind == leafNode {
		if v := bytes.TrimSpace(p.arena[p.begun:]); len(v) > 0 {
			here.r.values[here.n.slot] = v
		}
		p.into = nil
	}
	return nil
}

// identify gives the turns below r their ids, each made from its parent's.
func (r *record) identify() {
	for i, turns := range r.turns {
		for k, t := range turns {
			var b [128]byte
			text := append(b[:0], r.id...)
			text = append(text, '/')
			text = append(text, r.table.subs[i].top.name...)
			text = strconv.AppendInt(append(text, '['), int64(k), 10)
			sum := sha1.Sum(append(text, ']')) //nolint:gosec // see the import
			t.id = hex.EncodeToString(sum[:])
			t.identify()
		}
	}
}

// rows calls f for every row of a table in the submission.
func (r *record) rows(t *table, f func(*record) error) error {
	if r.table == t {
		return f(r)
	}
	for i, sub := range r.table.subs {
		if sub != t && !sub.above(t) {
			continue
		}
		for _, turn := range r.turns[i] {
			if err := turn.rows(t, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// above tells whether t lies below s.
func (s *table) above(t *table) bool {
	for ; t != nil; t = t.parent {
		if t == s {
			return true
		}
	}
	return false
}
