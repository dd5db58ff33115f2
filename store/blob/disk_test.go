package blob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm/store/blob"
)

// What a killed process was writing is gone at the next start, unless others may be
// writing there.
func TestHalfWritten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := blob.NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Put(t.Context(), strings.NewReader("kept")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "coming", "half"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Shared(root); err != nil || len(files(t, root)) != 2 {
		t.Errorf("%v, %v", files(t, root), err)
	}
	if _, err := blob.NewDisk(root); err != nil || len(files(t, root)) != 1 {
		t.Errorf("%v, %v", files(t, root), err)
	}
}
