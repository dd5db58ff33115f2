package main

import (
	"context"
	"io"

	"dtm/gather/photo"
)

// bareBlobs keeps what phones send: of pictures only the picture, not where and by whose
// camera it was taken. The answers say where, to whom may read it.
type bareBlobs struct{ attachments }

// Put stores r without what a camera wrote beside the picture.
func (b bareBlobs) Put(ctx context.Context, r io.Reader) (string, int64, error) {
	return b.attachments.Put(ctx, photo.Bare(r))
}
