package indicator

import (
	"os"
	"regexp"
	"testing"
)

// TestArabicNotes reads the sources for the codes in use.
func TestArabicNotes(t *testing.T) {
	t.Parallel()
	used := 0
	for _, file := range []string{"compute.go", "note.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.note\("([a-z._]+)"`).FindAllSubmatch(b, -1) {
			used++
			if arabicNotes[string(m[1])] == "" {
				t.Errorf("the note %s has no Arabic", m[1])
			}
		}
	}
	if used < len(arabicNotes) {
		t.Errorf("%d uses of %d notes", used, len(arabicNotes))
	}
}
