package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"dtm"
	"dtm/gather/xlsform"
)

// tongues are the languages of those who pass, beside those of the forms.
var tongues = map[string]string{"aa": "Afar (aa)", "so": "Somali (so)", "am": "Amharic (am)", "om": "Oromo (om)", "ti": "Tigrinya (ti)"}

// runFormStrings writes a translators' sheet of a form, or takes one that was filled
// in and writes the form with its translations.
func runFormStrings(ctx context.Context, c *call) error {
	fs := c.flags()
	data := fs.String("data", "", "data `folder` in which the form is published; a file needs none")
	to := fs.String("to", "aa,so,am,om", "`languages` to translate into, by commas: aa, so, am, om, ti, or a name with its code such as \"Swahili (sw)\"")
	in := fs.String("in", "", "translators' sheet that was filled in, a `file`")
	version := fs.String("version", "", "with -in: the `version` that the translated form gets; it needs a new one to be published")
	out := fs.String("out", "", "`file` to write: the sheet, or with -in the form")
	lang := langFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is missing: which file is to be written?")
	}
	name, source, f, err := c.formSource(ctx, *data, args[0], dtm.Lang(*lang))
	if err != nil {
		return err
	}
	var made []byte
	said := ""
	if *in == "" {
		var targets []string
		for t := range strings.SplitSeq(*to, ",") {
			t = strings.TrimSpace(t)
			if full, ok := tongues[t]; ok {
				t = full
			}
			if !strings.HasSuffix(t, ")") || !strings.Contains(t, " (") {
				return wrongUse("-to %q: want aa, so, am, om, ti, or a name with its code such as \"Swahili (sw)\"", t)
			}
			targets = append(targets, t)
		}
		if made, err = xlsform.Strings(f, targets); err != nil {
			return err
		}
		said = fmt.Sprintf("%d texts of %s, for %s", len(f.Phrases()), f.ID, strings.Join(targets, ", "))
	} else {
		sheet, err := os.ReadFile(c.path(*in))
		if err != nil {
			return dtm.Errorf(dtm.Invalid, "the translators' sheet cannot be read: %w", err)
		}
		list, err := xlsform.ReadStrings(*in, sheet, f)
		var faults xlsform.Faults
		if errors.As(err, &faults) {
			for _, fault := range faults {
				fmt.Fprintf(c.err, "%s: %s: %s\n", *in, fault.Where(), fault.In(dtm.Lang(*lang)))
			}
			return errSaid
		}
		if err != nil {
			return err
		}
		if made, err = xlsform.Translate(name, source, f, list, *version); err != nil {
			return err
		}
		done, _, err := c.convert(*out, made, dtm.Lang(*lang))
		if err != nil {
			return err
		}
		var names []string
		for _, t := range list {
			names = append(names, t.Lang)
		}
		said = fmt.Sprintf("%s version %s, now also in %s", done.ID, done.Version, strings.Join(names, ", "))
	}
	if err := os.WriteFile(c.path(*out), made, 0o644); err != nil {
		return dtm.Errorf(dtm.Invalid, "the file cannot be written: %w", err)
	}
	fmt.Fprintf(c.out, "wrote %s: %s\n", *out, said)
	return nil
}

// formSource is a form with the workbook it was made of: the current version of a
// published one, or a file.
func (c *call) formSource(ctx context.Context, data, form string, l dtm.Lang) (name string, source []byte, f *xlsform.Form, err error) {
	if data == "" {
		if source, err = os.ReadFile(c.path(form)); err != nil {
			return "", nil, nil, dtm.Errorf(dtm.Invalid, "the form cannot be read (with -data DIR, name a published form by its id): %w", err)
		}
		f, _, err = c.convert(form, source, l)
		return form, source, f, err
	}
	h, done, err := c.open(ctx, data)
	if err != nil {
		return "", nil, nil, err
	}
	defer done()
	stored, err := h.db.Form(ctx, form, "")
	if err != nil {
		return "", nil, nil, err
	}
	if f, err = h.forms.form(ctx, stored.ID, stored.Version); err != nil {
		return "", nil, nil, err
	}
	if f == nil {
		return "", nil, nil, dtm.Errorf(dtm.Unsupported, "the form %s was published as an XForm, without a workbook to translate; publish it as an XLSForm", form).Coded("form.strings.no_source", form)
	}
	return stored.SourceName, stored.Source, f, nil
}
