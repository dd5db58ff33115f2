package duckdb

import (
	"reflect"
	"testing"
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
