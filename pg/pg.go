// Package pg is what store and warehouse know alike of a PostgreSQL server that does not
// answer.
package pg

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Lost tells whether the connection was lost, or none could be made: no server said anything.
func Lost(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return false
	}
	var connect *pgconn.ConnectError
	var op *net.OpError
	return errors.As(err, &connect) || errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err)
}

// Idle tells whether a server said that it takes no work now: it stops, is full, or cannot
// reach another (classes 08, 53 and 57P of PostgreSQL's appendix A; 08 is what Citus says of
// a worker).
func Idle(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (strings.HasPrefix(said.Code, "08") || strings.HasPrefix(said.Code, "53") || strings.HasPrefix(said.Code, "57P"))
}
