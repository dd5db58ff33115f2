package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dtm"
)

// Names inside a backup. What else is allowed begins with blobs.
const (
	sums  = "SHA256SUMS" // the last file: the SHA-256 of every other
	media = "MEDIA"      // the addresses of attachments that lie beside the backup
	blobs = "blob/"
)

// File is one file of a backup: its name inside, with slashes, and where it is read: at
// Path or, where that is no file of this machine, by Open. One that is in use, as a
// database is, has Copy instead: it writes a still copy to a path that does not exist.
type File struct {
	Name, Path string
	Copy       func(ctx context.Context, path string) error
	Open       func(ctx context.Context) (io.ReadSeekCloser, error)
}

func (f File) open(ctx context.Context) (io.ReadSeekCloser, error) {
	if f.Open != nil {
		return f.Open(ctx)
	}
	return os.Open(f.Path)
}

// still makes the copies of files that are in use, in dir.
func still(ctx context.Context, files []File, dir string) ([]File, error) {
	list := slices.Clone(files)
	for i, f := range list {
		if f.Copy == nil {
			continue
		}
		list[i].Path = filepath.Join(dir, f.Name)
		if err := f.Copy(ctx, list[i].Path); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Content is what a backup holds: how many files, and how many bytes they have.
type Content struct {
	Files int
	Bytes int64
}

// Attachment is the file of an attachment with that hex SHA-256, read by open.
func Attachment(hash string, open func(context.Context) (io.ReadSeekCloser, error)) File {
	if len(hash) < 4 {
		return File{Name: blobs + hash, Open: open}
	}
	return File{Name: blobs + hash[:2] + "/" + hash[2:4] + "/" + hash, Open: open}
}

// Pack writes the files to w as a backup.
func Pack(ctx context.Context, w io.Writer, files iter.Seq2[File, error]) (Content, error) {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	hashes := map[string]string{}
	var c Content
	for f, err := range files {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return c, err
		}
		n, hash, err := packOne(ctx, t, f)
		if err != nil {
			return c, fmt.Errorf("back up %s: %w", f.Name, err)
		}
		hashes[f.Name] = hash
		c.Files, c.Bytes = c.Files+1, c.Bytes+n
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(hashes)) {
		fmt.Fprintf(&b, "%s  %s\n", hashes[name], name)
	}
	if err := t.WriteHeader(&tar.Header{Name: sums, Mode: 0o600, Size: int64(b.Len())}); err != nil {
		return c, err
	}
	if _, err := io.WriteString(t, b.String()); err != nil {
		return c, err
	}
	return c, errors.Join(t.Close(), z.Close())
}

func packOne(ctx context.Context, t *tar.Writer, f File) (int64, string, error) {
	in, err := f.open(ctx)
	if err != nil {
		return 0, "", err
	}
	defer in.Close()
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, "", err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return 0, "", err
	}
	if err := t.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o600, Size: size}); err != nil {
		return 0, "", err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t, sum), in)
	return n, hex.EncodeToString(sum.Sum(nil)), err
}

// Names are the files beside the attachments that a backup may hold.
var Names = []string{"config.toml", "dtm.db", "keys.db", "key"}

// unpack writes the files of the backup r into dir, made and empty, and holds each
// against its hash. Every name in need must be there. What is no whole backup is
// Invalid.
func unpack(ctx context.Context, r io.Reader, dir string, need []string) (Content, error) {
	var c Content
	bad := func(format string, a ...any) error {
		return dtm.Errorf(dtm.Invalid, "this is no whole backup of dtm: "+format, a...)
	}
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return c, bad("%w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return c, err
	}
	defer root.Close()
	t := tar.NewReader(z)
	hashes := map[string]string{}
	var listed []byte
	for listed == nil {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			return c, bad("its end is missing")
		}
		if err != nil {
			return c, bad("%w", err)
		}
		name := head.Name
		known := name == sums || name == media || slices.Contains(Names, name) || strings.HasPrefix(name, blobs)
		if !fs.ValidPath(name) || head.Typeflag != tar.TypeReg || !known || hashes[name] != "" {
			return c, bad("it holds %q", name)
		}
		if name == sums {
			if listed, err = io.ReadAll(io.LimitReader(t, 1<<30)); err != nil {
				return c, bad("%w", err)
			}
			break
		}
		n, hash, err := unpackOne(root, name, t)
		if err != nil {
			return c, bad("%s: %w", name, err)
		}
		hashes[name] = hash
		c.Files, c.Bytes = c.Files+1, c.Bytes+n
	}
	// To the very end, so that a changed byte in the padding is found as well.
	if _, err := io.Copy(io.Discard, z); err != nil { //nolint:gosec // zeros
		return c, bad("%w", err)
	}
	n := 0
	for line := range strings.Lines(string(listed)) {
		hash, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || hashes[name] != hash {
			return c, bad("%s is not what was backed up", path.Clean(name))
		}
		n++
	}
	if n != len(hashes) {
		return c, bad("files are missing or too many")
	}
	for _, name := range need {
		if hashes[name] == "" {
			return c, bad("%s is missing", name)
		}
	}
	return c, nil
}

func unpackOne(root *os.Root, name string, r io.Reader) (int64, string, error) {
	to := filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, "", err
	}
	out, err := root.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), r) //nolint:gosec // a backup is as large as it is
	if err == nil {
		err = out.Sync()
	}
	return n, hex.EncodeToString(sum.Sum(nil)), errors.Join(err, out.Close())
}
