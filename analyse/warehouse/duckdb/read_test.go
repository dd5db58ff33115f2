package duckdb

import (
	"reflect"
	"testing"
	"time"

	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/warehousetest"
)

func TestWritten(t *testing.T) {
	const text = `SELECT sum(people) FROM movement WHERE operation = $1 AND observed >= CAST($2 AS date) AND n = $3 AND point IN ($10, $1)`
	codes := []any{"djibouti", "2023-11-01", 12, "a", "b", "c", "d", "e", "f", "OBO_1"}
	got, args := written(text, codes)
	if want := `SELECT sum(people) FROM movement WHERE operation = 'djibouti' AND observed >= CAST('2023-11-01' AS date) AND n = 12 AND point IN ('OBO_1', 'djibouti')`; got != want || args != nil {
		t.Errorf("got %s %v", got, args)
	}
	// What is no code stays an argument, and all others with it.
	for _, bad := range []any{"x' OR '1'='1", "a b", "é", "a\x00b", "$1", "%", `\`, nil, 1.5} {
		with := append([]any{bad}, codes[1:]...)
		if got, args := written(text, with); got != text || !reflect.DeepEqual(args, with) {
			t.Errorf("%q was put into the text: %s", bad, got)
		}
	}
	if got, args := written(text, codes[:3]); got != text || len(args) != 3 {
		t.Errorf("an argument that is not there: %s %v", got, args)
	}
}

// TestPositionOfWhatIsSeen reads while batches are committed: the position that is
// remembered is that of the state which the reader sees.
func TestPositionOfWhatIsSeen(t *testing.T) {
	t.Parallel()
	w, err := Open(t.Context(), "", warehousetest.Operation())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const batches = 60
	loaded := make(chan error, 1)
	go func() {
		var at warehouse.Position
		for i := range batches {
			to := warehouse.Position{Seq: int64(i + 1), Hash: "x"}
			if _, err := w.Apply(t.Context(), warehouse.Batch{From: at, To: to}); err != nil {
				loaded <- err
				return
			}
			at = to
		}
		loaded <- nil
	}()
	last := int64(0)
	for last < batches {
		select {
		case err := <-loaded:
			if err != nil {
				t.Fatal(err)
			}
		default:
		}
		err := w.Read(t.Context(), func(rd warehouse.Reader) error {
			said, err := rd.Position(t.Context())
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond) // others commit
			return rd.Query(t.Context(), positionText, nil, func(scan func(...any) error) error {
				var hash string
				var at time.Time
				err := scan(&last, &hash, &at)
				if said.Seq != last {
					t.Errorf("the position said is %d, the state read is %d", said.Seq, last)
				}
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
