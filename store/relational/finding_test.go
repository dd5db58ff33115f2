package relational_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"dtm/store/relational"
	"dtm/store/sqlite"
	"dtm/store/storetest"
)

// TestReadingsOfMany: searches find the same when every filter leaves more than is put in
// order, or some of them.
func TestReadingsOfMany(t *testing.T) {
	d := storetest.Dialect{
		Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "d.db") },
		Open: func(place, operation string, now func() time.Time) (storetest.Store, error) {
			return sqlite.Open(t.Context(), place, sqlite.Options{Operation: operation, Now: now})
		},
	}
	for _, few := range []int{0, 40} {
		t.Run(fmt.Sprint(few), func(t *testing.T) {
			defer relational.Few(few)()
			storetest.Readings(t, d)
		})
	}
}
