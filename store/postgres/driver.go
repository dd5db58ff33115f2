package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"dtm/store/relational"
)

// connector makes connections that understand the shared text: statements are spelt in
// PostgreSQL's words, truth values are the 0 and 1 of its columns, and rows of a
// transaction are read before they are given, because the text asks for more while it
// walks rows.
type connector struct {
	driver.Connector
}

func newConnector(c pgx.ConnConfig) driver.Connector { return connector{stdlib.GetConnector(c)} }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	k, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: k.(*stdlib.Conn)}, nil
}

type conn struct {
	*stdlib.Conn
	cursors int
}

// inside tells whether a transaction is open, and failed whether it can only be undone.
func (c *conn) inside() bool { return c.Conn.Conn().PgConn().TxStatus() != 'I' }
func (c *conn) failed() bool { return c.Conn.Conn().PgConn().TxStatus() == 'E' }

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, spell(query))
	if err != nil {
		return nil, err
	}
	return &stmt{Stmt: s.(*stdlib.Stmt), c: c, commit: query == "COMMIT"}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, spell(query), args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	text := spell(query)
	if strings.HasPrefix(text, longList) && c.inside() {
		return c.cursor(ctx, text, args)
	}
	rows, err := c.Conn.QueryContext(ctx, text, args)
	return c.held(rows, err)
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error { return check(c.Conn, v) }

// check has truth values be the numbers of their columns, and types of our own what they
// are made of.
func check(c *stdlib.Conn, v *driver.NamedValue) error {
	if _, ok := v.Value.(driver.Valuer); !ok && v.Value != nil {
		switch r := reflect.ValueOf(v.Value); r.Kind() {
		case reflect.Bool:
			n := int64(0)
			if r.Bool() {
				n = 1
			}
			v.Value = n
		case reflect.String:
			v.Value = r.String()
		}
	}
	return c.CheckNamedValue(v)
}

// held reads all rows when a transaction is open.
func (c *conn) held(rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil || !c.inside() {
		return rows, err
	}
	h := &heldRows{columns: rows.Columns()}
	if err := h.take(rows); err != nil {
		return nil, err
	}
	return h, nil
}

// longList begins a query whose rows may be more than memory should hold; in a
// transaction they are fetched a piece at a time.
const longList = "/* long */"

// fetched is how many rows a piece has.
const fetched = 500

func (c *conn) cursor(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.cursors++
	name := "list" + strconv.Itoa(c.cursors)
	if _, err := c.Conn.ExecContext(ctx, "DECLARE "+name+" CURSOR FOR "+text, args); err != nil {
		return nil, err
	}
	h := &heldRows{}
	h.more = func() error {
		rows, err := c.Conn.QueryContext(ctx, "FETCH "+strconv.Itoa(fetched)+" FROM "+name, nil)
		if err != nil {
			return err
		}
		h.columns = rows.Columns()
		return h.take(rows)
	}
	h.end = func() error {
		if c.failed() || !c.inside() {
			return nil
		}
		_, err := c.Conn.ExecContext(context.WithoutCancel(ctx), "CLOSE "+name, nil)
		return err
	}
	if err := h.more(); err != nil {
		return nil, err
	}
	return h, nil
}

type heldRows struct {
	columns []string
	rows    [][]driver.Value
	more    func() error // adds rows; nil: there are no more
	end     func() error
}

func (h *heldRows) take(rows driver.Rows) error {
	defer rows.Close()
	for {
		row := make([]driver.Value, len(h.columns))
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return rows.Close()
		case err != nil:
			return err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		h.rows = append(h.rows, row)
	}
}

func (h *heldRows) Columns() []string { return h.columns }

func (h *heldRows) Close() error {
	if h.end == nil {
		return nil
	}
	end := h.end
	h.end, h.more = nil, nil
	return end()
}

func (h *heldRows) Next(dest []driver.Value) error {
	if len(h.rows) == 0 && h.more != nil {
		if err := h.more(); err != nil {
			return err
		}
		if len(h.rows) == 0 {
			h.more = nil
		}
	}
	if len(h.rows) == 0 {
		return io.EOF
	}
	copy(dest, h.rows[0])
	h.rows = h.rows[1:]
	return nil
}

type stmt struct {
	*stdlib.Stmt
	c      *conn
	commit bool
}

func (s *stmt) CheckNamedValue(v *driver.NamedValue) error { return check(s.c.Conn, v) }

// errUndone is for a COMMIT of what PostgreSQL has undone already: it would answer such
// a COMMIT without an error.
var errUndone = errors.New("the transaction has failed: nothing can be committed")

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if s.commit && s.c.failed() {
		return nil, errUndone
	}
	return s.Stmt.ExecContext(ctx, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.Stmt.QueryContext(ctx, args)
	return s.c.held(rows, err)
}

// send has statements go to the server together. pgx prepares each text once for a
// connection; what follows one that failed is skipped by the server.
func send(ctx context.Context, c *sql.Conn, list []relational.Statement) error {
	return c.Raw(func(driven any) error {
		k := driven.(*conn)
		if k.failed() {
			return errUndone
		}
		batch := &pgx.Batch{}
		for _, s := range list {
			args := make([]any, len(s.Args))
			for i, a := range s.Args {
				v := driver.NamedValue{Ordinal: i + 1, Value: a}
				if err := check(k.Conn, &v); err != nil {
					return err
				}
				args[i] = v.Value
			}
			batch.Queue(spell(s.Query), args...)
		}
		answers := k.Conn.Conn().SendBatch(ctx, batch)
		for _, s := range list {
			if err := answer(answers, s); err != nil {
				_ = answers.Close() // says the same
				return err
			}
		}
		return answers.Close()
	})
}

func answer(from pgx.BatchResults, s relational.Statement) error {
	if s.Take == nil {
		_, err := from.Exec()
		return err
	}
	rows, err := from.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.Take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
