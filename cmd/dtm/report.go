package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/disseminate/report"
	"dtm/locale"
)

// printer is the PDF engine, started when the first report is asked for.
type printer struct {
	mu    sync.Mutex
	press *report.Press
	bases maps.Bases
}

// start gives the engine and the map of the operation's areas.
func (p *printer) start(h *house, op *dtm.Operation) (*report.Press, *maps.Base, error) {
	base, err := p.bases.Of(op)
	if err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press != nil {
		return p.press, base, nil
	}
	dir := h.config.Cache
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = h.dir
		}
		dir = filepath.Join(user, "dtm", "typst")
	}
	p.press = report.NewPress(dir)
	return p.press, base, nil
}

func (p *printer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press == nil {
		return nil
	}
	return p.press.Close()
}

// monthlyReport gives the PDF of a month: of the release that is asked for as it was
// frozen, otherwise made from guarded figures. asked is that of dtm.Sources.
func (h *house) monthlyReport(ctx context.Context, asked string, m dtm.Month, l dtm.Lang) ([]byte, dtm.Source, error) {
	s, err := h.shelf.Source(ctx, asked, m)
	if err != nil {
		return nil, s, err
	}
	if r := s.Frozen; r != nil {
		if r.Month != m {
			return nil, s, dtm.Errorf(dtm.NotFound, "release %s is of %s, not of %s", r.Number, r.Month, m).Coded("release.ends", r.Number, r.Month.String())
		}
		manifest, err := release.ReadManifest(r.Manifest)
		if err != nil {
			return nil, s, err
		}
		if _, ok := manifest.Part(release.ReportPart(l)); ok {
			b, err := h.part(ctx, *r, manifest, release.ReportPart(l))
			return b, s, err
		}
	}
	b, err := h.makeReport(ctx, s, m, l)
	return b, s, err
}

// makeReport makes the PDF of a month from a source's figures.
func (h *house) makeReport(ctx context.Context, s dtm.Source, m dtm.Month, l dtm.Lang) ([]byte, error) {
	o, err := overview.Build(ctx, s.Figures, s.Operation, overview.Filter{From: m, To: m}, l)
	if err != nil {
		return nil, err
	}
	if o.Empty {
		return nil, dtm.Errorf(dtm.NotFound, "there are no movements in %s, so there is no report", m).Coded("report.none", locale.Month(l, m))
	}
	return h.print(ctx, o, s.Operation, s.Figures.Catalogue())
}

func runReport(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	month := fs.String("month", "", "`month` of the report, for example 2022-12")
	asked := fs.String("release", "", "`number` of a release, latest, or provisional; left out: the month's release if there is one")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	out := fs.String("out", "", "`file` to write")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *month == "" || *out == "" {
		return wrongUse("-month and -out are needed")
	}
	m, err := dtm.ParseMonth(*month)
	if err != nil {
		return err
	}
	if locale.Known(dtm.Lang(*lang)) != dtm.Lang(*lang) {
		return wrongUse("-lang %q: want en, fr or ar", *lang)
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.current(ctx); err != nil {
		return err
	}
	if c.tty {
		fmt.Fprint(c.err, "making the report (the first time on a machine the PDF engine is prepared, up to a minute) ...\n")
	}
	b, source, err := h.monthlyReport(ctx, *asked, m, dtm.Lang(*lang))
	if err != nil {
		return err
	}
	of, err := source.Figures.Release(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path(*out), b, 0o644); err != nil {
		return dtm.Errorf(dtm.Invalid, "the report cannot be written: %w", err)
	}
	fmt.Fprintf(c.out, "wrote %s: %s, %s, release %s, %d bytes\n", *out, locale.Month(dtm.English, m), *lang, of.ID(), len(b))
	return nil
}
