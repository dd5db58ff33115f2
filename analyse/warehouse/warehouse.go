// Package warehouse is what the loader, the indicators and the databases behind
// them agree on: a Batch of movements goes in with the position in the event log
// it was read up to, rows come out through a Reader.
//
// The warehouse is derived. Nothing lives there alone: the file can be dropped,
// and loading the event log again gives the same facts. That is also how it is
// migrated: a file of another layout or another operation pack (Fingerprint) is
// emptied and loaded again. Where only regions or roles of points changed, from some
// day, the facts of those days are moved instead (Recast), with the same result.
//
// What was decided about the facts:
//
//   - A fact is one row of a source at one cell. Submissions are replaced as a
//     whole; imported rows have a key each, and the last file that names a key is
//     right about its number.
//   - Files by sex and age and files by nationality describe the same movements.
//     main marks the rows that totals add: those by sex and age, and those by
//     nationality for a month and a point that have none by sex and age. It is
//     decided from what is there, so the order of imports does not matter.
//   - Region and role are resolved when a fact is made, by the day of the fact; a
//     fact of which only the month is known takes the role of the first.
//   - A sum by month and cell is kept beside the facts and read whenever no day is
//     asked for: a dashboard does not read millions of rows.
//   - A name that is no point stays as it was written, with an empty code.
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
		n += len(b.Submissions[i].Facts.Movements)
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

// Submission is what one form instance says. All its facts have Source; they
// replace whatever that source said before.
type Submission struct {
	Source   string
	Replaces string // the instance whose facts this one makes void; "" for none
	Facts    dtm.Facts
	Arrival  *Arrival // nil: it counts no movements, or the loader does not say
}

// Arrival is when and how a submission about movements came: what coverage is made
// of. It stands also when the movements were rejected.
type Arrival struct {
	Device    string // id
	Observed  time.Time
	Point     string // code, or
	PointText string // what was written
	Received  time.Time
	Hour      int // of the day on which the record was begun, by the operation's clock; -1: not known
	Delay     int // minutes from the end of the record to its arrival; -1: not known
	// Positioned tells that the record says where it was made.
	Positioned bool
	Lon, Lat   float64
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
	// Position tells how far the event log is loaded in this state.
	Position(ctx context.Context) (Position, error)
	// Query runs one SELECT of the portable subset. It calls row for each row
	// with a function that scans the columns, and stops at the first error.
	Query(ctx context.Context, text string, args []any, row func(scan func(dest ...any) error) error) error
}
