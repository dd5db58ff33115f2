package backup

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"
)

// WriteFile makes one file of everything, the attachments and the keys inside; it is
// encrypted when there are recipients. The file is whole or it is not there.
func WriteFile(ctx context.Context, file string, src Source, to []age.Recipient) (Content, error) {
	tmp, err := os.MkdirTemp(filepath.Dir(file), ".coming-dtm-")
	if err != nil {
		return Content{}, err
	}
	defer os.RemoveAll(tmp)
	files, err := still(ctx, slices.Concat(src.Files, src.Keys), tmp)
	if err != nil {
		return Content{}, err
	}
	f, err := os.OpenFile(filepath.Join(tmp, "whole"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	w, err := seal(f, to)
	if err != nil {
		return Content{}, err
	}
	c, err := Pack(ctx, w, concat(these(files), src.Blobs))
	if err = errors.Join(err, w.Close()); err != nil {
		return c, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return c, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return c, err
	}
	return c, syncFolder(filepath.Dir(file))
}

func concat(seqs ...iter.Seq2[File, error]) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for _, seq := range seqs {
			for f, err := range seq {
				if !yield(f, err) {
					return
				}
			}
		}
	}
}
