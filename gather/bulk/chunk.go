package bulk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"dtm"
)

// A chunk is magic, then zstd of: a table of strings, then rows of varints that
// point into it. Version 1 of the format; a reader of version 2 must read both.
var magic = []byte("dtm rows 1\n")

const (
	maxUnpacked = 256 << 20 // no chunk of ours is near it: a bomb is
	maxRows     = 1 << 20
)

// Bits of a row.
const (
	bitMonthOnly = 1 << iota
	bitUnresolved
)

// encoder packs rows one after the other. Its zero value is empty.
type encoder struct {
	serial  int // of the chunk being packed, less one
	index   map[string]uint64
	strings []string
	rows    []byte
	n       int
}

func (e *encoder) ref(s string) uint64 {
	i, ok := e.index[s]
	if !ok {
		if e.index == nil {
			e.index = map[string]uint64{}
		}
		i = uint64(len(e.strings))
		e.index[s] = i
		e.strings = append(e.strings, s)
	}
	return i
}

func (e *encoder) cell(c *cell) uint64 {
	if c.chunk != e.serial+1 {
		c.chunk, c.ref = e.serial+1, e.ref(c.text)
	}
	return c.ref
}

// add appends a row; ordinal counts the earlier rows of the file with its key.
func (e *encoder) add(r *row, ordinal uint64) {
	e.n++
	b := binary.AppendUvarint(e.rows, ordinal)
	b = binary.AppendVarint(b, r.day)
	bits := byte(0)
	if r.monthOnly {
		bits |= bitMonthOnly
	}
	if r.unresolved {
		bits |= bitUnresolved
	}
	b = append(b, bits)
	for _, c := range r.part[:partReasons] {
		b = binary.AppendUvarint(b, e.cell(c))
	}
	b = binary.AppendUvarint(b, uint64(r.people))
	for _, c := range r.part[partReasons:] {
		b = binary.AppendUvarint(b, e.cell(c))
	}
	b = binary.AppendUvarint(b, uint64(len(r.vulnerable)))
	for _, v := range r.vulnerable {
		b = binary.AppendUvarint(b, e.ref(v.Code))
		b = binary.AppendUvarint(b, uint64(v.People))
	}
	b = binary.AppendUvarint(b, uint64(len(r.flags)))
	for _, f := range r.flags {
		b = binary.AppendUvarint(b, e.ref(f.Rule))
		b = binary.AppendUvarint(b, e.ref(f.Path))
		b = binary.AppendUvarint(b, e.ref(f.Note))
	}
	e.rows = b
}

// take returns the rows so far, not yet packed, and begins the next chunk.
func (e *encoder) take() []byte {
	raw := make([]byte, 0, len(e.rows)+1<<16)
	raw = binary.AppendUvarint(raw, uint64(len(e.strings)))
	for _, s := range e.strings {
		raw = binary.AppendUvarint(raw, uint64(len(s)))
		raw = append(raw, s...)
	}
	raw = binary.AppendUvarint(raw, uint64(e.n))
	raw = append(raw, e.rows...)
	*e = encoder{serial: e.serial + 1, rows: e.rows[:0]}
	return raw
}

func pack(raw []byte) []byte { return packer.EncodeAll(raw, bytes.Clone(magic)) }

var packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) // fixed options: no error

var unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpacked)) // fixed options: no error

var errChunk = errors.New("the chunk is damaged")

