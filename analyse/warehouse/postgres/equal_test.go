package postgres_test

import (
	"testing"

	"dtm"
	"dtm/analyse/warehouse/duckdb"
	"dtm/analyse/warehouse/warehousetest"
)

// TestEqualsDuckDB: every indicator, asked in every way, says the same on both
// databases.
func TestEqualsDuckDB(t *testing.T) {
	t.Parallel()
	tables, full := warehousetest.Equal(t, open, func(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
		t.Helper()
		w, err := duckdb.Open(t.Context(), "", op)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		return w
	}, 1)
	t.Logf("%d tables compared, %d of them with figures", tables, full)
	if full < tables/2 {
		t.Errorf("only %d of %d tables have figures: the seed asks too little", full, tables)
	}
}
