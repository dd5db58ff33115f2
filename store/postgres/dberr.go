package postgres

import (
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"dtm"
	"dtm/pg"
	"dtm/store/relational"
)

func init() { relational.Faults(fault) }

// fault reads the SQLSTATE, and what says that the server was lost.
func fault(err error) (f relational.Fault, ok bool) {
	var e *pgconn.PgError
	switch {
	case errors.As(err, &e):
	case errors.Is(err, errUndone):
		return relational.Fault{Undone: true}, true
	case pg.Lost(err):
		return relational.Fault{Undone: true, Again: pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn), Tell: &dtm.Error{Kind: dtm.Unavailable, Code: "store.unreachable",
			Msg: "the database server cannot be reached: try again"}}, true
	default:
		return f, false
	}
	f.Taken = e.Code == "23505"
	f.Again = e.Code == "40001" || e.Code == "40P01"
	switch {
	case f.Again, strings.HasPrefix(e.Code, "55P"):
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.busy", Msg: "others are writing the same: nothing was stored; try again"}
	case e.Code == "54000":
		return relational.Fault{Tell: &dtm.Error{Kind: dtm.Invalid, Code: "store.long", Msg: "an identifier or a name is too long for the database: at most about 2,000 letters"}}, true
	case e.Code == "53100":
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.full", Msg: "the disk of the database server is full: nothing was stored; try again when there is room"}
	case pg.Idle(err):
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.unreachable", Msg: "the database server takes no work now: try again"}
	case strings.HasPrefix(e.Code, "58"), strings.HasPrefix(e.Code, "XX"), e.Code == "25006":
		f.Tell = &dtm.Error{Kind: dtm.Unavailable, Code: "store.broken", Msg: "the database cannot be written: nothing was stored; the database server must be looked at"}
	}
	f.Undone = f.Tell != nil
	return f, true
}
