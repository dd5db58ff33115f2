package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/postgres"
	"dtm/analyse/warehouse/warehousetest"
	"dtm/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
	t.Helper()
	return opened(t, pgtest.Database(t, ""), op)
}

func opened(t testing.TB, url string, op *dtm.Operation) warehousetest.Warehouse {
	t.Helper()
	w, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestWarehouse(t *testing.T) { warehousetest.Run(t, open) }

// TestSpread runs the suite on a Citus cluster, where one is given.
func TestSpread(t *testing.T) {
	pgtest.Spread(t)
	warehousetest.Run(t, func(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
		return opened(t, pgtest.Spread(t), op)
	})
}

func TestLocked(t *testing.T) {
	t.Parallel()
	op, url := warehousetest.Operation(), pgtest.Database(t, "")
	w, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), url, op); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("opened twice: %v, want Unavailable", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCounted: after many facts have come, the database knows at once how many there are.
func TestCounted(t *testing.T) {
	t.Parallel()
	op, url := warehousetest.Operation(), pgtest.Database(t, "")
	w, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	k, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(t.Context())
	known := func() (n int) {
		if err := k.QueryRow(t.Context(), `SELECT CAST(reltuples AS integer) FROM pg_class WHERE oid = to_regclass($1)`, "dtm_"+op.Code+".fact").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := known(); n != -1 { // never counted
		t.Fatalf("%d facts known of an empty table", n)
	}
	b := warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "1", At: time.Now()}}
	b.Chunks = []warehouse.Chunk{{Hash: "c"}}
	for i := range 3000 {
		b.Chunks[0].Rows = append(b.Chunks[0].Rows, dtm.Movement{Source: fmt.Sprint(i), Observed: time.Date(2022, 3, 1+i%28, 0, 0, 0, 0, time.UTC), Point: "GATE", Direction: "incoming", Sex: "male", Age: "adults", Breakdown: "full", People: 1})
	}
	if _, err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if n := known(); n != 3000 {
		t.Errorf("%d facts known, 3000 are there", n)
	}
}

// TestAway: while the database is away a reader is told so, and has figures again when it is
// back.
func TestAway(t *testing.T) {
	t.Parallel()
	c := pgtest.Own(t)
	w := opened(t, c.Address("postgres"), warehousetest.Operation())
	read := func() error {
		return w.Read(t.Context(), func(r warehouse.Reader) error {
			_, err := r.Position(t.Context())
			return err
		})
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	c.Crash()
	for range 3 { // the connection that was lost, and others
		if err := read(); dtm.KindOf(err) != dtm.Unavailable {
			t.Errorf("the database is away: %v, want Unavailable", err)
		}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := read(); err != nil {
		t.Errorf("the database is back: %v", err)
	}
}
