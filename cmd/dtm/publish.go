package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"dtm"
	"dtm/disseminate/site"
	"dtm/locale"
	"dtm/web"
)

// publicSite answers for what anybody may read, and for nothing else.
func (h *house) publicSite() (http.Handler, error) {
	o := h.publicPages()
	o.Picture = nil        // a copy holds every month in every language: its drawings say the same in a twentieth of the size
	o.Patience = time.Hour // a copy waits for what a reader is told to come back for
	p, err := web.New(o)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	h.openData().Register(mux)
	mux.Handle("/", p.Handler())
	return mux, nil
}

// numbered is the number of the release that is asked for; "" asks for none.
func (h *house) numbered(ctx context.Context, asked string) (string, error) {
	if asked == "" || asked == dtm.ReleaseProvisional {
		return asked, nil
	}
	var month dtm.Month
	if m, err := dtm.ParseMonth(asked); err == nil { // the last release of a month
		asked, month = dtm.ReleaseLatest, m
	}
	s, err := h.shelf.Source(ctx, asked, month)
	if err != nil {
		return "", err
	}
	return s.Frozen.Number, nil
}

func runPublishSite(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	out := fs.String("out", "", "`folder` to write, new or empty, or file that ends in .zip")
	asked := fs.String("release", "", "`number` of a release, its month, latest, or provisional; left out: what a reader is shown now")
	langs := fs.String("lang", "", "`languages`, with commas; left out: all of the operation")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is needed")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	o := site.Options{Languages: h.op.Languages}
	if *langs != "" {
		o.Languages = nil
		for _, l := range strings.Split(*langs, ",") {
			if !slices.Contains(h.op.Languages, dtm.Lang(l)) {
				return wrongUse("-lang %q: the operation has no such language", l)
			}
			o.Languages = append(o.Languages, dtm.Lang(l))
		}
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	if o.Release, err = h.numbered(ctx, *asked); err != nil {
		return err
	}
	if o.Pages, err = h.publicSite(); err != nil {
		return err
	}
	if u, err := url.Parse(h.baseURL()); err == nil {
		o.Host = u.Host
	}
	month, _, _ := strings.Cut(o.Release, "/")
	o.Skip = func(at string) bool {
		u, err := url.Parse(at)
		switch {
		case err != nil:
			return true
		case strings.HasPrefix(u.Path, "/api/v1/odata"): // speaks to a server
			return true
		case strings.HasSuffix(u.Path, "/reports/"): // every point's and partner's, of one month only
			return u.Query().Get("to") != month
		}
		return false
	}
	today := h.now().In(h.op.Zone)
	o.Copied = func(l dtm.Lang) string { return locale.Say(l, "site.copied", locale.Date(l, today)) }
	began := time.Now()
	var finish func()
	o.Progress, finish = c.copying()
	var r site.Result
	err = c.writing(*out, func(write site.Write) error {
		r, err = site.Copy(ctx, o, write)
		return err
	})
	finish()
	if err != nil {
		return err
	}
	for _, at := range r.Left {
		fmt.Fprintf(c.err, "left out, it has no answer: %s\n", at)
	}
	fmt.Fprintf(c.out, "wrote %s: %d pages, %d files, %.1f MB, in %.1f s; open index.html\n", *out, r.Pages, r.Files, float64(r.Bytes)/1e6, time.Since(began).Seconds())
	return nil
}

// copying shows how far a copy is: a bar on a terminal, a line every five seconds
// elsewhere.
func (c *call) copying() (show func(done, known int), finish func()) {
	if c.tty {
		bar := progressbar.NewOptions(1, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription("copying"), progressbar.OptionSetWidth(max(10, min(40, c.width-50))),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		return func(done, known int) {
			bar.ChangeMax(known)
			_ = bar.Set(done) // a bar that cannot be drawn does not stop the work
		}, func() { _ = bar.Finish() }
	}
	last := time.Now()
	return func(done, known int) {
		if time.Since(last) >= 5*time.Second {
			last = time.Now()
			fmt.Fprintf(c.err, "copying: %d of %d addresses\n", done, known)
		}
	}, func() {}
}

// writing gives do a way to write files into a folder, which has to be new or empty, or
// into a zip. What was begun and failed is taken away again.
func (c *call) writing(out string, do func(site.Write) error) (err error) {
	to := c.path(out)
	if strings.HasSuffix(out, ".zip") {
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return dtm.Errorf(dtm.Invalid, "the file cannot be written: %w", err).At(out)
		}
		z := zip.NewWriter(f)
		err = do(func(name string, b []byte) error {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		})
		if err = errors.Join(err, z.Close(), f.Close()); err != nil {
			return errors.Join(err, os.Remove(to))
		}
		return nil
	}
	if list, err := os.ReadDir(to); err == nil && len(list) > 0 {
		return dtm.Errorf(dtm.Conflict, "the folder is not empty; name a new one").At(out)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(to))
		}
	}()
	return do(func(name string, b []byte) error {
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return dtm.Errorf(dtm.Invalid, "the folder cannot be written: %w", err).At(out)
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return dtm.Errorf(dtm.Invalid, "the file cannot be written: %w", err).At(name)
		}
		return nil
	})
}
