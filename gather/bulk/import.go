package bulk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"dtm"
)

// chunkRows is the size of a chunk: what a killed import may have to read again.
const chunkRows = 50_000

// Options of an import.
type Options struct {
	Now      func() time.Time
	Rejects  func() (io.Writer, error) // asked for when the first row is rejected; nil: reasons are only counted
	Progress func(Progress)            // told about every 10,000 rows; may be nil
	Say      func(error) string        // words reasons and notes for who imports; nil: in English
}

// Progress is how far an import is.
type Progress struct {
	Read, Size int64 // bytes; Size 0 when not known
	Rows       int
}

// Summary is what became of a file's rows: Rows = Accepted + Rejected.
type Summary struct {
	Rows, Accepted, Rejected int
	People                   int64
	Flags                    map[string]int // by rule; a row may have several
	Reasons                  map[string]int // of rejection
	Breakdown                dtm.Breakdown
	First, Last              time.Time // months or days of the accepted rows
	Chunks                   []string  // hashes, in order
	ChunksNew                int       // of them; the others were stored before
	Notes                    []string
}

// Store keeps chunks.
type Store interface {
	AddChunk(ctx context.Context, c dtm.Chunk) (added bool, err error)
}

// Import reads a registry file and stores its rows as chunks, in order, one being
// stored while the next is read. A fault of the file as a whole (not a table, no
// such columns) is Invalid or Unsupported and stores nothing. A fault of a row
// rejects the row. Stopped in the middle it leaves whole chunks; run again it
// finds them stored and goes on.
func Import(ctx context.Context, op *dtm.Operation, src Source, store Store, o Options) (sum Summary, err error) {
	in := &counter{r: src.Data}
	recs, err := open(src.Name, in)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, recs.close()) }()
	head, err := recs.next()
	if err != nil || head.torn {
		return Summary{}, dtm.Errorf(dtm.Invalid, "the header row cannot be read").At(src.Name + ":1").Coded("import.header")
	}
	cols, err := columnsOf(src.Name, texts(head.fields))
	if err != nil {
		return Summary{}, err
	}
	from04 := false
	if w, ok := recs.(*workbook); ok {
		from04 = w.from1904()
	}
	i := &importing{ctx: ctx, op: op, src: src, o: o, in: in, header: cols.names, seen: tally{}, chunks: keep(ctx, store)}
	i.sum = Summary{Flags: map[string]int{}, Reasons: map[string]int{}, Breakdown: cols.breakdown}
	i.notes(cols)
	err = i.all(recs, newReader(op, cols, from04))
	for _, n := range recs.notes() {
		i.note(n)
	}
	// The store's error first: it is why reading stopped.
	err = cmp.Or(i.chunks.end(), err, i.flushRejects())
	i.sum.Chunks, i.sum.ChunksNew = i.chunks.hashes, i.chunks.added
	return i.sum, err
}

type importing struct {
	ctx    context.Context
	op     *dtm.Operation
	src    Source
	o      Options
	in     *counter
	header []string

	enc     encoder
	seen    tally
	chunks  *keeper
	rejects *csv.Writer
	sum     Summary
}

// notes says what of the header is not used.
func (i *importing) notes(cols columns) {
	for n, c := range cols.ignored {
		if n == 20 {
			i.note(dtm.Errorf(dtm.Invalid, "%d more columns are not known and were left out", len(cols.ignored)-n).Coded("import.columns_more", len(cols.ignored)-n))
			break
		}
		i.note(dtm.Errorf(dtm.Invalid, "the column %q is not known and was left out", short(c, 60)).Coded("import.column_unknown", short(c, 60)))
	}
	for _, c := range cols.reasons {
		if l, ok := i.op.Lists["reason"]; ok && !l.Has(c.code) {
			i.note(dtm.Errorf(dtm.Invalid, "the reason %q is not in the code list; it was kept as written", short(c.code, 60)).Coded("import.reason_unknown", short(c.code, 60)))
		}
	}
}

func (i *importing) note(e *dtm.Error) { i.sum.Notes = append(i.sum.Notes, i.say(e)) }

func (i *importing) say(e *dtm.Error) string {
	if i.o.Say == nil {
		return e.Error()
	}
	return i.o.Say(e)
}

var torn = dtm.Errorf(dtm.Invalid, "a quotation mark is not closed on this line").Coded("import.row_torn")

func (i *importing) all(recs records, r *reader) error {
	var m row
	for first := true; ; first = false {
		rec, err := recs.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return i.broken(rec.line, err)
		}
		if first && hashtags(rec.fields) {
			i.note(dtm.Errorf(dtm.Invalid, "row %d holds HXL hashtags; it was passed over", rec.line).Coded("import.hashtags", rec.line))
			continue
		}
		i.sum.Rows++
		reason := torn
		if !rec.torn {
			reason = r.read(rec.fields, &m)
		}
		if reason != nil {
			err = i.reject(rec, reason)
		} else {
			err = i.accept(&m)
		}
		if err != nil {
			return err
		}
		if i.sum.Rows%10_000 == 0 {
			i.progress()
			if err := i.ctx.Err(); err != nil {
				return err
			}
		}
	}
	if err := i.flush(); err != nil {
		return err
	}
	i.progress()
	return nil
}

