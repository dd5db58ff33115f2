package postgres_test

import (
	"testing"

	"dtm"
	"dtm/analyse/warehouse/postgres"
	"dtm/analyse/warehouse/warehousetest"
	"dtm/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
	t.Helper()
	w, err := postgres.Open(t.Context(), pgtest.Database(t, ""), op)
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
