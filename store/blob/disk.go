package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"dtm"
)

// Disk keeps content in a folder as aa/bb/hash, where aabb begins the hash.
type Disk struct {
	root string
}

var _ dtm.Blobs = (*Disk)(nil)

// coming is the folder, beside the content, of files that are being written.
const coming = "coming"

// NewDisk uses the folder root, made when absent. What an earlier process left
// half-written there is removed, so one process may use a folder at a time.
func NewDisk(root string) (*Disk, error) {
	if err := os.RemoveAll(filepath.Join(root, coming)); err != nil {
		return nil, failed("blob.NewDisk", err)
	}
	return newDisk(root)
}

// abandoned is how old a half-written file is that nobody can be writing any more.
const abandoned = 24 * time.Hour

// Shared is NewDisk of a folder that several processes use at a time: only what was
// abandoned is removed.
func Shared(root string) (*Disk, error) {
	list, err := os.ReadDir(filepath.Join(root, coming))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failed("blob.Shared", err)
	}
	for _, e := range list {
		st, err := e.Info()
		if err == nil && time.Since(st.ModTime()) > abandoned {
			err = os.Remove(filepath.Join(root, coming, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process was done with it
			return nil, failed("blob.Shared", err)
		}
	}
	return newDisk(root)
}

func newDisk(root string) (*Disk, error) {
	d := &Disk{root: root}
	if err := os.MkdirAll(filepath.Join(root, coming), 0o750); err != nil {
		return nil, failed("blob.NewDisk", err)
	}
	if err := syncFolder(root); err != nil {
		return nil, failed("blob.NewDisk", err)
	}
	return d, nil
}

// Put stores r and returns its address and size in bytes after the content and
// its name are on disk. An error of r is returned as it is and leaves nothing.
func (d *Disk) Put(ctx context.Context, r io.Reader) (string, int64, error) {
	const op = "blob.Put"
	f, err := os.CreateTemp(filepath.Join(d.root, coming), "")
	if err != nil {
		return "", 0, failed(op, err)
	}
	defer os.Remove(f.Name()) // after the rename there is nothing of that name
	defer f.Close()

	sum := sha256.New()
	in := &source{ctx: ctx, r: r}
	size, err := io.Copy(io.MultiWriter(f, sum), in)
	if in.err != nil {
		return "", 0, in.err
	}
	if err != nil {
		return "", 0, failed(op, err)
	}
	hash := hex.EncodeToString(sum.Sum(nil))
	folder, err := d.folder(hash)
	if err != nil {
		return "", 0, failed(op, err)
	}
	path := filepath.Join(folder, hash)
	if old, err := os.Stat(path); err == nil && old.Size() == size {
		// The one who wrote it may not have come to its sync yet.
		if err := syncFolder(folder); err != nil {
			return "", 0, failed(op, err)
		}
		return "sha256:" + hash, size, nil
	}
	if err := f.Sync(); err != nil {
		return "", 0, failed(op, err)
	}
	if err := f.Close(); err != nil {
		return "", 0, failed(op, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", 0, failed(op, err)
	}
	if err := syncFolder(folder); err != nil {
		return "", 0, failed(op, err)
	}
	return "sha256:" + hash, size, nil
}

// folder returns the folder of a hash, made durably when absent.
func (d *Disk) folder(hash string) (string, error) {
	at := d.root
	for _, part := range []string{hash[:2], hash[2:4]} {
		above := at
		at = filepath.Join(at, part)
		err := os.Mkdir(at, 0o750)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		// Also when it exists: another writer may have made it just now.
		if err := syncFolder(above); err != nil {
			return "", err
		}
	}
	return at, nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Open returns the content at an address: NotFound, also for what is no address.
func (d *Disk) Open(_ context.Context, address string) (io.ReadSeekCloser, error) {
	hash, err := hashOf(address)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(d.root, filepath.FromSlash(Name(hash))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(address)
	}
	if err != nil {
		return nil, failed("blob.Open", err)
	}
	return f, nil
}

// Each gives the address of everything stored, in no order that counts; what is still
// coming is left out.
func (d *Disk) Each(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := filepath.WalkDir(d.root, func(p string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && e.Name() == coming:
				return filepath.SkipDir
			case e.IsDir() || !isHash(e.Name()):
				return nil
			case !yield("sha256:"+e.Name(), ctx.Err()):
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield("", failed("blob.Each", err))
		}
	}
}

// Try writes to the folder as Put does, and takes it away again.
func (d *Disk) Try(context.Context) error {
	f, err := os.CreateTemp(filepath.Join(d.root, coming), "")
	if err != nil {
		return failed("blob.Try", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("try")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return failed("blob.Try", err)
	}
	return nil
}
