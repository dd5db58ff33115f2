package postgres_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm/store/postgres"
	"dtm/store/relational"
	"dtm/store/sqlite"
)

// TestTables: both engines have the same tables with the same columns of the same kinds,
// so that rows of one go into the other.
func TestTables(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, err := sqlite.OpenPlace(ctx, filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.DB.Close()
	b, err := postgres.OpenPlace(ctx, place(t), postgres.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.DB.Close()
	by := func(list []relational.Table) map[string]relational.Table {
		out := map[string]relational.Table{}
		for _, t := range list {
			out[t.Name] = t
		}
		return out
	}
	if diff := cmp.Diff(by(a.Tables), by(b.Tables)); diff != "" {
		t.Error(diff)
	}
	if len(a.Tables) < 60 {
		t.Errorf("%d tables", len(a.Tables))
	}
}
