package sqlite

import (
	"context"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"dtm"
)

// failure turns what the driver says into an *dtm.Error, by code and never by
// message; nil stays nil, and an *dtm.Error stays itself.
func failure(op string, err error) error {
	var own *dtm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	code := codeOf(err)
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "store.full", Err: err,
			Msg: "the disk of the server is full: nothing was stored; try again when there is room"}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "store.busy", Err: err,
			Msg: "another program holds the data file: nothing was stored; try again"}
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "store.broken", Err: err,
			Msg: "the data file cannot be written: nothing was stored; the server's disk must be looked at"}
	}
	return &dtm.Error{Kind: dtm.Internal, Op: op, Err: err}
}

// unique tells whether err is the refusal of a key that is there already.
func unique(err error) bool {
	c := codeOf(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// codeOf returns SQLite's extended result code, 0 when err is not from SQLite.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
