package main

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/overview"
	"dtm/disseminate/report"
)

// editions is dtm.Editions by a name that its method Editions does not have.
type editions = dtm.Editions

// editor lets writers put the sentences of a release's reports into other words.
type editor struct {
	editions
	h *house

	mu     sync.Mutex
	drafts map[dtm.ReportText]*draft
}

// mostDrafts are kept in memory: a release does not change, so neither does what its
// reports say by themselves.
const mostDrafts = 12

// draft is a report as it is generated, with its sentences tied to their figures.
type draft struct {
	hash      string // of the release
	document  report.Document
	sentences []overview.Bound
}

// Texts lists the reports of a release that have sentences. Weekly bulletins are not among
// them: they go out before their month is frozen.
func (e *editor) Texts(r dtm.FrozenRelease) []dtm.Report {
	return slices.DeleteFunc(family(e.h.op, r.Month), func(x dtm.Report) bool {
		return x.Product == dtm.ReportWeekly || x.Product == dtm.ReportTables || x.Last() != r.Month
	})
}

// frozenOf finds the release of a text: NotFound, Gone.
func (e *editor) frozenOf(ctx context.Context, of dtm.ReportText) (dtm.FrozenRelease, dtm.Report, error) {
	x, err := dtm.ParseReport(of.Report)
	if err != nil {
		return dtm.FrozenRelease{}, x, err
	}
	r, err := e.h.db.FrozenRelease(ctx, of.Month, of.N)
	switch {
	case err != nil:
	case r.State == dtm.StateWithdrawn:
		err = dtm.Errorf(dtm.Gone, "release %s was withdrawn: %s", r.Number, r.Reason).Coded("release.withdrawn", r.Number, r.Reason)
	case x.Product == dtm.ReportWeekly || x.Last() != r.Month:
		err = dtm.Errorf(dtm.NotFound, "release %s has no report %s to be written", r.Number, of.Report).Coded("release.ends", r.Number, r.Month.String())
	}
	return r, x, err
}

// draft composes the report from the release's figures and ties its sentences to them.
func (e *editor) draft(ctx context.Context, of dtm.ReportText) (*draft, error) {
	r, x, err := e.frozenOf(ctx, of)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	d := e.drafts[of]
	e.mu.Unlock()
	if d != nil && d.hash == r.ManifestHash {
		return d, nil
	}
	s, err := e.h.shelf.source(ctx, r)
	if err != nil {
		return nil, err
	}
	_, base, err := e.h.printer.start(e.h, s.Operation)
	if err != nil {
		return nil, err
	}
	record := overview.NewRecord(s.Figures)
	d = &draft{hash: r.ManifestHash}
	if d.document, err = report.Compose(ctx, record, s.Operation, base, x, of.Lang); err != nil {
		return nil, err
	}
	if d.sentences, err = bind(ctx, record, s, x, of.Lang, d.document.Sentences()); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.drafts == nil || len(e.drafts) >= mostDrafts {
		e.drafts = map[dtm.ReportText]*draft{}
	}
	e.drafts[of] = d
	return d, nil
}

// bind ties sentences to the figures that the report was made of, and to those of the same
// indicators in every split of which a writer may speak.
func bind(ctx context.Context, record *overview.Record, s dtm.Source, x dtm.Report, l dtm.Lang, list []report.Sentence) ([]overview.Bound, error) {
	var where map[string][]string
	if x.Product == dtm.ReportPoint {
		where = map[string][]string{"point": {x.Of}}
	}
	asked := map[string]bool{}
	for _, sentence := range list {
		for _, id := range sentence.Indicators {
			if asked[id] {
				continue
			}
			asked[id] = true
			i, err := s.Figures.Indicator(id)
			if err != nil {
				continue // of a sentence that no indicator stands behind, nothing more is known
			}
			for _, d := range release.Splits {
				if !slices.Contains(i.By, d) {
					continue
				}
				_, err := record.Table(ctx, dtm.Query{Indicator: id, Period: x.Period(), Where: where, By: []string{d}})
				if k := dtm.KindOf(err); err != nil && k != dtm.Invalid && k != dtm.NotFound {
					return nil, err
				}
			}
		}
	}
	b := &overview.Binder{Teller: overview.Teller{Op: s.Operation, Lang: l}, Month: x.Last(), Tables: record.All()}
	var out []overview.Bound
	for _, sentence := range list {
		out = append(out, b.Bind(sentence.ID, sentence.Lead, sentence.Text, sentence.Indicators))
	}
	return out, nil
}

// Sentences gives the sentences of a report as generated: NotFound, Gone, and the errors of
// the figures.
func (e *editor) Sentences(ctx context.Context, of dtm.ReportText) ([]overview.Bound, error) {
	d, err := e.draft(ctx, of)
	if err != nil {
		return nil, err
	}
	return d.sentences, nil
}

// Carried gives the words that the month's release before was written in, as far as their
// figures are still there; those of its last published edition, where there is one.
func (e *editor) Carried(ctx context.Context, of dtm.ReportText) ([]dtm.Wording, error) {
	d, err := e.draft(ctx, of)
	if err != nil {
		return nil, err
	}
	for before := of; before.N > 1; {
		before.N--
		words, err := e.Wordings(ctx, before)
		if err != nil {
			return nil, err
		}
		edition, err := e.published(ctx, before)
		if err != nil {
			return nil, err
		}
		if edition != nil {
			words = edition.Words
		}
		if len(words) == 0 {
			continue
		}
		was, err := e.Sentences(ctx, before)
		if k := dtm.KindOf(err); err != nil && k != dtm.Gone && k != dtm.NotFound {
			return nil, err
		}
		return carried(words, was, d.sentences), nil
	}
	return nil, nil
}

