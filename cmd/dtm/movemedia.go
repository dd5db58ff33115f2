package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"dtm"
	"dtm/config"
)

// runMoveMedia copies photos and attachments to where they shall be from now on, a folder
// or a bucket, holds each against its hash there, and writes the setting. What was copied
// already costs nothing, so an interrupted move goes on when it is run again. The old
// place is never changed.
func runMoveMedia(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	to := fs.String("to", "", "s3://BUCKET/PREFIX, or a `folder`; the folder blob of the data folder takes the setting out")
	from := fs.String("from", "", "s3://BUCKET/PREFIX, or a `folder` (default: where the setting media says)")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *data == "" || *to == "" {
		return wrongUse("-data and -to are needed: which data folder, and where shall its attachments be?")
	}
	dir := realPath(c.path(*data))
	if _, err := os.Stat(filepath.Join(dir, config.FileName)); err != nil {
		return dtm.Errorf(dtm.NotFound, "this is not a data folder; make one with `dtm init -data %s`", *data).At(*data)
	}
	held, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock(held)
	cfg, err := config.FromFolder(os.DirFS(dir), c.env, os.ReadFile)
	if err != nil {
		return err
	}
	place := func(given string) string {
		if given == "" || strings.HasPrefix(given, "s3://") {
			return given
		}
		return realPath(c.path(given))
	}
	setting := place(*to)
	if setting == filepath.Join(dir, blobName) {
		setting = ""
	}
	old, new := cfg, cfg
	new.Media = setting
	if *from != "" {
		if old.Media = place(*from); old.Media == filepath.Join(dir, blobName) {
			old.Media = ""
		}
	}
	if old.Media == new.Media {
		return dtm.Errorf(dtm.Conflict, "the attachments are there already; -from names another place to take them from").At(*to)
	}
	source, err := openMedia(ctx, dir, old)
	if err != nil {
		return err
	}
	target, err := openMedia(ctx, dir, new)
	if err != nil {
		return err
	}
	n, bytes, err := c.copyMedia(ctx, source, target)
	if err != nil {
		return err
	}
	if err := setSetting(dir, "media", setting); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%d attachments, %d bytes, are there now, each held against its hash, and the folder's settings say so; where they were, they stay\nother servers of this store: write the same setting, and run this again with -from after the last of them was started anew\nnext: dtm check -data %s\n", n, bytes, *data)
	return nil
}

// copyMedia copies what source holds to target and reads every piece back there.
func (c *call) copyMedia(ctx context.Context, source, target attachments) (n int, bytes int64, err error) {
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription("copying attachments"), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount(), progressbar.OptionSetVisibility(c.tty))
	for address, err := range source.Each(ctx) {
		if err != nil {
			return n, bytes, err
		}
		size, err := carryOne(ctx, source, target, address)
		if err != nil {
			return n, bytes, dtm.Errorf(dtm.KindOf(err), "%s: %w", address, err)
		}
		n, bytes = n+1, bytes+size
		_ = bar.Add(1)
	}
	_ = bar.Finish()
	if c.tty {
		fmt.Fprintln(c.err)
	}
	return n, bytes, nil
}

func carryOne(ctx context.Context, source, target attachments, address string) (int64, error) {
	r, err := source.Open(ctx, address)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	got, size, err := target.Put(ctx, r)
	if err != nil {
		return 0, err
	}
	if got != address { // the old place is damaged; it is not brought along in silence
		return 0, dtm.Errorf(dtm.Conflict, "its content is %s: restore it from a backup, or move the file away, and run this again", got)
	}
	return size, readBack(ctx, target, address)
}
