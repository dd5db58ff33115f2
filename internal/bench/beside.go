package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse/duckdb"
	"dtm/analyse/warehouse/postgres"
	"dtm/internal/pgtest"
	"dtm/operation"
)

// engine is where the data folders of a run keep their rows: in themselves, or each in a
// database of its own on a PostgreSQL server.
type engine struct {
	name    string
	cluster *pgtest.Cluster // nil: SQLite and DuckDB
	seen    []measured      // nil: every line is printed as it comes
	places  map[string]string
}

// measured is a line of the table.
type measured struct{ what, got, allowed string }

// on is the engine that is measured.
var on = &engine{}

// line prints a measure, or keeps it for the table of both engines.
func line(what, got, allowed string) {
	if on.seen != nil {
		on.seen = append(on.seen, measured{what, got, allowed})
		fmt.Fprintf(os.Stderr, "%s: %s: %s\n", on.name, strings.TrimSpace(what), got)
		return
	}
	fmt.Printf("%-46s %-34s %s\n", what, got, allowed)
}

// made makes a data folder whose store and warehouse are on the engine.
func made(bin, data string) error {
	args := []string{"init", "-data", data}
	if on.cluster != nil {
		name := fmt.Sprintf("bench%d", len(on.places))
		k, err := pgx.Connect(context.Background(), on.cluster.Address("postgres"))
		if err != nil {
			return err
		}
		defer k.Close(context.Background())
		if _, err := k.Exec(context.Background(), "CREATE DATABASE "+name); err != nil {
			return err
		}
		on.places[data] = on.cluster.Address(name)
		args = append(args, "-store", on.places[data], "-warehouse", on.places[data])
	}
	_, _, err := run(bin, args...)
	return err
}

// benchBeside measures the budget on SQLite and DuckDB and then on a PostgreSQL server of
// its own that runs on the same machine and commits to disk, and prints both.
func benchBeside(bin string, records, rows int) error {
	cluster, err := database()
	if err != nil {
		return err
	}
	defer cluster.Stop()
	both := []*engine{
		{name: "SQLite and DuckDB", seen: []measured{}},
		{name: "PostgreSQL", seen: []measured{}, cluster: cluster, places: map[string]string{}},
	}
	for _, e := range both {
		on = e
		if err := bench(bin, false, false, records, large{rows: rows, besides: true}); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	on = &engine{}
	fmt.Printf("%-46s %-34s %-34s %s\n", "measure", both[0].name, both[1].name, "allowed")
	for _, m := range both[0].seen {
		other := "not measured"
		if i := slices.IndexFunc(both[1].seen, func(x measured) bool { return x.what == m.what }); i >= 0 {
			other = both[1].seen[i].got
			both[1].seen = slices.Delete(both[1].seen, i, i+1) // two may be called the same
		}
		if m.what != "measure" {
			fmt.Printf("%-46s %-34s %-34s %s\n", m.what, m.got, other, m.allowed)
		}
	}
	return nil
}

// asked measures every indicator of movements over a folder that no server serves, each
// asked anew on an engine that remembers nothing, and prints the middle and the slowest.
func asked(data string, rows int) error {
	ctx := context.Background()
	op, err := operation.Pack("djibouti")
	if err != nil {
		return err
	}
	var wh interface {
		indicator.Warehouse
		Close() error
	}
	if url := on.places[data]; url != "" {
		wh, err = postgres.Open(ctx, url, op)
	} else {
		wh, err = duckdb.Open(ctx, filepath.Join(data, "facts.duckdb"), op)
	}
	if err != nil {
		return err
	}
	defer wh.Close()
	e, err := indicator.New(op, wh)
	if err != nil {
		return err
	}
	var took []time.Duration
	worst, name := time.Duration(0), ""
	for _, q := range asks(e.Catalogue()) {
		best := time.Hour
		for range 3 {
			e, err := indicator.New(op, wh)
			if err != nil {
				return err
			}
			if _, err := e.Table(ctx, dtm.Query{Indicator: "coverage_days_pct", Period: dtm.Months(monthOf(2023, 12), monthOf(2023, 12))}); err != nil {
				return err // what is asked once a state of the data
			}
			at := time.Now()
			if _, err := e.Table(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", nameOf(q), err)
			}
			best = min(best, time.Since(at))
		}
		took = append(took, best)
		if best > worst {
			worst, name = best, nameOf(q)
		}
	}
	line(fmt.Sprintf("indicator, the middle of %d, %d rows", len(took), rows), ms(percentile(took, .5)), "")
	line(fmt.Sprintf("indicator, the slowest, %d rows", rows), ms(worst)+" "+name, "")
	return nil
}
