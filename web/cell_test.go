package web

import "testing"

// What a spreadsheet would compute is marked when it leaves, and is itself again when it
// comes back; what merely begins with an apostrophe stays.
func TestCellAndBack(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"": "", "Obock": "Obock", "=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "+253 77": "'+253 77", "-": "'-", "'Ali": "'Ali", "'": "'"} {
		if got := cell(typed); got != want {
			t.Errorf("%q leaves as %q", typed, got)
		}
		if got := asTyped(cell(typed)); got != typed {
			t.Errorf("%q comes back as %q", typed, got)
		}
	}
}
