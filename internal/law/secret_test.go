package law

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// chance may be computed here, where nobody gains by foretelling it: made-up data, the name
// of a table that is gone soon, the time between two attempts, draws that can be repeated.
var chance = []string{"analyse/stat/", "analyse/warehouse/", "analyse/watch/synthetic.go", "cmd/dtm/demoreferral.go", "demo/", "gather/webhook/sender.go", "internal/", "store/storetest/"}

// secrets are what no file of the project may hold.
var secrets = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}|AGE-SECRET-KEY-1[0-9A-Z]{50}|\bAKIA[0-9A-Z]{16}\b|\bghp_[0-9A-Za-z]{36}\b|\bxox[bp]-[0-9A-Za-z-]{20}`)

// TestSecretsByChance: tokens, keys and codes come from crypto/rand, because nothing else can
// be imported where they are made; and no key lies in the project.
func TestSecretsByChance(t *testing.T) {
	t.Parallel()
	read := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || slices.Contains([]string{"node_modules", "bin", "dist"}, name)) {
				return filepath.SkipDir
			}
			return nil
		}
		if info, err := d.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 4<<20 {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		path = strings.TrimPrefix(filepath.ToSlash(path), "../../")
		if m := secrets.Find(b); m != nil {
			t.Errorf("%s holds a secret: %.30q...", path, m)
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.ContainsFunc(chance, func(p string) bool { return strings.HasPrefix(path, p) }) {
			return nil
		}
		if bytes.Contains(b, []byte(`"math/rand`)) {
			t.Errorf("%s imports math/rand: what must not be guessed comes from crypto/rand", path)
		}
		return nil
	})
	if err != nil || read < 500 {
		t.Errorf("%d files were read: %v", read, err)
	}
}
