package duckdb_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse/duckdb"
	"dtm/analyse/warehouse/warehousetest"
	"dtm/operation"
)

func open(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
	t.Helper()
	w, err := duckdb.Open(t.Context(), filepath.Join(t.TempDir(), "warehouse.duckdb"), op)
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

// TestPublished is the same comparison with the pack that is shipped.
func TestPublished(t *testing.T) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	warehousetest.Published(t, open, op)
}

// TestReopen closes and opens a file: its facts stay, unless the pack changed.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "warehouse.duckdb")
	log := warehousetest.NewLog()
	month := dtm.Month{Year: 2022, Month: 3}
	for _, id := range []string{"a", "b"} {
		log.Submit(id, "", dtm.Movement{Observed: month.First(), Point: "GATE", Sex: "male", People: 2})
	}
	total := func(op *dtm.Operation, wantLoaded int) {
		t.Helper()
		w, err := duckdb.Open(t.Context(), path, op)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		r := warehousetest.MustCatchUp(t, log.Loader(op, w))
		if r.Events != wantLoaded {
			t.Errorf("%d events loaded, want %d", r.Events, wantLoaded)
		}
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := e.Table(t.Context(), dtm.Query{Indicator: "total_movements", Period: dtm.Months(month, month), By: []string{"point"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(tab.Figures) != 1 || *tab.Figures[0].Value != float64(2*len(log.Ids())) {
			t.Errorf("figures %+v, want one for %d submissions", tab.Figures, len(log.Ids()))
		}
	}
	op := warehousetest.Operation()
	total(op, 2)
	total(op, 0)
	log.Submit("c", "", dtm.Movement{Observed: month.First(), Point: "GATE", Sex: "female", People: 2})
	total(op, 1)
	op.Points[0].Area = "AL02" // the facts move; nothing is loaded again
	total(op, 0)
	op.Points[0].Aliases = append(op.Points[0].Aliases, "Portal") // names may mean something else
	total(op, 3)
}

// TestLocked opens the same file from another process.
func TestLocked(t *testing.T) {
	const variable = "DTM_TEST_OPEN"
	if path := os.Getenv(variable); path != "" {
		_, err := duckdb.Open(t.Context(), path, warehousetest.Operation())
		if dtm.KindOf(err) != dtm.Unavailable || !strings.Contains(err.Error(), "another process") {
			t.Errorf("a file that another process holds: %v, want Unavailable", err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "warehouse.duckdb")
	w, err := duckdb.Open(t.Context(), path, warehousetest.Operation())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLocked$")
	cmd.Env = append(os.Environ(), variable+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestKilled kills a process that loads, at any moment: what is left is a state
// between two batches, and loading on gives the same facts.
func TestKilled(t *testing.T) {
	const variable = "DTM_TEST_LOAD"
	op := warehousetest.Operation()
	log := warehousetest.NewLog()
	const submissions = 3000
	for i := range submissions {
		log.Submit(strconv.Itoa(i), "", dtm.Movement{
			Observed: time.Date(2022, time.Month(1+i%12), 1+i%28, 0, 0, 0, 0, time.UTC), Point: "GATE", Sex: "male", People: 1 + i%7,
		})
	}
	load := func(path string) {
		w, err := duckdb.Open(t.Context(), path, op)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		l := log.Loader(op, w)
		l.Limit = 10
		warehousetest.MustCatchUp(t, l)
	}
	if path := os.Getenv(variable); path != "" {
		load(path)
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "warehouse.duckdb")
	between := 0
	for _, ms := range []int{150, 400, 700, 1000} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), variable+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed: the error says so
		w, err := duckdb.Open(t.Context(), path, op)
		if err != nil {
			t.Fatal(err)
		}
		at, err := w.Position(t.Context())
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		if at.Seq > 0 && at.Seq < submissions {
			between++
		}
	}
	if between == 0 {
		t.Error("the loading was never killed in its middle; make it longer")
	}
	load(path)
	got := open(t, op)
	warehousetest.MustCatchUp(t, log.Loader(op, got))
	want := warehousetest.Facts(t, got)
	w, err := duckdb.Open(t.Context(), path, op)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if d := cmp.Diff(want, warehousetest.Facts(t, w)); d != "" {
		t.Errorf("facts differ:\n%s", d)
	}
}
