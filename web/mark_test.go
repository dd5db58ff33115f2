package web

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A colon or a comma between two things is written as the reader's language writes it:
// French sets a thin space before a colon (word.colon), the Arabic comma is another
// (word.comma).
func TestMarksAreOfTheLanguage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("template/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	written := regexp.MustCompile(`\}\}(</[a-z]*>)?[:,]( |<|\{\{).{0,40}`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range written.FindAllString(string(text), -1) {
			t.Errorf("%s writes a mark itself: %s", file, found)
		}
	}
}
