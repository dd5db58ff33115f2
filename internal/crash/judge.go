package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// judge compares what the phones were told with what is there.
func (c *Campaign) judge(ctx context.Context, o *Outcome) (err error) {
	// The figures first, by the program itself.
	out, err := c.dtm(ctx, "indicator", "-data", c.data, "total_movements", "-from", "2026-10", "-to", "2026-10", "-format", "csv")
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 {
		return fmt.Errorf("the indicator says %s: %w", out, err)
	}
	if o.Counted, err = strconv.Atoi(rows[1][slices.Index(rows[0], "value")]); err != nil {
		return err
	}
	if o.Check, err = c.dtm(ctx, "check", "-data", c.data); err != nil {
		o.Check, o.Broken = err.Error(), true
	}

	stored, photos, err := contents(ctx, c.data, c.store)
	if err != nil {
		return err
	}
	for id, xml := range stored {
		rec := c.crowd.sent[id]
		if xml != rec.xml {
			o.Changed++
		}
		o.People += rec.people
	}
	o.Stored = len(stored)
	for id := range c.crowd.acked {
		if c.crowd.sent[id].name != "" {
			continue // judgeReferrals
		}
		o.Acknowledged++
		if _, there := stored[id]; !there {
			o.Lost++
			c.Tell("lost: %s", id)
		}
		want := c.crowd.sent[id].photo
		if want == "" {
			continue
		}
		o.Photos++
		if photos[id] != want {
			o.PhotosLost++
			c.Tell("photograph lost: %s", id)
		}
	}
	return nil
}

func readBack(ctx context.Context, blobs dtm.Blobs, address string) bool {
	f, err := blobs.Open(ctx, address)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && "sha256:"+hex.EncodeToString(sum.Sum(nil)) == address
}
