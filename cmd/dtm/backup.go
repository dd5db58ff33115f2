package main

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
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"dtm"
	"dtm/config"
)

// sums is the last file of a backup: the SHA-256 of every other.
const sums = "SHA256SUMS"

// runBackup writes a tar.gz of settings, store and attachments. The store is copied
// first: every attachment it names was durable before. The warehouse is derived and
// left out; so are keys, which never lie beside the data.
func runBackup(ctx context.Context, c *call) (err error) {
	flags := c.flags()
	data := c.dataFlag(flags)
	out := flags.String("out", "", "`file` to write, a .tar.gz")
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is missing: which file?")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	tmp, err := os.MkdirTemp(filepath.Dir(c.path(*out)), ".dtm-backup-")
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the backup cannot be written: %w", err).At(*out)
	}
	defer os.RemoveAll(tmp)
	copied := filepath.Join(tmp, "dtm.db")
	if err := h.db.Backup(ctx, copied); err != nil {
		return err
	}
	whole := filepath.Join(tmp, "backup")
	files, size, err := writeBackup(ctx, whole, h.dir, copied)
	if err != nil {
		return err
	}
	if err := os.Rename(whole, c.path(*out)); err != nil {
		return dtm.Errorf(dtm.Invalid, "the backup cannot be written: %w", err).At(*out)
	}
	last, err := h.db.Last(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "wrote %s: %d files, %d bytes, up to event %d or later\n", *out, files, size, last)
	return nil
}

func writeBackup(ctx context.Context, file, dir, db string) (files int, size int64, err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	t := tar.NewWriter(z)
	hashes := map[string]string{}
	add := func(name, from string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := os.Open(from)
		if err != nil {
			return err
		}
		defer in.Close()
		st, err := in.Stat()
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: st.Size()}); err != nil {
			return err
		}
		sum := sha256.New()
		n, err := io.Copy(io.MultiWriter(t, sum), in)
		hashes[name] = hex.EncodeToString(sum.Sum(nil))
		files, size = files+1, size+n
		return err
	}
	if err := errors.Join(add(config.FileName, filepath.Join(dir, config.FileName)), add("dtm.db", db)); err != nil {
		return 0, 0, err
	}
	root := filepath.Join(dir, "blob")
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "coming": // being written
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return add(filepath.ToSlash(rel), p)
	})
	if err != nil {
		return 0, 0, err
	}
	var b strings.Builder
	names := make([]string, 0, len(hashes))
	for n := range hashes {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, "%s  %s\n", hashes[n], n)
	}
	if err := t.WriteHeader(&tar.Header{Name: sums, Mode: 0o600, Size: int64(b.Len())}); err != nil {
		return 0, 0, err
	}
	if _, err := io.WriteString(t, b.String()); err != nil {
		return 0, 0, err
	}
	return files, size, errors.Join(t.Close(), z.Close(), f.Sync())
}

// runRestore makes a data folder from a backup; it is whole or it is not there.
func runRestore(ctx context.Context, c *call) error {
	flags := c.flags()
	data := c.dataFlag(flags)
	args, err := c.parse(flags, 1, 1)
	if err != nil {
		return err
	}
	if *data == "" {
		return wrongUse("-data is missing: which folder?")
	}
	dir := c.path(*data)
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return dtm.Errorf(dtm.Conflict, "the folder is not empty; nothing was changed").At(*data)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(*data)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".dtm-restore-")
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(*data)
	}
	defer os.RemoveAll(tmp)
	n, err := readBackup(ctx, c.path(args[0]), tmp)
	if err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(*data)
	}
	fmt.Fprintf(c.out, "restored %d files into %s\nnext: dtm check -data %s\n", n, *data, *data)
	return nil
}

func readBackup(ctx context.Context, file, dir string) (int, error) {
	bad := func(format string, a ...any) error {
		return dtm.Errorf(dtm.Invalid, "this is no whole backup of dtm: "+format, a...).At(file)
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, dtm.Errorf(dtm.NotFound, "the backup cannot be read: %w", err).At(file)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return 0, bad("%w", err)
	}
	t := tar.NewReader(z)
	hashes := map[string]string{}
	var listed []byte
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, bad("%w", err)
		}
		name := head.Name
		if !fs.ValidPath(name) || head.Typeflag != tar.TypeReg || name != config.FileName && name != "dtm.db" && name != sums && !strings.HasPrefix(name, "blob/") {
			return 0, bad("it holds %q", name)
		}
		if name == sums {
			if listed, err = io.ReadAll(io.LimitReader(t, 1<<30)); err != nil {
				return 0, bad("%w", err)
			}
			continue
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return 0, err
		}
		out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		sum := sha256.New()
		_, err = io.Copy(io.MultiWriter(out, sum), t) //nolint:gosec // a backup is as large as it is
		if err == nil {
			err = out.Sync()
		}
		if err = errors.Join(err, out.Close()); err != nil {
			return 0, bad("%s: %w", name, err)
		}
		hashes[name] = hex.EncodeToString(sum.Sum(nil))
	}
	if listed == nil {
		return 0, bad("its end is missing")
	}
	n := 0
	for line := range strings.Lines(string(listed)) {
		hash, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || hashes[name] != hash {
			return 0, bad("%s is not what was backed up", path.Clean(name))
		}
		n++
	}
	if n != len(hashes) || hashes["dtm.db"] == "" || hashes[config.FileName] == "" {
		return 0, bad("files are missing or too many")
	}
	return n, nil
}