// Decode turns a stored chunk back into movements: points are resolved by the
// operation's register, each row's Source is its identity. A damaged chunk is an
// error of kind Invalid.
func Decode(op *dtm.Operation, data []byte) (rows []dtm.Movement, err error) {
	if !bytes.HasPrefix(data, magic) {
		return nil, dtm.Errorf(dtm.Invalid, "not a chunk of imported rows, or one of a newer program")
	}
	raw, err := unpacker.DecodeAll(data[len(magic):], nil)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "%w: %v", errChunk, err)
	}
	d := decoder{in: raw}
	count := d.uint(uint64(len(raw)))
	table := make([]string, 0, count)
	for range count {
		table = append(table, string(d.take(d.uint(uint64(len(raw))))))
		if d.bad {
			break
		}
	}
	d.table = table
	n := d.uint(maxRows)
	if d.bad {
		return nil, dtm.Errorf(dtm.Invalid, "%w", errChunk)
	}
	rows = make([]dtm.Movement, 0, min(int(n), len(raw)))
	points := map[string]resolved{}
	lists := map[uint64][]string{}
	var buf []byte
	mended := false
	for range n {
		rows = append(rows, dtm.Movement{})
		m := &rows[len(rows)-1]
		ordinal := d.uint(1 << 40)
		m.Observed = dayOf(d.int())
		bits := d.byte()
		m.MonthOnly = bits&bitMonthOnly != 0
		for _, p := range [...]*string{&m.PointText, &m.Direction, &m.FlowType, &m.Route, &m.Subroute, &m.Origin, &m.Previous, &m.Next, &m.Final, (*string)(&m.Breakdown), &m.Nationality, &m.Sex, &m.Age} {
			*p = d.ref()
		}
		m.People = int(d.uint(1 << 31))
		m.Reasons = d.refs(lists)
		m.Transports = d.refs(lists)
		for range d.uint(64) {
			m.Vulnerable = append(m.Vulnerable, dtm.Vulnerable{Code: d.ref(), People: int(d.uint(1 << 31))})
		}
		for range d.uint(64) {
			m.Flags = append(m.Flags, dtm.Flag{Rule: d.ref(), Path: d.ref(), Note: d.ref()})
		}
		if d.bad {
			return nil, dtm.Errorf(dtm.Invalid, "%w", errChunk)
		}
		p, ok := points[m.PointText]
		if !ok {
			p = resolve(op, m.PointText)
			points[m.PointText] = p
		}
		m.Point = p.code
		mended = mended || bits&bitUnresolved != 0 && p.code != ""
		if p.flag.Rule != "" {
			m.Flags = append(m.Flags, p.flag)
		}
		var k key
		k, buf = keyOf(m, p.key, buf)
		m.Source = source(k, ordinal)
	}
	if len(d.in) > 0 {
		return nil, dtm.Errorf(dtm.Invalid, "%w: %d bytes too many", errChunk, len(d.in))
	}
	if mended {
		separate(rows)
	}
	return rows, nil
}

// separate gives rows of one identity an ordinal each. Rows have one from the
// import, but where the pack has learnt a spelling since, two points of then are
// one now, and one row would take the other's place.
func separate(rows []dtm.Movement) {
	taken := make(map[string]bool, len(rows))
	for i := range rows {
		m := &rows[i]
		stem, _, _ := strings.Cut(m.Source, ".")
		for n := uint64(1); taken[m.Source]; n++ {
			m.Source = stem + "." + strconv.FormatUint(n, 10)
		}
		taken[m.Source] = true
	}
}

// resolved is what a spelling of a point means.
type resolved struct {
	code string
	key  string
	flag dtm.Flag
}

func resolve(op *dtm.Operation, text string) resolved {
	if code, ok := op.ResolvePoint(text); ok {
		return resolved{code: code, key: code}
	}
	if dtm.Fold(text) == "" {
		return resolved{flag: dtm.Flag{Rule: "point.blank", Path: "fmp", Note: text}}
	}
	return resolved{key: "?" + dtm.Fold(text), flag: dtm.Flag{Rule: "point.unknown", Path: "fmp", Note: text}}
}

type decoder struct {
	in    []byte
	table []string
	bad   bool
}

func (d *decoder) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.in)
	if n <= 0 || v > limit {
		d.bad, d.in = true, nil
		return 0
	}
	d.in = d.in[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.in)
	if n <= 0 || v < -200_000 || v > 200_000 {
		d.bad, d.in = true, nil
		return 0
	}
	d.in = d.in[n:]
	return v
}

func (d *decoder) byte() byte {
	if b := d.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.in)) {
		d.bad, d.in = true, nil
		return nil
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b
}

func (d *decoder) ref() string {
	i := d.uint(uint64(len(d.table)))
	if i >= uint64(len(d.table)) {
		d.bad, d.in = true, nil
		return ""
	}
	return d.table[i]
}

// refs reads a list; equal lists share one slice.
func (d *decoder) refs(lists map[uint64][]string) []string {
	i := d.uint(uint64(len(d.table)))
	if i >= uint64(len(d.table)) {
		d.bad, d.in = true, nil
		return nil
	}
	if l, ok := lists[i]; ok {
		return l
	}
	var l []string
	if s := d.table[i]; s != "" {
		l = strings.Split(s, "\x00")
	}
	lists[i] = l
	return l
}

// Encode packs movements into the data of a chunk: what Import stores. Ordinals
// count equal keys within the rows given.
func Encode(op *dtm.Operation, rows []dtm.Movement) []byte {
	var e encoder
	seen, made := tally{}, newCells(op)
	for i := range rows {
		r := made.row(&rows[i])
		e.add(&r, seen.next(&r))
	}
	return pack(e.take())
}
