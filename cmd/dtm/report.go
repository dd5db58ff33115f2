package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/disseminate/report"
	"dtm/locale"
)

// printer is the PDF engine, started when the first report is asked for.
type printer struct {
	mu    sync.Mutex
	press *report.Press
	base  *maps.Base
}

func (p *printer) start(h *house) (*report.Press, *maps.Base, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press != nil {
		return p.press, p.base, nil
	}
	if len(h.op.Boundaries) > 0 {
		base, err := maps.Parse(h.op.Boundaries)
		if err != nil {
			return nil, nil, err
		}
		p.base = base
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
	return p.press, p.base, nil
}

func (p *printer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press == nil {
		return nil
	}
	return p.press.Close()
}

// monthlyReport makes the PDF of a month from guarded figures.
func (h *house) monthlyReport(ctx context.Context, m dtm.Month, l dtm.Lang) ([]byte, error) {
	o, err := overview.Build(ctx, h.public, h.op, overview.Filter{From: m, To: m}, l)
	if err != nil {
		return nil, err
	}
	if o.Empty {
		return nil, dtm.Errorf(dtm.NotFound, "there are no movements in %s, so there is no report", m).Coded("report.none", locale.Month(l, m))
	}
	press, base, err := h.printer.start(h)
	if err != nil {
		return nil, err
	}
	d, err := report.FromOverview(o, h.op, base, h.public.Catalogue())
	if err != nil {
		return nil, err
	}
	return report.Monthly(ctx, press, d)
}

func runReport(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	month := fs.String("month", "", "`month` of the report, for example 2022-12")
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
	b, err := h.monthlyReport(ctx, m, dtm.Lang(*lang))
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path(*out), b, 0o644); err != nil {
		return dtm.Errorf(dtm.Invalid, "the report cannot be written: %w", err)
	}
	fmt.Fprintf(c.out, "wrote %s: %s, %s, %d bytes\n", *out, locale.Month(dtm.English, m), *lang, len(b))
	return nil
}
