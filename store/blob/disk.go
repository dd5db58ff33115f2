// Package blob keeps the files that come with submissions: content goes in and
// comes out by its address, "sha256:" and the hex SHA-256 of its bytes. Equal
// content is stored once.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// source tells the reader's errors from those of the disk, and stops when the
// caller has gone.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
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
	hash, ok := strings.CutPrefix(address, "sha256:")
	if raw, err := hex.DecodeString(hash); !ok || err != nil || len(raw) != sha256.Size || hash != strings.ToLower(hash) {
		return nil, missing(address)
	}
	f, err := os.Open(filepath.Join(d.root, hash[:2], hash[2:4], hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(address)
	}
	if err != nil {
		return nil, failed("blob.Open", err)
	}
	return f, nil
}

func missing(address string) error {
	return dtm.Errorf(dtm.NotFound, "there is no stored file %s", address).Coded("blob.unknown", address)
}

func failed(op string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "store.full", Err: err,
			Msg: "the disk of the server is full: nothing was stored; try again when there is room"}
	}
	return &dtm.Error{Kind: dtm.Internal, Op: op, Err: fmt.Errorf("attachment store: %w", err)}
}
