package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"dtm"
)

var code = regexp.MustCompile(`(?m)^code = "djibouti"$`)

// benchOperations puts n operations into one PostgreSQL database of its own, and measures
// what the first of them costs while it is alone and when the others are there.
func benchOperations(bin string, n int) error {
	ctx := context.Background()
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-operations-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cluster, err := database()
	if err != nil {
		return err
	}
	defer cluster.Stop()
	url := cluster.Address("dtm")
	k, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer k.Close(ctx)
	line("measure", "seen", "")
	loadNow()
	folder := func(i int) string { return filepath.Join(dir, fmt.Sprintf("data%d", i)) }
	var took []time.Duration
	for i := range n {
		pack := filepath.Join(dir, fmt.Sprintf("pack%d", i))
		points, err := packOf(pack, len(staffed))
		if err != nil {
			return err
		}
		settings := filepath.Join(pack, "operation.toml")
		b, err := os.ReadFile(settings)
		if err != nil {
			return err
		}
		if err := os.WriteFile(settings, code.ReplaceAll(bytes.Clone(b), fmt.Appendf(nil, `code = "op%d"`, i)), 0o644); err != nil {
			return err
		}
		began := time.Now()
		if _, _, err := run(bin, "init", "-data", folder(i), "-operation", pack, "-store", url, "-warehouse", url); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		if err := history(bin, dir, folder(i), points, 6); err != nil {
			return err
		}
		if i > 0 && i < n-1 {
			continue
		}
		line("", fmt.Sprintf("%d in the database", i+1), "")
		line("  init of one more", ms(took[i]), "")
		var mb int64
		if err := k.QueryRow(ctx, `SELECT pg_database_size(current_database()) / 1048576`).Scan(&mb); err != nil {
			return err
		}
		line("  database", fmt.Sprintf("%d MB", mb), "")
		if err := oneOf(ctx, bin, folder(0), k); err != nil {
			return err
		}
		loadNow()
	}
	return nil
}

// oneOf serves one of the operations.
func oneOf(ctx context.Context, bin, data string, k *pgx.Conn) error {
	s, ready, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	line("  start to ready", ms(ready), "")
	s.rest(time.Minute)
	v := &visitor{http.DefaultClient, s.base}
	last := dtm.MonthOf(time.Now()).Add(-1)
	var months []string
	for i := range 6 {
		months = append(months, "/en/?from="+last.Add(-i).String())
	}
	for _, x := range []view{{"  public front page", months}, {"  public list of points", []string{"/en/points/"}}, {"  API: points.json", []string{"/api/v1/points.json"}}} {
		line(x.name, v.weigh(s, x), "")
	}
	var held int
	if err := k.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&held); err != nil {
		return err
	}
	line("  connections of its server", fmt.Sprint(held), "")
	line("  memory of its server", s.memory()+", "+memoryOf(s.cmd.Process.Pid, "VmHWM")+" at most", "")
	// Tables whose every read would go through the rows of the others.
	rows, err := k.Query(ctx, `
		SELECT c.table_name::text FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.column_name = 'operation' AND c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
		AND NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			WHERE i.indrelid = (quote_ident(c.table_schema) || '.' || quote_ident(c.table_name))::regclass AND a.attname = 'operation') ORDER BY 1`)
	if err != nil {
		return err
	}
	without, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	line("  tables without a key that begins so", fmt.Sprint(len(without), " ", without), "")
	return nil
}
