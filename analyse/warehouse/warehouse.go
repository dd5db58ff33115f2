// Package warehouse is what the loader, the indicators and the databases behind
// them agree on: a Batch of movements goes in with the position in the event log
// it was read up to, rows come out through a Reader.
//
// The warehouse is derived. Nothing lives there alone: the file can be dropped,
// and loading the event log again gives the same facts. That is also how it is
// migrated: a file of another layout or another operation pack (Fingerprint) is
// emptied and loaded again.
package warehouse

import (
	"context"
	"time"

	"dtm"
)

// Position is how far the event log is loaded: the last event and its hash. The
// zero Position is an empty warehouse.
type Position struct {
	Seq  int64
	Hash string
	At   time.Time // of the event
}

// Batch is what a span of events adds. It is applied in one transaction together
// with To, and only to a warehouse that stands at From.
type Batch struct {
	From, To    Position
	Chunks      []Chunk
	Submissions []Submission
}

// Rows is the number of movement rows in the batch.
func (b *Batch) Rows() int {
	n := 0
	for i := range b.Chunks {
		n += len(b.Chunks[i].Rows)
	}
	for i := range b.Submissions {
		n += len(b.Submissions[i].Rows)
	}
	return n
}

// Chunk is a piece of imported history. Each row has a key of its own in Source:
// a row whose key is there with the same people changes nothing, with other
// people it corrects the row that is there.
type Chunk struct {
	Hash string
	Rows []dtm.Movement
}

// Submission is what one form instance says. All its rows have Source; they
// replace whatever that source said before.
type Submission struct {
	Source   string
	Replaces string // the instance whose facts this one makes void; "" for none
	Rows     []dtm.Movement
}

// Outcome counts what became of a chunk's rows.
type Outcome struct {
	Chunk     string // hash
	Rows      int
	Added     int
	Unchanged int // the same key with the same people was there
	Changed   int // the same key with other people was there: corrected
}

// Reader reads one state of the data.
type Reader interface {
	// Query runs one SELECT of the portable subset. It calls row for each row
	// with a function that scans the columns, and stops at the first error.
	Query(ctx context.Context, text string, args []any, row func(scan func(dest ...any) error) error) error
}
