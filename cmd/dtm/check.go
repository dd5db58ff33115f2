package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"dtm"
)

// runCheck walks the event chain and reads every attachment back.
func runCheck(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	against := fs.String("against", "", "`file` of checkpoints that were kept elsewhere, to hold the log against")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	kept, err := c.keptCheckpoints(*against)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	last, err := h.db.Last(ctx)
	if err != nil {
		return err
	}
	if err := h.db.Verify(ctx); err != nil {
		return err
	}
	held, foreign, err := h.holdCheckpoints(ctx, kept)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "event log: %d entries, unbroken; %d signed states of it hold\n", last, held)
	if foreign > 0 {
		fmt.Fprintf(c.out, "  %d of them are signed by another key: expected only after a folder was restored without its key\n", foreign)
	}
	files, bad := 0, 0
	err = h.db.EachAttachment(ctx, func(id string, a dtm.Attachment) error {
		files++
		if err := readBack(ctx, h.blobs, a.Hash); err != nil {
			bad++
			fmt.Fprintf(c.err, "%s: %s: %v\n", id, a.Name, err)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	versions, err := h.db.AreaVersions(ctx, 0)
	if err != nil {
		return err
	}
	for _, v := range versions {
		for _, f := range append(slices.Clone(v.Files), dtm.AreaFile{Name: "areas", Hash: v.Atlas}) {
			files++
			if err := readBack(ctx, h.blobs, f.Hash); err != nil {
				bad++
				fmt.Fprintf(c.err, "areas, version %d: %s: %v\n", v.N, f.Name, err)
			}
		}
	}
	_, total, err := h.db.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "submissions: %d\nattachments: %d read back, %d damaged or missing\n", total, files, bad)
	if bad > 0 {
		return errSaid
	}
	return nil
}

func readBack(ctx context.Context, blobs dtm.Blobs, hash string) error {
	r, err := blobs.Open(ctx, hash)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != hash {
		return dtm.Errorf(dtm.Conflict, "its content is %s, not %s", got, hash)
	}
	return nil
}
