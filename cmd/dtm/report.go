package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/maps"
	"dtm/disseminate/report"
	"dtm/disseminate/report/raster"
	"dtm/disseminate/report/typst"
	"dtm/locale"
)

// printer is the PDF engine and the painter of pictures, each started when it is first
// asked for.
type printer struct {
	mu      sync.Mutex
	press   *typst.Engine
	painter *raster.Painter
	bases   maps.Bases
}

// start gives the engine and the map of the operation's areas.
func (p *printer) start(h *house, op *dtm.Operation) (*typst.Engine, *maps.Base, error) {
	base, err := p.bases.Of(op)
	if err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press == nil {
		p.press = report.NewPress(h.engineCache())
	}
	return p.press, base, nil
}

// memory is what the engine's processes hold that wait for a document, in bytes, without
// the files that they share with this one.
func (p *printer) memory() (n int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.press == nil {
		return 0, nil
	}
	for _, pid := range p.press.Processes() {
		list, err := resident(strconv.Itoa(pid))
		if errors.Is(err, fs.ErrNotExist) {
			continue // killed meanwhile
		}
		if err != nil {
			return 0, err
		}
		for _, x := range list {
			if x.What == "resident, of no file" {
				n += x.Bytes
			}
		}
	}
	return n, nil
}

// engineCache is the folder of the engines' machine code.
func (h *house) engineCache() string {
	if h.config.Cache != "" {
		return h.config.Cache
	}
	user, err := os.UserCacheDir()
	if err != nil {
		user = h.dir
	}
	return filepath.Join(user, "dtm", "typst")
}

// picture paints a drawing as PNG.
func (h *house) picture(ctx context.Context, svg []byte) ([]byte, error) {
	p := &h.printer
	p.mu.Lock()
	if p.painter == nil {
		var err error
		if p.painter, err = report.NewPainter(h.engineCache()); err != nil {
			p.mu.Unlock()
			return nil, err
		}
	}
	painter := p.painter
	p.mu.Unlock()
	return painter.PNG(ctx, svg)
}

func (p *printer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	if p.press != nil {
		errs = append(errs, p.press.Close())
	}
	if p.painter != nil {
		errs = append(errs, p.painter.Close())
	}
	return errors.Join(errs...)
}

// report gives the PDF of a report: the last published edition of a release's, in a
// writer's words; else a monthly one of a release as it was frozen; otherwise made from
// guarded figures. asked is that of dtm.Sources; without it a
// week's bulletin is of the figures as they are, since a release holds the days of its
// own month only.
func (h *house) report(ctx context.Context, asked string, r dtm.Report, l dtm.Lang) ([]byte, dtm.Source, error) {
	if asked == "" && r.Product == dtm.ReportWeekly {
		asked = dtm.ReleaseProvisional
	}
	s, err := h.shelf.Source(ctx, asked, r.Last())
	if err != nil {
		return nil, s, err
	}
	if f := s.Frozen; f != nil {
		if f.Month != r.Last() {
			return nil, s, dtm.Errorf(dtm.NotFound, "release %s is of %s, not of %s", f.Number, f.Month, r.Last()).Coded("release.ends", f.Number, f.Month.String())
		}
		edition, err := h.editor.published(ctx, dtm.ReportText{Month: f.Month, N: f.N, Report: r.Name(), Lang: l})
		if err != nil {
			return nil, s, err
		}
		if edition != nil {
			b, err := h.editor.PDF(ctx, *edition)
			return b, s, err
		}
		manifest, err := release.ReadManifest(f.Manifest)
		if err != nil {
			return nil, s, err
		}
		if _, ok := manifest.Part(release.ReportPart(l)); ok && r.Product == dtm.ReportMonthly {
			b, err := h.part(ctx, *f, manifest, release.ReportPart(l))
			return b, s, err
		}
	}
	b, err := h.makeReport(ctx, s, r, l)
	return b, s, err
}

// makeReport makes the PDF of a report from a source's figures.
func (h *house) makeReport(ctx context.Context, s dtm.Source, r dtm.Report, l dtm.Lang) ([]byte, error) {
	press, base, err := h.printer.start(h, s.Operation)
	if err != nil {
		return nil, err
	}
	d, err := report.Compose(ctx, s.Figures, s.Operation, base, r, l)
	if err != nil {
		return nil, err
	}
	return report.Print(ctx, press, d)
}

// asked reads which report the flags name: exit code 2 when they do not name one.
func askedReport(product, month, week, year, point, partner string) (dtm.Report, error) {
	r := dtm.Report{Product: product}
	var err error
	needs := func(flag, value string) bool {
		if value == "" && err == nil {
			err = wrongUse("-%s is needed for -product %s", flag, product)
		}
		return err == nil
	}
	switch product {
	case dtm.ReportWeekly:
		if needs("week", week) {
			r.Week, err = dtm.ParseWeek(week)
		}
		return r, err
	case dtm.ReportAnnual:
		if needs("year", year) {
			r, err = dtm.ParseReport("annual-" + year)
		}
		return r, err
	case dtm.ReportPoint:
		r.Of = point
		needs("point", point)
	case dtm.ReportPartner:
		r.Of = partner
		needs("partner", partner)
	case dtm.ReportMonthly, dtm.ReportStranded, dtm.ReportTables:
	default:
		return r, wrongUse("-product %q: want %s, or all", product, strings.Join(dtm.ReportProducts, ", "))
	}
	if needs("month", month) {
		r.Month, err = dtm.ParseMonth(month)
	}
	return r, err
}

