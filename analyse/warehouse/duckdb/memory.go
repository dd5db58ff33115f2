package duckdb

import (
	"context"

	"github.com/duckdb/duckdb-go/v2"
)

// Memory is how many bytes DuckDB holds for this warehouse, by what it holds them for:
// its own names, BASE_TABLE or HASH_TABLE among them. Nothing that holds none is given.
func (w *Warehouse) Memory(ctx context.Context) (map[string]int64, error) {
	rows, err := w.db.QueryContext(ctx, `
		SELECT tag, memory_usage_bytes
		FROM duckdb_memory()
		WHERE memory_usage_bytes > 0`)
	if err != nil {
		return nil, wrap("Memory", err)
	}
	defer rows.Close()
	held := map[string]int64{}
	for rows.Next() {
		var tag string
		var bytes int64
		if err := rows.Scan(&tag, &bytes); err != nil {
			return nil, wrap("Memory", err)
		}
		held[tag] += bytes
	}
	return held, wrap("Memory", rows.Err())
}

// GiveBack has DuckDB and the C library give back to the system what they keep free: a
// database does it for the whole process when it is closed, and no statement does.
func GiveBack() error {
	c, err := duckdb.NewConnector("", nil)
	if err == nil {
		err = c.Close()
	}
	return wrap("GiveBack", err)
}
