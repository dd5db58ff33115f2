package dtm

import (
	"context"
	"time"
)

// Events of imports, beside chunk.imported.
const (
	ImportFinished  = "import.finished"
	ImportWithdrawn = "import.withdrawn"
)

// Imported is a file of history as it was read: what became of its rows.
type Imported struct {
	Seq   int64 // event that recorded it; its name
	File  string
	Actor string
	At    time.Time
	Outcome
	Withdrawn *Withdrawal // nil: its rows stand
}

// Outcome is what became of a file's rows: Rows = Accepted + Rejected.
type Outcome struct {
	Rows, Accepted, Rejected  int
	Added, Unchanged, Changed int
	People                    int64
	Breakdown                 Breakdown
	First, Last               time.Time
	Chunks                    []string       // hashes of the rows
	Flags                     map[string]int // by rule, of single cells
	Found                     map[string]int // by rule, over all history after this file
	Notes                     []string
	Rejects                   string // address of the rows that were rejected; "": none were
	Seconds                   float64
}

// Withdrawal takes an import back.
type Withdrawal struct {
	Seq   int64
	Actor string
	At    time.Time
	Why   string
}

// ImportRuns keeps which files were imported.
type ImportRuns interface {
	// AddImport notes a file whose rows are stored.
	AddImport(ctx context.Context, file string, o Outcome) (Imported, error)
	// ImportRuns lists them, newest first.
	ImportRuns(ctx context.Context) ([]Imported, error)
	// ImportRun: NotFound.
	ImportRun(ctx context.Context, seq int64) (Imported, error)
	// WithdrawImport takes the rows of an import out of the figures, but for those that
	// another import which stands brought too: NotFound; Conflict when it was taken back
	// before; Invalid without a reason.
	WithdrawImport(ctx context.Context, seq int64, why string) (Imported, error)
}
