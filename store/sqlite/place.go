package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	"dtm/store/relational"
	"dtm/store/sqlite/migration"
)

// OpenPlace opens the rows of an operation in the file at path, made when absent and
// brought up to date, with nobody else at it.
func OpenPlace(ctx context.Context, path string, o Options) (relational.Place, error) {
	p := relational.Place{Operation: o.Operation}
	abs, err := filepath.Abs(path)
	if err != nil {
		return p, opened(path, err)
	}
	if p.DB, err = sql.Open("sqlite", dsn(abs, true)); err != nil {
		return p, opened(path, err)
	}
	p.DB.SetMaxOpenConns(1)
	err = migrate(ctx, p.DB, abs, migration.Files, o)
	if err == nil {
		// What a power cut takes of a move is brought again: only whole batches are there, and
		// all of them are on disk when the place is closed.
		_, err = p.DB.ExecContext(ctx, `PRAGMA synchronous = NORMAL`)
	}
	var all []relational.Table
	if err == nil {
		all, err = tables(ctx, p.DB)
	}
	if err != nil {
		p.DB.Close()
		return p, opened(path, err)
	}
	p.Tables = relational.Shape(all)
	p.Load = func(ctx context.Context, t relational.Table, rows [][]any) error { return insert(ctx, p.DB, t, rows) }
	return p, nil
}

var kinds = map[string]relational.Kind{"TEXT": relational.Text, "INTEGER": relational.Number, "REAL": relational.Real, "BLOB": relational.Bytes}

// tables reads what the file has, in the order in which it was made.
func tables(ctx context.Context, db *sql.DB) ([]relational.Table, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT t.name, c.name, c.type, c."notnull", c.pk
		FROM sqlite_schema t
		JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%'
		ORDER BY t.rowid, c.pk, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []relational.Table
	for rows.Next() {
		var table, kind string
		var notNull bool
		var key int
		var c relational.Column
		if err := rows.Scan(&table, &c.Name, &kind, &notNull, &key); err != nil {
			return nil, err
		}
		if len(list) == 0 || list[len(list)-1].Name != table {
			list = append(list, relational.Table{Name: table})
			if table == "submission_sealed" { // the order in which they came
				list[len(list)-1].Columns = []relational.Column{{Name: "rowid", Kind: relational.Number}}
			}
		}
		t := &list[len(list)-1]
		c.Kind, c.Null = kinds[kind], !notNull && key == 0
		t.Columns = append(t.Columns, c)
		if key > 0 {
			t.Key = append(t.Key, c.Name)
		}
	}
	return list, rows.Err()
}

func insert(ctx context.Context, db *sql.DB, t relational.Table, rows [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var names, binds []string
	for i, c := range t.Columns {
		names, binds = append(names, c.Name), append(binds, fmt.Sprintf("$%d", i+1))
	}
	s, err := tx.PrepareContext(ctx, `INSERT INTO `+t.Name+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(binds, ", ")+`)`)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, r := range rows {
		if _, err := s.ExecContext(ctx, r...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
