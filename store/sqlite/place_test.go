package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"dtm/store/sqlite"
)

// TestMoveSearches: the next rows of a move are looked up in an index, whatever the table:
// one that was gone through from its first row took a move of a million rows hours.
func TestMoveSearches(t *testing.T) {
	t.Parallel()
	p, err := sqlite.OpenPlace(t.Context(), filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.DB.Close()
	for _, x := range p.Tables {
		if len(x.Key) == 1 {
			continue // one row
		}
		end, args := x.Behind("test", make([]any, len(x.Key)))
		rows, err := p.DB.QueryContext(t.Context(), `EXPLAIN QUERY PLAN SELECT * FROM `+x.Name+` `+end, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		// Rows of the same submission may be put in order after they were found.
		said := strings.TrimSuffix(strings.Join(plan, "; "), "; USE TEMP B-TREE FOR LAST TERM OF ORDER BY")
		if !strings.HasPrefix(said, "SEARCH") || !strings.Contains(said, ">") || strings.Contains(said, "; ") {
			t.Error(x.Name, x.Key, said)
		}
	}
}
