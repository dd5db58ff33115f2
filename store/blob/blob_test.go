package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"dtm"
	"dtm/internal/s3test"
	"dtm/store/blob"
)

const bucket = "photos"

// store is what both keep to.
type store interface {
	dtm.Blobs
	Each(ctx context.Context) iter.Seq2[string, error]
	Try(ctx context.Context) error
}

// place opens the same empty store as often as it is asked; folder is where its
// content lies.
type place struct {
	folder string
	open   func() (store, error)
}

func (p place) opened(t *testing.T) store {
	t.Helper()
	s, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conformance is held by a folder and by a bucket.
var conformance = map[string]func(t *testing.T, p place){
	"PutOpen":     putOpen,
	"OpenUnknown": openUnknown,
	"PutFails":    putFails,
	"Restart":     restart,
	"PutOverOdd":  putOverOdd,
	"ManyAtOnce":  manyAtOnce,
	"Each":        each,
}

func TestDisk(t *testing.T) {
	t.Parallel()
	for name, test := range conformance {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "new", "blobs")
			test(t, place{root, func() (store, error) { return blob.NewDisk(root) }})
		})
	}
}

func TestS3(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t, bucket)
	for name, test := range conformance {
		t.Run(name, func(t *testing.T) {
			prefix := "of/" + name
			test(t, place{filepath.Join(server.Folder(bucket), filepath.FromSlash(prefix)), func() (store, error) {
				return blob.NewS3(t.Context(), at(server, prefix, t.TempDir()))
			}})
		})
	}
}

func at(s *s3test.Server, prefix, spool string) blob.Bucket {
	return blob.Bucket{Endpoint: s.Endpoint, Region: "us-east-1", Name: bucket, Prefix: prefix, Access: s3test.Access, Secret: s3test.Secret, Spool: spool}
}

func address(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// files lists all regular files below root.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == root {
			return nil
		}
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

func putOpen(t *testing.T, p place) {
	ctx := t.Context()
	s := p.opened(t)
	for _, content := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte{0, 255}, 200_000)} {
		for range 2 {
			hash, size, err := s.Put(ctx, bytes.NewReader(content))
			if err != nil || hash != address(content) || size != int64(len(content)) {
				t.Fatalf("Put = %s %d %v", hash, size, err)
			}
		}
		f, err := s.Open(ctx, address(content))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d, %v", len(content), len(got), err)
		}
		// As a browser asks for a part.
		half := int64(len(content) / 2)
		if n, err := f.Seek(0, io.SeekEnd); err != nil || n != int64(len(content)) {
			t.Errorf("size %d, %v", n, err)
		}
		if n, err := f.Seek(half, io.SeekStart); err != nil || n != half {
			t.Errorf("at %d, %v", n, err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content[half:]) {
			t.Errorf("from %d came %d bytes, %v", half, len(got), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	list := files(t, p.folder)
	h := strings.TrimPrefix(address([]byte("x")), "sha256:")
	if len(list) != 3 || !slices.Contains(list, h[:2]+"/"+h[2:4]+"/"+h) || !slices.Contains(list, blob.Name(h)) {
		t.Errorf("files = %v", list)
	}
}

func openUnknown(t *testing.T, p place) {
	s := p.opened(t)
	for _, a := range []string{"", "sha256:", address([]byte("none")), "sha256:../../etc/passwd", "md5:00",
		"sha256:" + strings.Repeat("g", 64), strings.ToUpper(address([]byte("x"))), "sha256:" + strings.Repeat("a", 63) + "/"} {
		if _, err := s.Open(t.Context(), a); dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func putFails(t *testing.T, p place) {
	s := p.opened(t)
	mine := errors.New("the phone has gone")
	if _, _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(mine))); !errors.Is(err, mine) {
		t.Errorf("err = %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(gone, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if list := files(t, p.folder); len(list) != 0 {
		t.Errorf("left: %v", list)
	}
}

// What was finished is there for the next process.
func restart(t *testing.T, p place) {
	hash, _, err := p.opened(t).Put(t.Context(), strings.NewReader("kept"))
	if err != nil {
		t.Fatal(err)
	}
	s := p.opened(t)
	if _, err := s.Open(t.Context(), hash); err != nil || len(files(t, p.folder)) != 1 {
		t.Errorf("%v, %v", files(t, p.folder), err)
	}
}

// What lies short under a full name, after a crash or a fault of the store, is written
// anew.
func putOverOdd(t *testing.T, p place) {
	s := p.opened(t)
	content := []byte("the whole")
	file := filepath.Join(p.folder, filepath.FromSlash(blob.Name(strings.TrimPrefix(address(content), "sha256:"))))
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	f, err := s.Open(t.Context(), address(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); !bytes.Equal(got, content) {
		t.Errorf("got %q", got)
	}
}

func manyAtOnce(t *testing.T, p place) {
	s := p.opened(t)
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 10 {
				content := []byte{byte(i), byte(c % 2)}
				if hash, _, err := s.Put(t.Context(), bytes.NewReader(content)); err != nil || hash != address(content) {
					t.Errorf("%s %v", hash, err)
				}
			}
		})
	}
	wg.Wait()
	if list := files(t, p.folder); len(list) != 20 {
		t.Errorf("%d files, want 20: %v", len(list), list)
	}
}

// Each gives what is stored and nothing else that lies there.
func each(t *testing.T, p place) {
	s := p.opened(t)
	listed := func() (all []string) {
		for a, err := range s.Each(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		slices.Sort(all)
		return all
	}
	if all := listed(); len(all) != 0 {
		t.Errorf("of nothing: %v", all)
	}
	var want []string
	for _, c := range []string{"a", "b", "c"} {
		hash, _, err := s.Put(t.Context(), strings.NewReader(c))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, hash)
	}
	slices.Sort(want)
	if err := s.Try(t.Context()); err != nil {
		t.Error(err)
	}
	if all := listed(); !slices.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
	for range s.Each(t.Context()) { // who breaks off leaves nothing running
		break
	}
}
