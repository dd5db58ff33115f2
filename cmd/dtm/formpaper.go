package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"dtm"
	"dtm/config"
	"dtm/disseminate/paper"
	"dtm/gather/xlsform"
	"dtm/locale"
)

// paperOf is a form to be printed: the points that are open are its list of points.
func paperOf(op *dtm.Operation, f *xlsform.Form, l dtm.Lang, now time.Time) paper.Form {
	points := []paper.Choice{}
	for _, p := range pointsAt(op, now) {
		points = append(points, paper.Choice{Code: p.Code, Label: p.Name.In(l)})
	}
	return paper.Form{Form: f, Lang: l, Kicker: op.Title.In(l), Lists: map[string][]paper.Choice{pointsFile: points}}
}

// paper makes the PDF of a published form.
func (h *house) paper(ctx context.Context, form dtm.Form, l dtm.Lang) ([]byte, error) {
	f, err := h.forms.form(ctx, form.ID, form.Version)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, dtm.Errorf(dtm.Unsupported, "the form %s was published as an XForm, without the labels that paper needs; publish it as an XLSForm", form.ID).Coded("paper.no_source", form.ID)
	}
	press, _, err := h.printer.start(h, h.op)
	if err != nil {
		return nil, err
	}
	return paper.Print(ctx, press, paperOf(h.op, f, l, h.now()))
}

// runFormPaper prints a form: a published one by its id, or a file.
func runFormPaper(ctx context.Context, c *call) error {
	fs := c.flags()
	data := fs.String("data", "", "data `folder` in which the form is published; a file needs none")
	version := fs.String("version", "", "`version` of a published form; the current one when left out")
	pack := fs.String("operation", "djibouti", "for a file: the operation `pack` whose name and points are printed")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	out := fs.String("out", "", "`file` to write")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	if *out == "" {
		return wrongUse("-out is missing: which file is to be written?")
	}
	if locale.Known(l) != l {
		return wrongUse("-lang %q: want en, fr or ar", *lang)
	}
	if c.tty {
		fmt.Fprint(c.err, "printing (the first time on a machine the PDF engine is prepared, up to a minute) ...\n")
	}
	var pdf []byte
	if *data != "" {
		h, done, err := c.open(ctx, *data)
		if err != nil {
			return err
		}
		defer done()
		form, err := h.db.Form(ctx, args[0], *version)
		if err != nil {
			return err
		}
		if pdf, err = h.paper(ctx, form, l); err != nil {
			return err
		}
	} else {
		source, err := os.ReadFile(c.path(args[0]))
		if err != nil {
			return dtm.Errorf(dtm.Invalid, "the form cannot be read (with -data DIR, name a published form by its id): %w", err)
		}
		f, _, err := c.convert(args[0], source, dtm.English)
		if err != nil {
			return err
		}
		h := &house{now: time.Now}
		if h.config, err = config.Read(nil, c.env, os.ReadFile); err != nil {
			return err
		}
		if h.op, err = loadOperation(c.operation(*pack)); err != nil {
			return err
		}
		defer h.printer.close()
		press, _, err := h.printer.start(h, h.op)
		if err != nil {
			return err
		}
		if pdf, err = paper.Print(ctx, press, paperOf(h.op, f, l, h.now())); err != nil {
			return err
		}
	}
	if err := os.WriteFile(c.path(*out), pdf, 0o644); err != nil {
		return dtm.Errorf(dtm.Invalid, "the paper form cannot be written: %w", err)
	}
	fmt.Fprintf(c.out, "wrote %s: %s, %s, %d bytes\n", *out, args[0], *lang, len(pdf))
	return nil
}
