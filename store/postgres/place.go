package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"dtm"
	"dtm/store/relational"
)

// OpenPlace opens the rows of an operation in the database at url, brought up to date.
// While it is marked as moving, nobody else opens the operation there; Conflict while a
// server is at work on it.
func OpenPlace(ctx context.Context, url string, o Options) (relational.Place, error) {
	p := relational.Place{Operation: o.Operation}
	var err error
	if p.DB, err = pool(url, nil, 4); err != nil {
		return p, err
	}
	err = migrate(ctx, p.DB, o.Operation, o)
	var busy int
	if err == nil {
		err = p.DB.QueryRowContext(ctx, `
			SELECT count(*)
			FROM work_claim
			WHERE operation = $1 AND until > now()`, o.Operation).Scan(&busy)
	}
	if err == nil && busy > 0 {
		err = dtm.Errorf(dtm.Conflict, "a server is at work on this operation in the database; stop it and try again in %d seconds", int(leased.Seconds())+1).Coded("store.serving", int(leased.Seconds())+1)
	}
	var all []relational.Table
	if err == nil {
		all, err = tables(ctx, p.DB)
	}
	if err != nil {
		return p, errors.Join(opened(err), p.DB.Close())
	}
	p.Tables = relational.Shape(all)
	p.Load = func(ctx context.Context, t relational.Table, rows [][]any) error { return load(ctx, p.DB, t, rows) }
	return p, nil
}

// BeginMove marks the operation as moving in the database of a place that rows are to be
// brought to: Conflict when there are rows already that no move brought.
func BeginMove(ctx context.Context, p relational.Place) error {
	var moving bool
	var events int
	err := p.DB.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM moving WHERE operation = $1), (SELECT count(*) FROM event WHERE operation = $1)`, p.Operation).Scan(&moving, &events)
	switch {
	case err != nil:
		return relational.Failure("postgres.BeginMove", err)
	case moving:
		return nil
	case events > 0:
		return dtm.Errorf(dtm.Conflict, "the database has %d events of the operation %s already: it can be served as it is, or moved to another database", events, p.Operation).Coded("store.moved_there", events, p.Operation)
	}
	return MarkMoving(ctx, p)
}

// MarkMoving has nobody open the operation until EndMove.
func MarkMoving(ctx context.Context, p relational.Place) error {
	_, err := p.DB.ExecContext(ctx, `
		INSERT INTO moving (operation)
		VALUES ($1)
		ON CONFLICT (operation) DO NOTHING`, p.Operation)
	return relational.Failure("postgres.MarkMoving", err)
}

// EndMove takes the mark away; numbers that the database gives go on behind those that
// were brought.
func EndMove(ctx context.Context, p relational.Place) error {
	for _, q := range []string{
		`SELECT setval(pg_get_serial_sequence('submission_sealed', 'rowid'), (SELECT coalesce(max(rowid), 0) + 1 FROM submission_sealed), false)`,
		`ANALYZE`,
	} {
		if _, err := p.DB.ExecContext(ctx, q); err != nil {
			return relational.Failure("postgres.EndMove", err)
		}
	}
	_, err := p.DB.ExecContext(ctx, `
		DELETE FROM moving
		WHERE operation = $1`, p.Operation)
	return relational.Failure("postgres.EndMove", err)
}

// notMoving is Unavailable while a move has brought a part of the operation only.
func notMoving(ctx context.Context, db *sql.DB, operation string) error {
	var moving bool
	err := db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM moving WHERE operation = $1)`, operation).Scan(&moving)
	if err == nil && moving {
		err = dtm.Errorf(dtm.Unavailable, "the operation %s is being moved to or from this database; run `dtm move` again until it says that all is there", operation).Coded("store.moving", operation)
	}
	return err
}

var kinds = map[string]relational.Kind{"text": relational.Text, "bigint": relational.Number, "double precision": relational.Real, "bytea": relational.Bytes}

// tables reads what the schema has, in the order in which it was made.
func tables(ctx context.Context, db *sql.DB) ([]relational.Table, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT t.relname, a.attname, format_type(a.atttypid, NULL), CAST(NOT a.attnotnull AS integer), coalesce(array_position(CAST(i.indkey AS smallint[]), a.attnum), -1)
		FROM pg_class t
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
		WHERE t.relkind = 'r' AND t.relnamespace = CAST(current_schema AS regnamespace)
		ORDER BY t.oid, coalesce(array_position(CAST(i.indkey AS smallint[]), a.attnum), -1), a.attnum`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []relational.Table
	for rows.Next() {
		var table, kind string
		var key int
		var c relational.Column
		if err := rows.Scan(&table, &c.Name, &kind, &c.Null, &key); err != nil {
			return nil, err
		}
		if len(list) == 0 || list[len(list)-1].Name != table {
			list = append(list, relational.Table{Name: table})
		}
		t := &list[len(list)-1]
		c.Kind = kinds[kind]
		t.Columns = append(t.Columns, c)
		if key >= 0 {
			t.Key = append(t.Key, c.Name)
		}
	}
	return list, rows.Err()
}

// load copies rows in one statement: all or none.
func load(ctx context.Context, db *sql.DB, t relational.Table, rows [][]any) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	names := make([]string, len(t.Columns))
	for i, x := range t.Columns {
		names[i] = x.Name
	}
	return c.Raw(func(k any) error {
		n, err := k.(*conn).Conn.Conn().CopyFrom(ctx, pgx.Identifier{t.Name}, names, pgx.CopyFromRows(rows))
		if err == nil && n != int64(len(rows)) {
			err = fmt.Errorf("%d of %d rows were copied", n, len(rows))
		}
		return err
	})
}

// Forget removes what a move brought of the operation: what was received is immutable
// otherwise. Only of an operation that is marked as moving: Conflict.
func Forget(ctx context.Context, p relational.Place) error {
	const op = "postgres.Forget"
	tx, err := p.DB.BeginTx(ctx, nil)
	if err != nil {
		return relational.Failure(op, err)
	}
	defer tx.Rollback()
	var moving bool
	if err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM moving WHERE operation = $1)`, p.Operation).Scan(&moving); err != nil {
		return relational.Failure(op, err)
	}
	if !moving {
		return dtm.Errorf(dtm.Conflict, "the rows of the operation in the database are in use; nothing was removed").Coded("store.in_use")
	}
	tables := slices.Clone(p.Tables)
	slices.Reverse(tables)
	for _, name := range []string{"reading_done", "submission_registry"} {
		tables = append(tables, relational.Table{Name: name})
	}
	for _, t := range tables {
		for _, q := range []string{`ALTER TABLE ` + t.Name + ` DISABLE TRIGGER USER`, `DELETE FROM ` + t.Name + ` WHERE operation = '` + strings.ReplaceAll(p.Operation, "'", "''") + `'`, `ALTER TABLE ` + t.Name + ` ENABLE TRIGGER USER`} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return relational.Failure(op, err)
			}
		}
	}
	return relational.Failure(op, tx.Commit())
}
