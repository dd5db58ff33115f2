package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"dtm"
	"dtm/check"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/web"
)

// readRules takes the rules into use as the operation has switched them. A switch of a
// rule that this program does not have any more is passed over.
func (h *house) readRules(ctx context.Context) error {
	list, err := h.db.RuleSwitches(ctx)
	if err != nil {
		return err
	}
	rules := check.Built()
	for _, s := range list {
		if with, err := rules.With([]dtm.RuleSwitch{s}); err == nil {
			rules = with
		}
	}
	h.forms.inUse.Store(&rules)
	return nil
}

// corrected is a submission as review has corrected it.
func (h *house) corrected(ctx context.Context, s dtm.Submission) (dtm.Submission, dtm.Standing, error) {
	at, err := h.db.Standing(ctx, s.ID, 0)
	if err != nil || len(at.Changes) == 0 {
		return s, at, err
	}
	s.XML, err = xform.Amended(s.XML, at.Changes)
	return s, at, err
}

// correct makes a correction and everything that follows from it: calculated answers,
// flags by the form's own logic and the rules, facts. base is the number of the last
// correction that the author saw; changes name paths and new values.
func (h *house) correct(ctx context.Context, id string, base int, why string, changes []dtm.Change) (dtm.Correction, error) {
	s, err := h.db.Submission(ctx, id)
	if err != nil {
		return dtm.Correction{}, err
	}
	list, err := h.db.Corrections(ctx, id)
	if err != nil {
		return dtm.Correction{}, err
	}
	// Upon what the author saw, which may not be the last.
	var seen []dtm.Change
	for _, c := range list {
		if c.Number > 0 && c.Number <= base {
			seen = append(seen, c.Changes...)
		}
	}
	xml, err := xform.Amended(s.XML, seen)
	if err != nil {
		return dtm.Correction{}, err
	}
	k, err := h.forms.checked(ctx, s.Form, s.Version)
	if err != nil {
		return dtm.Correction{}, err
	}
	for _, x := range changes {
		if k.sealed.Has(x.Path) {
			return dtm.Correction{}, dtm.Errorf(dtm.Invalid, "the answer to %s is sealed: what is known of a person is corrected on the person's page", x.Path).At(x.Path).Coded("correction.sealed", x.Path)
		}
	}
	all, err := xform.Follow(k.model, xml, k.env(s), changes)
	if err != nil {
		return dtm.Correction{}, err
	}
	c, err := h.db.Correct(ctx, id, dtm.Correction{Base: base, Why: why, Changes: all})
	if err != nil {
		return c, err
	}
	return c, h.current(ctx)
}

// fields are a submission's answers for a person who may correct them, in the form's
// order.
func (h *house) fields(ctx context.Context, s dtm.Submission, l dtm.Lang) ([]web.Field, error) {
	f, err := h.forms.form(ctx, s.Form, s.Version)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, dtm.Errorf(dtm.Unsupported, "this form was published as an XForm, without labels to show; its answers are in the XML and in the tables").Coded("form.no_source")
	}
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return nil, err
	}
	sealed, err := h.forms.sealing(ctx, s.Form, s.Version)
	if err != nil {
		return nil, err
	}
	r := fieldReader{answerReader: answerReader{op: h.op, form: f, reader: l, lang: languageOf(f, l)}, now: s.Received, sealed: sealed}
	r.level(f.Root, in.Root, "/"+f.Root.Name, 0)
	return r.out, nil
}

type fieldReader struct {
	answerReader
	now    time.Time
	sealed *xform.Sealing
	out    []web.Field
}

func (r *fieldReader) level(n *xlsform.Node, a *xform.Answers, at string, depth int) {
	for _, c := range n.Nodes {
		path := at + "/" + c.Name
		switch c.Kind {
		case xlsform.Group:
			if c.Name == "meta" {
				continue
			}
			if label := r.words(c.Label); label != "" {
				r.out = append(r.out, web.Field{Depth: depth, Head: true, Path: path, Label: label})
			}
			r.level(c, a, path, depth+1)
		case xlsform.Repeat:
			turn := 0
			for _, t := range a.Turns {
				if t.Repeat != c {
					continue
				}
				turn++
				own := path + "[" + strconv.Itoa(turn) + "]"
				r.out = append(r.out, web.Field{Depth: depth, Head: true, Path: own, Label: cmp.Or(r.words(c.Label), c.Name) + " " + strconv.Itoa(turn)})
				r.level(c, t, own, depth+1)
			}
		default:
			if c.Type != "note" {
				r.field(c, a, path, depth)
			}
		}
	}
}

func (r *fieldReader) field(c *xlsform.Node, a *xform.Answers, path string, depth int) {
	value, asked := a.Get(c)
	x := web.Field{Depth: depth, Path: path, Form: c.Path(), Label: cmp.Or(r.words(c.Label), c.Name), Value: value, Shown: r.say(c, value), Kind: "text"}
	switch c.Type {
	case "integer", "decimal", "date":
		x.Kind = c.Type
	case "select_multiple", "rank":
		x.Kind = "many"
	case "select_one":
		x.Kind = "one"
	}
	if list := r.form.ChoiceList(c.List); list != nil && (x.Kind == "one" || x.Kind == "many") {
		for _, o := range list.Choices {
			x.Choices = append(x.Choices, web.Choice{Value: o.Name, Label: cmp.Or(r.words(o.Label), o.Name)})
		}
	} else if c.File == pointsFile {
		for _, p := range pointsAt(r.op, r.now) {
			x.Choices = append(x.Choices, web.Choice{Value: p.Code, Label: p.Name.In(r.reader)})
		}
	}
	switch {
	case c.Attachment(), c.Bind["calculate"] != "", c.Type == "calculate", !asked && value == "" && len(c.Label) == 0,
		slices.Contains([]string{"start", "end", "today", "deviceid", "username", "audit", "hidden"}, c.Type):
		x.Fixed = true
	}
	if x.Fixed && value == "" {
		return
	}
	if r.sealed.Has(path) {
		x.Fixed, x.Sealed = true, true
	}
	r.out = append(r.out, x)
}
