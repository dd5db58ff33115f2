package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"dtm"
	"dtm/seal"
)

// keysName is the file of the persons' keys, wrapped by the key file. Of backups it is
// only in those that are encrypted, in a file of its own that is kept for a month.
const keysName = "keys.db"

// personKey reads the key that wraps the persons' keys, and makes one where there are
// none yet. A key that is lost is not replaced: what was sealed would be lost without a
// word. Without it everything but what is personal goes on.
func (h *house) personKey(ctx context.Context) (seal.Key, error) {
	file := h.keyFile()
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		there, err := h.hasKeys(ctx)
		if err != nil {
			return seal.Key{}, err
		}
		if there {
			slog.Error("the key file is missing: nothing personal can be read until it is put back", "file", file)
			return seal.Key{}, nil
		}
		text, err := seal.NewFile(rand.Reader)
		if err != nil {
			return seal.Key{}, err
		}
		if err := writeNew(file, text); err != nil {
			return seal.Key{}, dtm.Errorf(dtm.Invalid, "the key file cannot be written: %w", err).At(file)
		}
		b = []byte(text)
	} else if err != nil {
		return seal.Key{}, dtm.Errorf(dtm.Invalid, "the key file cannot be read: %w", err).At(file)
	}
	k, err := seal.ReadFile(string(b))
	var e *dtm.Error
	if errors.As(err, &e) {
		return k, e.At(file)
	}
	return k, err
}
