package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"text/tabwriter"

	"dtm"
	"dtm/gather/xlsform"
)

func runFormConvert(_ context.Context, c *call) error {
	fs := c.flags()
	lang := langFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	name := args[0]
	data, err := os.ReadFile(c.path(name))
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err)
	}
	_, xml, err := c.convert(name, data, dtm.Lang(*lang))
	if err != nil {
		return err
	}
	_, err = c.out.Write(xml)
	return err
}

// langFlag is the language in which a form's faults are said.
func langFlag(fs *flag.FlagSet) *string {
	return fs.String("lang", "en", "language of what is said about the form: `en` or fr")
}

// convert reads an XLSForm; its faults and warnings go to standard error, one a
// line.
func (c *call) convert(name string, data []byte, l dtm.Lang) (*xlsform.Form, []byte, error) {
	f, xml, warnings, err := readForm(name, data)
	for _, w := range warnings {
		fmt.Fprintf(c.err, "%s: %s: %s: %s\n", name, map[bool]string{false: "warning", true: "avertissement"}[l == dtm.French], xlsform.Fault(w).Where(), w.In(l))
	}
	var faults xlsform.Faults
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Fprintf(c.err, "%s: %s: %s\n", name, fault.Where(), fault.In(l))
		}
		return nil, nil, errSaid
	}
	return f, xml, err
}

func runFormPublish(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := langFlag(fs)
	args, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	source, media, err := c.formFiles(args)
	if err != nil {
		return err
	}
	return c.publish(ctx, h, args[0], source, media, dtm.Lang(*lang))
}

// formFiles reads a form and the files that go with it.
func (c *call) formFiles(args []string) (source []byte, media []dtm.Media, err error) {
	if source, err = os.ReadFile(c.path(args[0])); err != nil {
		return nil, nil, dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err)
	}
	for _, a := range args[1:] {
		b, err := os.ReadFile(c.path(a))
		if err != nil {
			return nil, nil, dtm.Errorf(dtm.Invalid, "the attachment cannot be read: %w", err)
		}
		media = append(media, dtm.Media{Name: filepath.Base(a), Type: mime.TypeByExtension(filepath.Ext(a)), Hash: dtm.FileHash(b), Data: b})
	}
	return source, media, nil
}

// formOf makes a form of an XLSForm, or of an XForm as it is; its faults are said.
func (c *call) formOf(ctx context.Context, name string, source []byte, media []dtm.Media, l dtm.Lang) (dtm.Form, error) {
	if filepath.Ext(name) == ".xml" {
		form, _, err := convertForm(ctx, name, source, "")
		form.Media = media
		return form, err
	}
	f, xml, err := c.convert(name, source, l)
	if err != nil {
		return dtm.Form{}, err
	}
	return published(f, xml, name, source, media), nil
}

func (c *call) publish(ctx context.Context, h *house, name string, source []byte, media []dtm.Media, l dtm.Lang) error {
	form, err := c.formOf(ctx, name, source, media, l)
	if err != nil {
		return err
	}
	if err := h.db.Publish(ctx, form); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "published %s version %s: %s\n", form.ID, form.Version, form.Title)
	f, err := h.forms.form(ctx, form.ID, form.Version)
	if err != nil || f == nil {
		return err
	}
	given := map[string]bool{pointsFile: true}
	lists, err := h.db.EntityLists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		given[l.Name+".csv"] = true
	}
	for _, m := range media {
		given[m.Name] = true
	}
	for _, file := range f.ExternalFiles() {
		if !given[file] {
			fmt.Fprintf(c.err, "%s: the form asks for %s, which was not given and is no entity list yet; phones will say so\n", name, file)
		}
	}
	return nil
}

func runFormList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	list, err := h.db.Forms(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no form yet: `dtm form publish` publishes one")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "form\tversion\tpublished\ttitle")
	for _, f := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, f.Version, f.Published.In(h.op.Zone).Format("2006-01-02 15:04"), f.Title)
	}
	return w.Flush()
}
