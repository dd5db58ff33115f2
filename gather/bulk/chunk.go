package bulk

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// encoder packs rows one after the other. Its zero value is empty.
type encoder struct {
	index   map[string]uint64
	strings []string
	rows    []byte
	n       int
}

func (e *encoder) ref(s string) {
	i, ok := e.index[s]
	if !ok {
		if e.index == nil {
			e.index = map[string]uint64{}
		}
		i = uint64(len(e.strings))
		e.index[s] = i
		e.strings = append(e.strings, s)
	}
	e.rows = binary.AppendUvarint(e.rows, i)
}

func (e *encoder) refs(l []string) {
	if len(l) == 1 {
		e.ref(l[0])
		return
	}
	e.ref(strings.Join(l, "\x00"))
}

// add appends a row; ordinal counts the earlier rows of the file with its key.
func (e *encoder) add(m *dtm.Movement, ordinal uint64) {
	e.n++
	e.rows = binary.AppendUvarint(e.rows, ordinal)
	e.rows = binary.AppendVarint(e.rows, dayNumber(m.Observed))
	bits := byte(0)
	if m.MonthOnly {
		bits = 1
	}
	e.rows = append(e.rows, bits)
	for _, s := range [...]string{m.PointText, m.Direction, m.FlowType, m.Route, m.Subroute, m.Origin, m.Previous, m.Next, m.Final, string(m.Breakdown), m.Nationality, m.Sex, m.Age} {
		e.ref(s)
	}
	e.rows = binary.AppendUvarint(e.rows, uint64(m.People))
	e.refs(m.Reasons)
	e.refs(m.Transports)
	e.rows = binary.AppendUvarint(e.rows, uint64(len(m.Vulnerable)))
	for _, v := range m.Vulnerable {
		e.ref(v.Code)
		e.rows = binary.AppendUvarint(e.rows, uint64(v.People))
	}
	e.rows = binary.AppendUvarint(e.rows, uint64(len(m.Flags)))
	for _, f := range m.Flags {
		e.ref(f.Rule)
		e.ref(f.Path)
		e.ref(f.Note)
	}
}

var packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) // fixed options: no error

// bytes returns the packed chunk and empties the encoder.
func (e *encoder) bytes() []byte {
	raw := binary.AppendUvarint(nil, uint64(len(e.strings)))
	for _, s := range e.strings {
		raw = binary.AppendUvarint(raw, uint64(len(s)))
		raw = append(raw, s...)
	}
	raw = binary.AppendUvarint(raw, uint64(e.n))
	raw = append(raw, e.rows...)
	out := packer.EncodeAll(raw, bytes.Clone(magic))
	*e = encoder{rows: e.rows[:0]}
	return out
}

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
	for range n {
		m := dtm.Movement{}
		ordinal := d.uint(1 << 40)
		m.Observed = dayOf(d.int())
		m.MonthOnly = d.byte()&1 == 1
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
		if p.flag.Rule != "" {
			m.Flags = append(m.Flags, p.flag)
		}
		var k key
		k, buf = keyOf(&m, p.key, buf)
		m.Source = source(k, ordinal)
		rows = append(rows, m)
	}
	if len(d.in) > 0 {
		return nil, dtm.Errorf(dtm.Invalid, "%w: %d bytes too many", errChunk, len(d.in))
	}
	return rows, nil
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
	seen := map[key]uint64{}
	var buf []byte
	for i := range rows {
		var k key
		k, buf = keyOf(&rows[i], resolve(op, rows[i].PointText).key, buf)
		e.add(&rows[i], seen[k])
		seen[k]++
	}
	return e.bytes()
}