// family is every report of a month: its own, the weeks that end in it, the year up to
// it, each point, each partner.
func family(op *dtm.Operation, m dtm.Month) []dtm.Report {
	out := []dtm.Report{{Product: dtm.ReportMonthly, Month: m}}
	for w := dtm.Monday(m.First()); w.AddDate(0, 0, 6).Before(m.Add(1).First()); w = w.AddDate(0, 0, 7) {
		out = append(out, dtm.Report{Product: dtm.ReportWeekly, Week: w})
	}
	out = append(out, dtm.Report{Product: dtm.ReportAnnual, Year: m.Year}, dtm.Report{Product: dtm.ReportStranded, Month: m}, dtm.Report{Product: dtm.ReportTables, Month: m})
	for _, p := range op.Network() {
		out = append(out, dtm.Report{Product: dtm.ReportPoint, Month: m, Of: p.Code})
	}
	for _, p := range op.Partners {
		if len(p.Brief) > 0 {
			out = append(out, dtm.Report{Product: dtm.ReportPartner, Month: m, Of: p.Code})
		}
	}
	return out
}

func runReport(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	product := fs.String("product", dtm.ReportMonthly, "which `report`: "+strings.Join(dtm.ReportProducts, ", ")+"; all: every one of the month, in all languages, into the folder of -out")
	month := fs.String("month", "", "`month` of the report, for example 2022-12")
	week := fs.String("week", "", "`week` of a weekly bulletin, for example 2022-W48")
	year := fs.String("year", "", "`year` of an annual review")
	point := fs.String("point", "", "`code` of the point of a profile")
	partner := fs.String("partner", "", "`code` of the partner of a brief")
	asked := fs.String("release", "", "`number` of a release, latest, or provisional; left out: the month's release if there is one")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	out := fs.String("out", "", "`file` to write, or folder with -product all")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is needed")
	}
	if !slices.Contains(locale.Languages, dtm.Lang(*lang)) {
		return wrongUse("-lang %q: want en, fr or ar", *lang)
	}
	var r dtm.Report
	var m dtm.Month
	var err error
	if *product != "all" {
		r, err = askedReport(*product, *month, *week, *year, *point, *partner)
	} else if *month == "" {
		err = wrongUse("-month is needed for -product all")
	} else {
		m, err = dtm.ParseMonth(*month)
	}
	if err != nil {
		return err
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
	if *product == "all" {
		return h.reportAll(ctx, c, *asked, m, c.path(*out))
	}
	b, source, err := h.report(ctx, *asked, r, dtm.Lang(*lang))
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
	fmt.Fprintf(c.out, "wrote %s: %s, %s, release %s, %d bytes\n", *out, reportWhen(r), *lang, of.ID(), len(b))
	return nil
}

// reportWhen says what a report is, in English.
func reportWhen(r dtm.Report) string {
	if r.Product == dtm.ReportMonthly {
		return locale.Month(dtm.English, r.Month)
	}
	return r.Name()
}

// reportAll writes the month's reports in all languages into a folder, saying each.
// What there is nothing to report of is said and left out.
func (h *house) reportAll(ctx context.Context, c *call, asked string, m dtm.Month, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err)
	}
	list := family(h.op, m)
	var languages []dtm.Lang
	for _, l := range h.op.Languages {
		if slices.Contains(locale.Languages, l) {
			languages = append(languages, l)
		}
	}
	n, written := 0, 0
	for _, r := range list {
		for _, l := range languages {
			n++
			name := h.op.Code + "-" + r.Name() + "-" + string(l) + ".pdf"
			b, _, err := h.report(ctx, asked, r, l)
			if dtm.KindOf(err) == dtm.NotFound && err != nil {
				n += len(languages) - 1
				fmt.Fprintf(c.err, "%d/%d %s: %v\n", n, len(list)*len(languages), r.Name(), err)
				break
			}
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				return dtm.Errorf(dtm.Invalid, "the report cannot be written: %w", err)
			}
			written++
			fmt.Fprintf(c.err, "%d/%d %s: %d bytes\n", n, len(list)*len(languages), name, len(b))
		}
	}
	if written == 0 {
		return dtm.Errorf(dtm.NotFound, "nothing is recorded of %s, so there is no report", m).Coded("report.none", locale.Month(dtm.English, m))
	}
	fmt.Fprintf(c.out, "wrote %d reports of %s into %s\n", written, locale.Month(dtm.English, m), dir)
	return nil
}
