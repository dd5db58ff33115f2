package main

import (
	"context"
	"html"
	"regexp"
	"slices"
	"strings"

	"dtm"
	"dtm/gather/entry"
	"dtm/gather/openrosa"
	"dtm/gather/xlsform"
	"dtm/web"
)

// trialCode is how phones and browsers try a draft.
func (h *house) trialCode(d dtm.Draft, l dtm.Lang) (address, code, browser string, err error) {
	address = h.baseURL() + openrosa.TrialPath(d.Token, d.ID)
	code, err = openrosa.Settings(address, d.TitleIn(l)+" (test)", l)
	return address, code, h.baseURL() + entry.TrialPath(d.Token, d.ID), err
}

// understood reads a form's workbook; Unsupported when it has none.
func understood(f dtm.Form) (*xlsform.Form, error) {
	if f.SourceName == "" {
		return nil, noSource(f.ID)
	}
	x, _, err := xlsform.Read(f.SourceName, f.Source)
	return x, err
}

func noSource(form string) error {
	return dtm.Errorf(dtm.Unsupported, "form %s was published as an XForm, which has no workbook to read", form).Coded("form.no_source")
}

// readTrials reads test records for people, with what the form's expressions remark.
func (h *house) readTrials(_ context.Context, draft dtm.Form, list []dtm.Submission, l dtm.Lang) ([]web.Trial, error) {
	out := make([]web.Trial, len(list))
	if len(list) == 0 {
		return out, nil
	}
	f, unread := understood(draft)
	k, err := readChecked(draft) // a test record is kept as it came: nothing of it is sealed
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		if out[i].Err = unread; unread == nil {
			out[i].Answers, out[i].Err = h.answersBy(f, s, l)
		}
		out[i].Flags = k.flags(s)
	}
	return out, nil
}

// compareForms tells what changed between two versions, with the words of the form.
func (h *house) compareForms(_ context.Context, before, after dtm.Form, l dtm.Lang) ([]web.Change, error) {
	a, err := understood(before)
	if err != nil {
		return nil, err
	}
	b, err := understood(after)
	if err != nil {
		return nil, err
	}
	was, is := labelled(h.op, a, l), labelled(h.op, b, l)
	var out []web.Change
	for _, c := range xlsform.Diff(a, b) {
		label := is[c.Path]
		if c.Kind == xlsform.Removed || c.Kind == xlsform.ChoiceRemoved {
			label = was[c.Path]
		}
		out = append(out, web.Change{Kind: c.Kind, Place: c.Path, Label: label, What: c.What, Before: c.Before, After: c.After})
	}
	return out, nil
}

// labelled are the labels of questions by their paths, and of choices by list and name,
// as changes name them.
func labelled(op *dtm.Operation, f *xlsform.Form, l dtm.Lang) map[string]string {
	r := answerReader{op: op, form: f, reader: l, lang: languageOf(f, l)}
	out := map[string]string{}
	f.Root.Walk(func(n *xlsform.Node) { out[n.Path()] = r.words(n.Label) })
	for _, list := range f.Lists {
		for _, c := range list.Choices {
			out[list.Name+"/"+c.Name] = r.words(c.Label)
		}
	}
	return out
}

// questions lists what a form asks.
func (h *house) questions(_ context.Context, form dtm.Form, language string, l dtm.Lang) ([]web.Question, []string, string, error) {
	f, err := understood(form)
	if err != nil {
		return nil, nil, "", err
	}
	if !slices.Contains(f.Languages, language) {
		language = languageOf(f, l)
	}
	r := answerReader{op: h.op, form: f, reader: l, lang: language}
	var out []web.Question
	var level func(n *xlsform.Node, depth int)
	level = func(n *xlsform.Node, depth int) {
		for _, c := range n.Nodes {
			if c.Made || c.Kind == xlsform.Declaration {
				continue
			}
			q := web.Question{Depth: depth, Name: c.Name, Type: c.Type, Label: r.words(c.Label), Hint: r.words(c.Hint),
				Required: strings.HasPrefix(c.Bind["required"], "true"), Relevant: c.Bind["relevant"], Limit: c.Bind["constraint"], Message: r.words(c.ConstraintMessage)}
			if c.Kind == xlsform.Group || c.Kind == xlsform.Repeat {
				q.Head, q.Repeat, q.Type = true, c.Kind == xlsform.Repeat, ""
				out = append(out, q)
				level(c, depth+1)
				continue
			}
			if list := f.ChoiceList(c.List); list != nil {
				for _, x := range list.Choices {
					label := r.words(x.Label)
					if label == "" {
						label = x.Name
					}
					q.Choices = append(q.Choices, label)
				}
			}
			q.List = c.File
			out = append(out, q)
		}
	}
	level(f.Root, 0)
	return out, f.Languages, language, nil
}

// fileNamed finds the files that an XForm names: lists, pictures, sounds.
var fileNamed = regexp.MustCompile(`jr://(?:images|audio|video|file|file-csv)/([^"'<>]+)`)

// wants names the files that go with a form.
func (h *house) wants(ctx context.Context, f dtm.Form) ([]web.Wanted, error) {
	lists, err := h.db.EntityLists(ctx)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{pointsFile: true}
	for _, l := range lists {
		listed[l.Name+".csv"] = true
	}
	var names []string
	for _, m := range fileNamed.FindAllSubmatch(f.XForm, -1) {
		names = append(names, html.UnescapeString(string(m[1])))
	}
	if f.SourceName != "" {
		if x, err := understood(f); err == nil { // else what was published before the reader was as strict
			names = append(names, x.ExternalFiles()...)
		}
	}
	came := map[string]int64{}
	for _, m := range f.Media {
		came[m.Name] = int64(len(m.Data))
	}
	var out []web.Wanted
	add := func(name string, spare bool) {
		if slices.ContainsFunc(out, func(w web.Wanted) bool { return w.Name == name }) {
			return
		}
		w := web.Wanted{Name: name, Spare: spare}
		size, ok := came[name]
		switch {
		case ok:
			w.From, w.Size = "form", size
		case listed[name]:
			w.From = "list"
		}
		out = append(out, w)
	}
	for _, name := range names {
		add(name, false)
	}
	for _, m := range f.Media {
		add(m.Name, true)
	}
	return out, nil
}
