package relational

import (
	"context"
	"database/sql"
)

// Engine is what differs between the databases that carry the shared text. Its pools
// understand $1 binds and the text's few words of SQLite (see doc/decisions/0050); a
// sibling room fills it in and gives it to Open, which closes the pools.
type Engine struct {
	Read  *sql.DB // cannot write
	Write *sql.DB // its one connection belongs to the writer

	// Begin opens a transaction in which nobody else writes to the operation until it
	// ends, with every statement seeing what was committed before.
	Begin func(exec func(query string, args ...any) error) error
	// Send runs statements one after the other on the writer's connection, in one way to a
	// server and back, and gives the error of the first that failed; those after it are not
	// run. nil: there is no way to go.
	Send func(ctx context.Context, conn *sql.Conn, list []Statement) error
	// Alone: no other process writes here. What this process has read stays true until
	// it writes itself.
	Alone bool
	// Committed is called by the writer after a commit of so many jobs; nil: nothing.
	Committed func(jobs int)
	// Listen calls ring with the number of an entry that another process has committed,
	// until ctx ends; nil: there is no other process.
	Listen func(ctx context.Context, ring func(seq int64))
	// Claim takes a piece of work by its name for this process, until release is called
	// or the process ends; false when another one has it. lost is closed when it was
	// taken away. nil: there is no other process.
	Claim func(ctx context.Context, name string) (release func(), lost <-chan struct{}, ok bool, err error)

	Words Words
	Keys  *Keys // nil: nothing personal is read or kept

	// Backup writes everything committed so far into a new file; nil: the engine has
	// means of its own.
	Backup func(ctx context.Context, path string) error
	// Close ends what else the engine has open, after the writer and before the pools.
	Close func() error
}

// Statement is one statement and what is bound in it.
type Statement struct {
	Query string
	Args  []any
	Take  func(scan func(dest ...any) error) error // is given each row; nil: none is asked for
}

// Words keeps the words of submissions for the search, as the engine can.
type Words interface {
	// Keep replaces the words of the submission with the row number doc in the
	// operation; before tells whether it has any. noted is the engine's to remember in
	// what it did in the transaction. What the row of submission_reading itself is to
	// hold is returned as a column set to ?, and its value; "": nothing.
	Keep(exec func(query string, args ...any) error, doc int64, words string, before bool, noted map[string]bool) (set string, value any, err error)
	// Find gives the search for all of the words as SQL over submission_reading, by the
	// alias x: a table to walk first ("" for none, else joined to x and in the order of
	// by), a condition, and its argument, which the condition has as ?. No condition:
	// nothing is found. walk tells whether the table to walk can be used.
	Find(ctx context.Context, q Querier, words []string, walk bool) (from, by, condition string, arg any, err error)
}
