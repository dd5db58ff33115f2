package bulk

import (
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
	Progress func(Progress)            // told after every chunk and about every 10,000 rows; may be nil
	Actor    string
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
	ChunksNew                int
	Notes                    []string
}

// Store keeps chunks.
type Store interface {
	AddChunk(ctx context.Context, c dtm.Chunk) (added bool, err error)
}

// Import reads a registry file and stores its rows as chunks, each durable before
// the next is read. A fault of the file as a whole (not a table, no such columns)
// is Invalid or Unsupported and stores nothing. A fault of a row rejects the row.
// Stopped in the middle it leaves whole chunks; run again it finds them stored
// and goes on.
func Import(ctx context.Context, op *dtm.Operation, src Source, store Store, o Options) (Summary, error) {
	in := &counter{r: src.Data}
	recs, err := open(src.Name, in)
	if err != nil {
		return Summary{}, err
	}
	header, _, err := recs.next()
	if err != nil || header == nil {
		return Summary{}, dtm.Errorf(dtm.Invalid, "the header row cannot be read").At(src.Name + ":1")
	}
	cols, err := columnsOf(src.Name, header)
	if err != nil {
		return Summary{}, err
	}
	i := &importing{ctx: ctx, op: op, src: src, store: store, o: o, in: in, points: map[string]resolved{}, seen: map[key]uint64{}}
	i.sum = Summary{Flags: map[string]int{}, Reasons: map[string]int{}, Breakdown: cols.breakdown}
	for _, c := range cols.ignored {
		i.sum.Notes = append(i.sum.Notes, fmt.Sprintf("the column %q is not known and was left out", c))
	}
	err = i.all(recs, newReader(op, cols), cols.names)
	i.sum.Notes = append(i.sum.Notes, recs.notes()...)
	return i.sum, err
}

type importing struct {
	ctx   context.Context
	op    *dtm.Operation
	src   Source
	store Store
	o     Options
	in    *counter

	enc     encoder
	points  map[string]resolved
	seen    map[key]uint64
	buf     []byte
	rejects *csv.Writer
	sum     Summary
}

func (i *importing) all(recs records, r *reader, header []string) error {
	for {
		rec, line, err := recs.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var known *dtm.Error
			if errors.As(err, &known) {
				return known.At(i.src.Name + ", " + known.Where)
			}
			return dtm.Errorf(dtm.Invalid, "after row %d the file cannot be read: %w; what came before is stored, run the import again with a whole file", line, err).At(i.src.Name)
		}
		i.sum.Rows++
		if rec == nil {
			err = i.reject(header, line, nil, "the row is not a row of a table: a quotation mark is not closed")
		} else if m, reason := r.movement(rec); reason != "" {
			err = i.reject(header, line, rec, reason)
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
	if i.rejects != nil {
		i.rejects.Flush()
		if err := i.rejects.Error(); err != nil {
			return fmt.Errorf("write the reject file: %w", err)
		}
	}
	return nil
}

func (i *importing) accept(m *dtm.Movement) error {
	p, ok := i.points[m.PointText]
	if !ok {
		p = resolve(i.op, m.PointText)
		i.points[m.PointText] = p
	}
	var k key
	k, i.buf = keyOf(m, p.key, i.buf)
	i.enc.add(m, i.seen[k])
	i.seen[k]++
	i.sum.Accepted++
	i.sum.People += int64(m.People)
	if i.sum.First.IsZero() || m.Observed.Before(i.sum.First) {
		i.sum.First = m.Observed
	}
	if m.Observed.After(i.sum.Last) {
		i.sum.Last = m.Observed
	}
	for _, f := range m.Flags {
		i.sum.Flags[f.Rule]++
	}
	if p.flag.Rule != "" {
		i.sum.Flags[p.flag.Rule]++
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
	data := i.enc.bytes()
	sum := sha256.Sum256(data)
	c := dtm.Chunk{Hash: hex.EncodeToString(sum[:]), File: i.src.Name, Rows: rows, Data: data, Imported: i.o.Now()}
	added, err := i.store.AddChunk(i.ctx, c)
	if err != nil {
		return err
	}
	if added {
		i.sum.ChunksNew++
	}
	i.sum.Chunks = append(i.sum.Chunks, c.Hash)
	i.progress()
	return nil
}

func (i *importing) progress() {
	if i.o.Progress != nil {
		i.o.Progress(Progress{Read: i.in.n, Size: i.src.Size, Rows: i.sum.Rows})
	}
}

// reject writes the row with its number and the reason; the other columns stay as
// they were, so that the file can be mended and imported.
func (i *importing) reject(header []string, line int, rec []string, reason string) error {
	i.sum.Rejected++
	i.sum.Reasons[reason]++
	if i.o.Rejects == nil {
		return nil
	}
	if i.rejects == nil {
		w, err := i.o.Rejects()
		if err != nil {
			return err
		}
		i.rejects = csv.NewWriter(w)
		if err := i.rejects.Write(append([]string{"row", "reason"}, header...)); err != nil {
			return err
		}
	}
	return i.rejects.Write(append([]string{strconv.Itoa(line), reason}, rec...))
}
