package duckdb_test

import (
	"path/filepath"
	"testing"

	"dtm"
	"dtm/analyse/warehouse/duckdb"
	"dtm/analyse/warehouse/warehousetest"
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