// carried are the words, with the marks of the sentences that they come over.
func carried(words []dtm.Wording, was, now []overview.Bound) []dtm.Wording {
	var out []dtm.Wording
	for _, w := range words {
		i := slices.IndexFunc(now, func(s overview.Bound) bool { return s.ID == w.Sentence })
		if w.Words == "" || i < 0 {
			continue
		}
		// Of a release that was withdrawn nothing is generated any more: the same sentence
		// has the same figures.
		k := slices.IndexFunc(was, func(s overview.Bound) bool { return s.ID == w.Sentence && s.Base == w.Base })
		if k < 0 {
			if w.Base == now[i].Base {
				out = append(out, w)
			}
			continue
		}
		if text, ok := now[i].Carry(was[k], w.Words); ok {
			w.Words = text
			out = append(out, w)
		}
	}
	return out
}

// print makes the PDF with those words. Words over a sentence that is generated otherwise
// now are Conflict: nobody read them beside it.
func (d *draft) print(ctx context.Context, h *house, list []dtm.Wording) ([]byte, error) {
	words := map[string]string{}
	for _, w := range list {
		if w.Words == "" {
			continue
		}
		i := slices.IndexFunc(d.sentences, func(s overview.Bound) bool { return s.ID == w.Sentence })
		if i < 0 || d.sentences[i].Base != w.Base {
			return nil, dtm.Errorf(dtm.Conflict, "the sentence %s is generated otherwise than when it was put into other words; read it again", w.Sentence).At(w.Sentence).Coded("wording.stale")
		}
		words[w.Sentence] = d.sentences[i].Fill(w.Words)
	}
	press, _, err := h.printer.start(h, h.op)
	if err != nil {
		return nil, err
	}
	return report.Print(ctx, press, d.document.Reworded(words))
}

// Preview makes the PDF with the words that stand.
func (e *editor) Preview(ctx context.Context, of dtm.ReportText) ([]byte, error) {
	d, err := e.draft(ctx, of)
	if err != nil {
		return nil, err
	}
	list, err := e.Wordings(ctx, of)
	if err != nil {
		return nil, err
	}
	return d.print(ctx, e.h, list)
}

// Propose keeps the words that stand and the PDF made of them. Invalid when a mark in them
// stands for no figure or a number for what guard withholds, or when a number differs from
// the figures and note does not say why; Conflict when nothing is in other words.
func (e *editor) Propose(ctx context.Context, of dtm.ReportText, note string) (dtm.Edition, error) {
	d, err := e.draft(ctx, of)
	if err != nil {
		return dtm.Edition{}, err
	}
	list, err := e.Wordings(ctx, of)
	if err != nil {
		return dtm.Edition{}, err
	}
	list = slices.DeleteFunc(list, func(w dtm.Wording) bool { return w.Words == "" })
	if len(list) == 0 {
		return dtm.Edition{}, dtm.Errorf(dtm.Conflict, "every sentence is as generated: there is nothing to approve").Coded("edition.none")
	}
	for _, w := range list {
		for _, s := range d.sentences {
			if s.ID != w.Sentence {
				continue
			}
			for _, f := range s.Check(w.Words) {
				switch {
				case f.Kind == overview.NoMark:
					return dtm.Edition{}, dtm.Errorf(dtm.Invalid, "%s stands for no figure", f.Number).At(w.Sentence).Coded("wording.mark", f.Number)
				case f.Kind == overview.Kept:
					return dtm.Edition{}, dtm.Errorf(dtm.Invalid, "%s: the figure of %s is withheld", f.Number, f.Name).At(w.Sentence).Coded("wording.withheld", f.Number, f.Name)
				case strings.TrimSpace(note) == "":
					return dtm.Edition{}, dtm.Errorf(dtm.Invalid, "%s is no figure of the release; say in the note where it comes from", f.Number).At(w.Sentence).Coded("wording.unexplained", f.Number)
				}
			}
		}
	}
	pdf, err := d.print(ctx, e.h, list)
	if err != nil {
		return dtm.Edition{}, err
	}
	address, _, err := e.h.blobs.Put(ctx, bytes.NewReader(pdf))
	if err != nil {
		return dtm.Edition{}, err
	}
	return e.AddEdition(ctx, dtm.Edition{Of: of, Words: list, PDF: address, PDFHash: release.Hash(pdf), Program: version, Note: strings.TrimSpace(note)})
}

// PDF reads an edition's PDF: Conflict when it is damaged.
func (e *editor) PDF(ctx context.Context, x dtm.Edition) ([]byte, error) {
	damaged := func(what string) error {
		return dtm.Errorf(dtm.Conflict, "the stored PDF of %s is damaged: %s; compare it with a backup", x.File(), what).At(x.PDF).Coded("release.part", x.File())
	}
	file, err := e.h.blobs.Open(ctx, x.PDF)
	if err != nil && dtm.KindOf(err) == dtm.NotFound {
		return nil, damaged("the file is missing")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	if err != nil {
		return nil, damaged(err.Error())
	}
	if got := release.Hash(b); got != x.PDFHash {
		return nil, damaged("its SHA-256 is " + got + ", not " + x.PDFHash)
	}
	return b, nil
}

// published is the last published edition of a report of a release; nil: it is as
// generated.
func (e *editor) published(ctx context.Context, of dtm.ReportText) (*dtm.Edition, error) {
	list, err := e.editions.Editions(ctx, of.Month, of.N)
	if err != nil {
		return nil, err
	}
	for i, x := range list {
		if x.Of == of && x.State == dtm.StatePublished {
			return &list[i], nil
		}
	}
	return nil, nil
}