// broken says what is left of a file that ends badly.
func (i *importing) broken(line int, err error) error {
	var known *dtm.Error
	if errors.As(err, &known) {
		if known.Where == "" {
			return known.At(i.src.Name)
		}
		return known.At(i.src.Name + ", " + known.Where)
	}
	return dtm.Errorf(dtm.Invalid, "after row %d the file cannot be read: %w; whole chunks of what came before are stored, run the import again with a whole file", line, err).At(i.src.Name).Coded("import.broken", line)
}

// hashtags tells whether the row is of HXL tags, which stand under the header in
// files for humanitarian exchange.
func hashtags(fields [][]byte) bool {
	some := false
	for _, f := range fields {
		f = bytes.TrimSpace(f)
		if len(f) > 0 && f[0] != '#' {
			return false
		}
		some = some || len(f) > 0
	}
	return some
}

func (i *importing) accept(m *row) error {
	i.enc.add(m, i.seen.next(m))
	i.sum.Accepted++
	i.sum.People += int64(m.people)
	day := dayOf(m.day)
	if i.sum.First.IsZero() || day.Before(i.sum.First) {
		i.sum.First = day
	}
	if day.After(i.sum.Last) {
		i.sum.Last = day
	}
	for _, f := range m.flags {
		i.sum.Flags[f.Rule]++
	}
	if f := m.part[partPoint].flag; f.Rule != "" {
		i.sum.Flags[f.Rule]++
	}
	if i.enc.n >= chunkRows {
		return i.flush()
	}
	return nil
}

func (i *importing) flush() error {
	if i.enc.n == 0 {
		return nil
	}
	rows := i.enc.n
	return i.chunks.put(dtm.Chunk{File: i.src.Name, Rows: rows, Data: i.enc.take(), Imported: i.o.Now()})
}

func (i *importing) progress() {
	if i.o.Progress != nil {
		i.o.Progress(Progress{Read: i.in.n, Size: i.src.Size, Rows: i.sum.Rows})
	}
}

// reject writes the row with its number and the reason; the other columns stay as
// they were, so that the file can be mended and imported.
func (i *importing) reject(rec record, why *dtm.Error) error {
	i.sum.Rejected++
	reason := i.say(why)
	if _, ok := i.sum.Reasons[reason]; ok || len(i.sum.Reasons) < many {
		i.sum.Reasons[reason]++
	}
	if i.o.Rejects == nil {
		return nil
	}
	if i.rejects == nil {
		w, err := i.o.Rejects()
		if err != nil {
			return err
		}
		i.rejects = csv.NewWriter(w)
		if err := i.rejects.Write(append([]string{"row", "reason"}, i.header...)); err != nil {
			return err
		}
	}
	return i.rejects.Write(append([]string{strconv.Itoa(rec.line), reason}, texts(rec.fields)...))
}

func (i *importing) flushRejects() error {
	if i.rejects == nil {
		return nil
	}
	i.rejects.Flush()
	if err := i.rejects.Error(); err != nil {
		return fmt.Errorf("write the reject file: %w", err)
	}
	return nil
}

// keeper packs and stores chunks in order beside the reading of the file.
type keeper struct {
	in     chan dtm.Chunk
	done   chan struct{}
	hashes []string
	added  int
	err    error // of the first chunk that could not be stored; read after done
}

func keep(ctx context.Context, store Store) *keeper {
	k := &keeper{in: make(chan dtm.Chunk, 1), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for c := range k.in {
			if k.err = k.store(ctx, store, c); k.err != nil {
				return
			}
		}
	}()
	return k
}

func (k *keeper) store(ctx context.Context, store Store, c dtm.Chunk) error {
	c.Data = pack(c.Data)
	hash := sha256.Sum256(c.Data)
	c.Hash = hex.EncodeToString(hash[:])
	added, err := store.AddChunk(ctx, c)
	if err != nil {
		return err
	}
	if added {
		k.added++
	}
	k.hashes = append(k.hashes, c.Hash)
	return nil
}

// put hands over a chunk whose data is not packed yet. It fails when an earlier one
// could not be stored.
func (k *keeper) put(c dtm.Chunk) error {
	select {
	case k.in <- c:
		return nil
	case <-k.done:
		return k.err
	}
}

// end waits until what was put is stored.
func (k *keeper) end() error {
	close(k.in)
	<-k.done
	return k.err
}
