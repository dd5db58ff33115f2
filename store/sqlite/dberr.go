package sqlite

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"dtm"
	"dtm/store/relational"
)

func init() { relational.Faults(fault) }

// fault reads SQLite's extended result code.
func fault(err error) (f relational.Fault, ok bool) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return f, false
	}
	code := e.Code()
	f.Taken = code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.full",
			Msg: "the disk of the server is full: nothing was stored; try again when there is room"}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.busy",
			Msg: "another program holds the data file: nothing was stored; try again"}
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.broken",
			Msg: "the data file cannot be written: nothing was stored; the server's disk must be looked at"}
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT,
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT:
		f.Undone = true
	}
	f.Synced = code&0xff == sqlite3.SQLITE_IOERR
	return f, true
}
