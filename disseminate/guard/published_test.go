package guard_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/disseminate/guard"
	"dtm/gather/bulk"
	"dtm/operation"
)

// rows keeps what an import stores, to load it at once.
type rows struct {
	op     *dtm.Operation
	chunks []warehouse.Chunk
}

func (r *rows) AddChunk(_ context.Context, c dtm.Chunk) (bool, error) {
	m, err := bulk.Decode(r.op, c.Data)
	r.chunks = append(r.chunks, warehouse.Chunk{Hash: c.Hash, Rows: m})
	return true, err
}

// figures computes over the given registry files with the real engine.
func figures(t *testing.T, op *dtm.Operation, files ...[]byte) *indicator.Engine {
	t.Helper()
	ctx := context.Background()
	wh, err := duckdb.Open(ctx, "", op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wh.Close() })
	r := &rows{op: op}
	for _, f := range files {
		if _, err := bulk.Import(ctx, op, bulk.Source{Name: "f.csv", Data: bytes.NewReader(f)}, r, bulk.Options{Now: func() time.Time { return time.Unix(0, 0) }}); err != nil {
			t.Fatal(err)
		}
	}
	to := warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := wh.Apply(ctx, warehouse.Batch{To: to, Chunks: r.chunks}); err != nil {
		t.Fatal(err)
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func djibouti(t *testing.T) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// history are the real files, which are not in the repository.
func history(t *testing.T) [][]byte {
	t.Helper()
	var out [][]byte
	for _, f := range []string{"DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", f))
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("the real history is missing: %v", err)
			}
			t.Skip("the real history is not on this machine")
		}
		out = append(out, b)
	}
	return out
}

// TestRealMonths: what is withheld of the real months.
func TestRealMonths(t *testing.T) {
	op := djibouti(t)
	g := guard.New(figures(t, op, history(t)...), op)
	span, err := g.Span(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var cells, small, company, open int
	var people, hidden int64
	var slowest time.Duration
	start := time.Now()
	for _, m := range span.Months() {
		if os.Getenv("DTM_TEST_MONTHS") == "" && m.Year < 2022 {
			continue // all of them take minutes
		}
		at := time.Now()
		p, err := g.Pattern(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(at))
		cells, small, company, open = cells+len(p.Cells), small+p.Small, company+p.Company, open+len(p.Open)
		for _, c := range p.Cells {
			people += c.Count
			if c.Hidden {
				hidden += c.Count
			}
		}
	}
	if open > 0 || small == 0 {
		t.Errorf("%d counts are open, %d small", open, small)
	}
	t.Logf("in %v, the slowest month %v: %d counts, %d small, %d for others (%.1f %% of the counts, %.2f %% of the people in them withheld), %d open",
		time.Since(start), slowest, cells, small, company, 100*float64(small+company)/float64(cells), 100*float64(hidden)/float64(people), open)
}

// TestRealPublished: what was published of the real months is not withheld.
func TestRealPublished(t *testing.T) {
	op := djibouti(t)
	g := guard.New(figures(t, op, history(t)...), op)
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", "published.csv"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	asked, shown := 0, 0
	for _, r := range list[1:] {
		if r[4] != "yes" {
			continue
		}
		from, to, ok := strings.Cut(r[0], "..")
		if !ok {
			to = from
		}
		p, err := dtm.ParsePeriod(from, to)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := g.Table(t.Context(), dtm.Query{Indicator: r[1], Period: p})
		if err != nil {
			t.Errorf("%s %s: %v", r[0], r[1], err)
			continue
		}
		asked++
		if len(tab.Figures) == 1 && tab.Figures[0].Value != nil {
			shown++
			continue
		}
		for _, f := range tab.Figures {
			if f.About == nil {
				t.Errorf("%s %s %s is withheld", r[0], r[1], r[2])
				continue
			}
			t.Logf("%s %s: published %s, about %v (%v to %v)", r[0], r[1], r[2], *f.About, *f.Low, *f.High)
		}
	}
	t.Logf("%d of %d published figures are shown", shown, asked)
}
