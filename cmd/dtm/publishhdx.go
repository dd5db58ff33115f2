package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"dtm"
	"dtm/disseminate/site"
)

func runPublishHDX(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	out := fs.String("out", "", "`folder` to write, new or empty, or file that ends in .zip")
	asked := fs.String("release", "", "`number` of a release, its month, latest, or provisional; left out: the data as they are now")
	dry := fs.Bool("dry-run", false, "write the package; this is all that there is: nothing is sent from here")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is needed")
	}
	if !*dry {
		return wrongUse("-dry-run is needed: the package is written, for you to look at and to send; this program sends nothing")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.current(ctx); err != nil {
		return err
	}
	number, err := h.numbered(ctx, *asked)
	if err != nil {
		return err
	}
	source := dtm.Source{Figures: h.public}
	if number != "" {
		if source, err = h.shelf.Source(ctx, number, dtm.Month{}); err != nil {
			return err
		}
	}
	span, err := source.Figures.Span(ctx)
	if err != nil {
		return err
	}
	release, err := source.Figures.Release(ctx)
	if err != nil {
		return err
	}
	api := h.openData()
	mux := http.NewServeMux()
	api.Register(mux)
	files, sizes := api.HDXFiles(number), map[string]int{}
	var missing []string
	err = c.writing(*out, func(write site.Write) error {
		for _, f := range files {
			w, err := site.Ask(ctx, mux, "", f.Address)
			if err != nil {
				return err
			}
			if w.Code != http.StatusOK {
				return dtm.Errorf(dtm.Unavailable, "%s cannot be written: the answer is %d", f.Name, w.Code)
			}
			sizes[f.Name] = w.Body.Len()
			if err := write(f.Name, w.Body.Bytes()); err != nil {
				return err
			}
		}
		var b []byte
		if b, missing, err = api.Package(span, release, files, sizes); err != nil {
			return err
		}
		return write("package.json", b)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "wrote %s: package.json and %d files, release %s; nothing was sent\n", *out, len(files), release.ID())
	if len(missing) > 0 {
		fmt.Fprintf(c.err, "still to be said in [hdx] of the operation's settings before it can be sent: %s\n", strings.Join(missing, ", "))
	}
	return nil
}
