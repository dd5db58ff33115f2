package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"dtm"
)

func address(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// files lists all regular files below root.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			rel, _ := filepath.Rel(root, p)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPutOpen(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	root := filepath.Join(t.TempDir(), "new", "blobs")
	d, err := NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte{0, 255}, 200_000)} {
		for range 2 {
			hash, size, err := d.Put(ctx, bytes.NewReader(content))
			if err != nil || hash != address(content) || size != int64(len(content)) {
				t.Fatalf("Put = %s %d %v", hash, size, err)
			}
		}
		f, err := d.Open(ctx, address(content))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		f.Close()
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d, %v", len(content), len(got), err)
		}
	}
	list := files(t, root)
	h := strings.TrimPrefix(address([]byte("x")), "sha256:")
	if len(list) != 3 || !strings.Contains(strings.Join(list, " "), h[:2]+"/"+h[2:4]+"/"+h) {
		t.Errorf("files = %v", list)
	}
}

func TestOpenUnknown(t *testing.T) {
	t.Parallel()
	d, err := NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"", "sha256:", address([]byte("none")), "sha256:../../etc/passwd", "md5:00",
		"sha256:" + strings.Repeat("g", 64), strings.ToUpper(address([]byte("x"))), "sha256:" + strings.Repeat("a", 63) + "/"} {
		if _, err := d.Open(context.Background(), a); dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func TestPutFails(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("the phone has gone")
	if _, _, err := d.Put(context.Background(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(mine))); !errors.Is(err, mine) {
		t.Errorf("err = %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := d.Put(gone, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if list := files(t, root); len(list) != 0 {
		t.Errorf("left: %v", list)
	}
}

// What a killed process was writing is gone at the next start; what it had
// finished is not.
func TestRestart(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	hash, _, err := d.Put(context.Background(), strings.NewReader("kept"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, coming, "half"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err = NewDisk(root); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(context.Background(), hash); err != nil || len(files(t, root)) != 1 {
		t.Errorf("%v, %v", files(t, root), err)
	}
}

// A file that a crash left short under a full name is written anew.
func TestPutOverShort(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("the whole")
	h := strings.TrimPrefix(address(content), "sha256:")
	folder := filepath.Join(root, h[:2], h[2:4])
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, h), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Put(context.Background(), bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	f, err := d.Open(context.Background(), address(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); !bytes.Equal(got, content) {
		t.Errorf("got %q", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := NewDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 10 {
				content := []byte{byte(i), byte(c % 2)}
				if hash, _, err := d.Put(context.Background(), bytes.NewReader(content)); err != nil || hash != address(content) {
					t.Errorf("%s %v", hash, err)
				}
			}
		})
	}
	wg.Wait()
	if list := files(t, root); len(list) != 20 {
		t.Errorf("%d files, want 20: %v", len(list), list)
	}
}
