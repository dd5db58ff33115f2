package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"dtm"
)

// Restore makes the folder dir, absent or empty, of the backup at file; need are the
// names that a whole one holds. Attachments that the backup left on its shelf are
// taken from there. The folder is whole or it is not there; what is no whole backup is
// Invalid.
func Restore(ctx context.Context, file, dir string, need []string, ids []age.Identity) (Content, error) {
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return Content{}, dtm.Errorf(dtm.Conflict, "the folder is not empty; nothing was changed").At(dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return Content{}, dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(dir)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".dtm-restore-")
	if err != nil {
		return Content{}, dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(dir)
	}
	defer os.RemoveAll(tmp)
	c, err := readInto(ctx, file, tmp, need, ids)
	if err != nil {
		var known *dtm.Error
		if errors.As(err, &known) {
			err = known.At(file)
		}
		return c, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return c, dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(dir)
	}
	return c, nil
}

func readInto(ctx context.Context, file, dir string, need []string, ids []age.Identity) (Content, error) {
	c, err := unpackFile(ctx, file, dir, need, ids)
	if err != nil {
		return c, err
	}
	named, err := takeMediaList(dir)
	if err != nil {
		return c, err
	}
	for _, hash := range named {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		n, err := restoreMedia(filepath.Dir(file), dir, hash, ids)
		if err != nil {
			return c, dtm.Errorf(dtm.Invalid, "this is no whole backup of dtm: attachment %s: %w", hash, err)
		}
		c.Files, c.Bytes = c.Files+1, c.Bytes+n
	}
	// The newest keys of the shelf: they open whatever an older store holds, but for
	// those who were erased since.
	keys, err := filepath.Glob(filepath.Join(filepath.Dir(file), "keys-*.age"))
	if err != nil || len(keys) == 0 {
		return c, err
	}
	k, err := unpackFile(ctx, slices.Max(keys), dir, nil, ids)
	return Content{c.Files + k.Files, c.Bytes + k.Bytes}, err
}

// unpackFile unpacks one file, encrypted or not, into dir.
func unpackFile(ctx context.Context, file, dir string, need []string, ids []age.Identity) (Content, error) {
	f, err := os.Open(file)
	if err != nil {
		return Content{}, dtm.Errorf(dtm.NotFound, "the backup cannot be read: %w", err)
	}
	defer f.Close()
	plain, err := unseal(f, ids)
	if err != nil {
		return Content{}, err
	}
	return unpack(ctx, plain, dir, need)
}

// takeMediaList reads and removes the list of attachments that lie beside the backup.
func takeMediaList(dir string) ([]string, error) {
	file := filepath.Join(dir, media)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(b)), errors.Join(err, os.Remove(file))
}

// Try unpacks settings and store of a backup into dir, made and empty, with the key of
// a trial (Source.Also), and returns the hashes of the attachments that belong to it.
func (s Shelf) Try(ctx context.Context, e Entry, dir string, need []string, id age.Identity) ([]string, error) {
	if err := s.Hold(ctx, e); err != nil {
		return nil, err
	}
	if _, err := unpackFile(ctx, filepath.Join(s.Dir, e.Name()), dir, need, []age.Identity{id}); err != nil {
		return nil, err
	}
	return takeMediaList(dir)
}

// restoreMedia brings one attachment from the shelf into the blob folder of dir.
func restoreMedia(shelf, dir, hash string, ids []age.Identity) (int64, error) {
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
		return 0, errors.New("this is no address")
	}
	in, err := os.Open(mediaPath(shelf, hash))
	if err != nil {
		return 0, err
	}
	defer in.Close()
	plain, err := unseal(in, ids)
	if err != nil {
		return 0, err
	}
	to := filepath.Join(dir, "blob", hash[:2], hash[2:4], hash)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), plain)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return n, err
	}
	if hex.EncodeToString(sum.Sum(nil)) != hash {
		return n, errors.New("its content is not what was backed up")
	}
	return n, nil
}
