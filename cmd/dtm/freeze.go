package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/check"
	"dtm/disseminate/guard"
	"dtm/disseminate/overview"
	"dtm/disseminate/report"
	"dtm/locale"
)

// frozen is a month's release with all its parts in hand.
type frozen struct {
	dtm.FrozenRelease
	facts    warehouse.Frozen
	parts    map[string][]byte
	manifest release.Manifest
	checks   []release.Check
	changes  *release.Changes
}

// freeze makes the release that the month would have if it were frozen now: nothing
// is stored. A month that is not over or has no movements has checks only. Everything is
// computed from the canonical facts, as verify does. at is told each step as it begins.
func (h *house) freeze(ctx context.Context, m dtm.Month, at func(step string)) (*frozen, error) {
	at("reading the facts of " + m.String())
	if err := h.current(ctx); err != nil {
		return nil, err
	}
	var facts warehouse.Frozen
	err := h.facts.Read(ctx, func(rd warehouse.Reader) error {
		var err error
		facts, err = release.Read(ctx, rd, h.op.Code, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	list, err := h.db.FrozenReleases(ctx)
	if err != nil {
		return nil, err
	}
	op, err := h.operationAt(ctx, facts)
	if err != nil {
		return nil, err
	}
	f := &frozen{facts: facts}
	f.Month, f.N, f.Program = m, 1, version
	f.Seq, f.Hash, f.At = facts.At.Seq, facts.At.Hash, facts.At.At
	var before *dtm.FrozenRelease // the published one of the month
	for i, r := range list {
		if r.Month == m {
			f.N = max(f.N, r.N+1)
			if r.State == dtm.StatePublished && before == nil {
				before = &list[i]
			}
		}
	}
	f.Number = dtm.ReleaseNumber(m, f.N)
	// What stops a month whatever its reports say is said before they are made.
	totals, _ := release.Totals(f.facts, nil)
	if early := append([]release.Check{release.Over(op, f.At, m)}, totals...); release.Worst(early) == release.Stop {
		f.checks = early
		return f, nil
	}
	if err := h.compose(ctx, f, op, at); err != nil {
		return nil, err
	}
	at("checking the month against what was published before")
	if err := h.examine(ctx, f, list, before); err != nil {
		return nil, err
	}
	return f, f.seal(op)
}

// operationAt is the operation with its areas and points as they were at the last
// event of the facts. Unavailable while the facts are not those of that register: it
// is being changed.
func (h *house) operationAt(ctx context.Context, f warehouse.Frozen) (*dtm.Operation, error) {
	r, err := h.Register(ctx)
	if err != nil {
		return nil, err
	}
	areas, err := h.atlasAt(ctx, f.At.Seq)
	if err != nil {
		return nil, err
	}
	raw, err := release.EncodeOperation(h.op, areas, r.AsOf(f.At.Seq).On(dayIn(f.At.At, h.op.Zone)))
	if err != nil {
		return nil, err
	}
	op, err := release.DecodeOperation(raw)
	if err == nil && f.With != warehouse.NewPack(op).Fingerprint() {
		err = dtm.Errorf(dtm.Unavailable, "the register of points is just being changed; try again").Coded("release.register")
	}
	return op, err
}

// compose makes the parts that follow from facts and operation alone: facts in
// canonical form, figures, reports.
func (h *house) compose(ctx context.Context, f *frozen, op *dtm.Operation, at func(step string)) error {
	at("putting the facts in canonical form")
	f.parts = release.Encode(f.facts)
	raw, err := release.EncodeOperation(op, op.Atlas(), op.Network())
	if err != nil {
		return err
	}
	f.parts[release.PartOperation] = raw
	// Only what the parts hold may be in the figures.
	if op, err = release.DecodeOperation(raw); err != nil {
		return err
	}
	if f.facts, err = release.Decode(f.Month, f.facts.At, f.parts); err != nil {
		return err
	}
	wh, err := duckdb.Thaw(ctx, op, f.facts)
	if err != nil {
		return err
	}
	defer wh.Close()
	engine, err := indicator.New(op, wh)
	if err != nil {
		return err
	}
	figures := guard.New(release.Named(engine, f.FrozenRelease), op, guard.After(h.published.before(&f.FrozenRelease)), guard.Until(ctx))
	at("choosing what is withheld")
	list, err := chosenPatterns(ctx, figures, f.Month)
	if err != nil {
		return err
	}
	f.parts[release.PartPattern] = guard.EncodePatterns(list)
	f.checks = append(f.checks, release.Narrow(len(list[0].Open), op.Threshold))
	at("computing the figures")
	tables, err := release.Tables(ctx, figures, f.Month)
	if err != nil {
		return err
	}
	f.parts[release.PartFigures], f.parts[release.PartWithheld] = release.EncodeFigures(tables)
	var unbacked []string
	sentences := 0
	for _, l := range op.Languages {
		if locale.Known(l) != l {
			continue
		}
		at("printing the report (" + string(l) + ")")
		record := overview.NewRecord(figures)
		o, err := overview.Build(ctx, record, op, overview.Filter{From: f.Month, To: f.Month}, l)
		if err != nil {
			return err
		}
		if o.Empty {
			continue
		}
		sentences += len(o.Narrative)
		for _, s := range overview.Unbacked(o, op, append(slices.Clone(tables), record.Of("panel_movements")...)) {
			unbacked = append(unbacked, s.Text)
		}
		pdf, err := h.print(ctx, o, op, figures.Catalogue())
		if err != nil {
			return err
		}
		f.parts[release.ReportPart(l)] = pdf
	}
	f.checks = append(f.checks, release.Text(sentences, unbacked))
	return nil
}

// print lays an overview out as a PDF.
func (h *house) print(ctx context.Context, o *overview.Overview, op *dtm.Operation, catalogue []dtm.Indicator) ([]byte, error) {
	press, base, err := h.printer.start(h, op)
	if err != nil {
		return nil, err
	}
	d, err := report.FromOverview(o, op, base, catalogue)
	if err != nil {
		return nil, err
	}
	return report.Print(ctx, press, d)
}

// examine makes the checks, and what changed since the release before.
func (h *house) examine(ctx context.Context, f *frozen, list []dtm.FrozenRelease, before *dtm.FrozenRelease) error {
	checks := []release.Check{release.Over(h.op, f.At, f.Month)}
	checks = append(checks, release.Coverage(h.op, f.facts)...)
	faults, doubts, err := h.openFlags(ctx, f.Month)
	if err != nil {
		return err
	}
	checks = append(checks, release.Flags(faults, doubts))
	published, err := h.publishedTotals(ctx, list)
	if err != nil {
		return err
	}
	totals, months := release.Totals(f.facts, published)
	references, n, err := h.againstPublished(ctx, f.Month)
	if err != nil {
		return err
	}
	if n > 0 {
		totals = append(totals, references)
	}
	f.checks = slices.Concat(checks, totals, f.checks)
	if before == nil {
		return nil
	}
	c, err := h.compare(ctx, *before, f)
	if err != nil {
		return err
	}
	c.Months = months
	f.changes = c
	return nil
}

// againstPublished compares the figures of the month that were published elsewhere;
// n is how many there are.
func (h *house) againstPublished(ctx context.Context, m dtm.Month) (c release.Check, n int, err error) {
	compared, err := h.compareReferences(ctx, dtm.Months(m, m))
	if err != nil {
		return c, 0, err
	}
	rule, on := h.forms.rules()["month.reference"]
	var list []release.Item
	for _, c := range compared {
		if !on || !c.Differs(rule.Limit["units"]) {
			continue
		}
		now := "-"
		if c.Known {
			now = strconv.FormatFloat(c.Computed, 'f', c.Decimals, 64)
		}
		list = append(list, release.Item{Name: c.Indicator, Label: strconv.FormatFloat(c.Value, 'f', c.Decimals, 64) + " / " + now + " (" + c.Source + ")"})
	}
	return release.References(list, len(compared)), len(compared), nil
}

// compare tells what f says otherwise than an earlier release of its month.
func (h *house) compare(ctx context.Context, before dtm.FrozenRelease, f *frozen) (*release.Changes, error) {
	was, err := h.unpack(ctx, before)
	if err != nil {
		return nil, err
	}
	c := &release.Changes{Since: before.Number}
	var sources []string
	c.Points, sources = release.PointsOf(was.facts, f.facts, int64(h.op.Threshold))
	if c.Figures, err = release.FiguresOf(was.parts[release.PartFigures], was.parts[release.PartWithheld], f.parts[release.PartFigures], f.parts[release.PartWithheld]); err != nil {
		return nil, err
	}
	c.Reasons, err = h.reasons(ctx, before.Seq, f.Seq, sources)
	return c, err
}

// seal adds what was examined to the parts and makes the manifest.
func (f *frozen) seal(op *dtm.Operation) error {
	for name, v := range map[string]any{release.PartChecks: f.checks, release.PartChanges: f.changes} {
		if name == release.PartChanges && f.changes == nil {
			continue
		}
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			return err
		}
		f.parts[name] = append(b, '\n')
	}
	f.manifest = release.NewManifest(f.FrozenRelease, op, f.facts, f.parts)
	b, err := f.manifest.Bytes()
	f.Manifest, f.ManifestHash = b, release.Hash(b)
	return err
}

// openFlags counts the flags of the month, of records and of days, that nobody has
// decided on: faults and doubts.
func (h *house) openFlags(ctx context.Context, m dtm.Month) (faults, doubts int64, err error) {
	counts, err := h.db.FlagCounts(ctx, m)
	for _, c := range counts {
		switch {
		case c.State != dtm.FlagOpen:
		case c.Severity == check.Fault.Rank():
			faults += int64(c.N)
		case c.Severity == check.Doubt.Rank():
			doubts += int64(c.N)
		}
	}
	return faults, doubts, err
}

// publishedTotals are the totals of the latest published releases.
func (h *house) publishedTotals(ctx context.Context, list []dtm.FrozenRelease) ([]release.Published, error) {
	var out []release.Published
	seen := map[dtm.Month]bool{}
	for _, r := range list {
		if r.State != dtm.StatePublished || seen[r.Month] {
			continue
		}
		seen[r.Month] = true
		whole, err := h.db.FrozenRelease(ctx, r.Month, r.N)
		if err != nil {
			return nil, err
		}
		m, err := release.ReadManifest(whole.Manifest)
		if err != nil {
			return nil, err
		}
		out = append(out, release.Published{Month: r.Month, Release: r.Number, Total: m.Total})
	}
	return out, nil
}

// reasons tell why the facts of the sources changed between two events.
func (h *house) reasons(ctx context.Context, from, to int64, sources []string) ([]release.Reason, error) {
	changed := map[string]bool{}
	for _, s := range sources {
		changed[s] = true
	}
	count := map[release.Reason]int{}
	records := map[string]bool{} // that the log tells of: the others are imported rows
	files := map[string]bool{}
	for after := from; ; {
		batch, err := h.db.Events(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		if len(batch) == 0 || batch[0].Seq > to {
			break
		}
		for _, e := range batch {
			after = e.Seq
			if e.Seq > to {
				break
			}
			switch e.Name {
			case dtm.SubmissionReceived:
				var d struct {
					Deprecates string `json:"deprecates"`
				}
				_ = json.Unmarshal([]byte(e.Detail), &d) // absent is no edit
				if changed[e.Subject] || changed[d.Deprecates] {
					records[e.Subject], records[d.Deprecates] = true, true
					if d.Deprecates == "" {
						count[release.Reason{Kind: "late"}]++
						continue
					}
					count[release.Reason{Kind: "edit"}]++
				}
			case dtm.SubmissionCorrected, dtm.SubmissionReviewed:
				if !changed[e.Subject] {
					continue
				}
				r, err := h.whyOf(ctx, e)
				if err != nil {
					return nil, err
				}
				if records[e.Subject] = true; r.Kind != "" {
					count[r]++
				}
			case dtm.ChunkImported:
				var d struct {
					File string `json:"file"`
				}
				_ = json.Unmarshal([]byte(e.Detail), &d)
				files[d.File] = true
			case dtm.ImportWithdrawn:
				seq, _ := strconv.ParseInt(e.Subject, 10, 64)
				i, err := h.db.ImportRun(ctx, seq)
				if err != nil {
					return nil, err
				}
				if i.Withdrawn != nil {
					files[i.File+": "+i.Withdrawn.Why] = true
				}
			}
		}
	}
	rows := 0
	for s := range changed {
		if !records[s] {
			rows++
		}
	}
	if len(files) > 0 && rows > 0 {
		names := make([]string, 0, len(files))
		for f := range files {
			names = append(names, f)
		}
		slices.Sort(names)
		for _, n := range names {
			count[release.Reason{Kind: "import", Text: n}] = rows
		}
	}
	var out []release.Reason
	for r, n := range count {
		r.Records = n
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b release.Reason) int { return bytes.Compare([]byte(a.Kind+a.Text), []byte(b.Kind+b.Text)) })
	return out, nil
}

// whyOf is the reason that a reviewer gave in an event; without kind when the event
// brought none that changes figures.
func (h *house) whyOf(ctx context.Context, e dtm.Event) (release.Reason, error) {
	if e.Name == dtm.SubmissionCorrected {
		list, err := h.db.Corrections(ctx, e.Subject)
		for _, c := range list {
			if c.Seq == e.Seq {
				return release.Reason{Kind: "correction", Text: c.Why}, err
			}
		}
		return release.Reason{}, err
	}
	list, err := h.db.Verdicts(ctx, e.Subject)
	for _, v := range list {
		if v.Seq == e.Seq && v.To == dtm.StateRejected {
			return release.Reason{Kind: "rejection", Text: v.Why}, err
		}
	}
	return release.Reason{}, err
}

// propose stores a frozen month with its parts.
func (h *house) propose(ctx context.Context, f *frozen, note string) (dtm.FrozenRelease, error) {
	r := f.FrozenRelease
	r.Note, r.Parts = note, map[string]string{}
	for name, b := range f.parts {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write(b); err != nil {
			return r, err
		}
		if err := w.Close(); err != nil {
			return r, err
		}
		address, _, err := h.blobs.Put(ctx, &z)
		if err != nil {
			return r, err
		}
		r.Parts[name] = address
	}
	return h.db.AddRelease(ctx, r)
}

// frozenRows reads a part of a release that is CSV, its head the first row: Conflict when
// it is not what the manifest says. of names a release as a list has it.
func (h *house) frozenRows(ctx context.Context, of dtm.FrozenRelease, part string) ([][]string, error) {
	r, err := h.db.FrozenRelease(ctx, of.Month, of.N)
	if err != nil {
		return nil, err
	}
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		return nil, err
	}
	b, err := h.part(ctx, r, m, part)
	if err != nil {
		return nil, err
	}
	return csv.NewReader(bytes.NewReader(b)).ReadAll()
}

// part reads a part back: Conflict when it is not what the manifest says.
func (h *house) part(ctx context.Context, r dtm.FrozenRelease, m release.Manifest, name string) ([]byte, error) {
	p, ok := m.Part(name)
	if !ok {
		return nil, dtm.Errorf(dtm.NotFound, "release %s has no part %s", r.Number, name).Coded("release.no_part", r.Number, name)
	}
	damaged := func(what string) error {
		return dtm.Errorf(dtm.Conflict, "the stored part %s of release %s is damaged: %s; compare it with a backup", name, r.Number, what).At(r.Parts[name]).Coded("release.part", name)
	}
	file, err := h.blobs.Open(ctx, r.Parts[name])
	if dtm.KindOf(err) == dtm.NotFound && err != nil {
		return nil, damaged("the file is missing")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, damaged(err.Error())
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, damaged(err.Error())
	}
	if got := release.Hash(b); got != p.SHA256 {
		return nil, damaged("its content has SHA-256 " + got + ", not " + p.SHA256)
	}
	return b, nil
}

// opened reads what a stored release says of itself.
func (h *house) opened(ctx context.Context, r dtm.FrozenRelease) (release.Opened, error) {
	var o release.Opened
	if got := release.Hash(r.Manifest); got != r.ManifestHash {
		return o, dtm.Errorf(dtm.Conflict, "the manifest of release %s has SHA-256 %s, not %s; compare it with a backup", r.Number, got, r.ManifestHash).At("manifest.json").Coded("release.part", "manifest.json")
	}
	var err error
	if o.Manifest, err = release.ReadManifest(r.Manifest); err != nil {
		return o, err
	}
	for name, into := range map[string]any{release.PartChecks: &o.Checks, release.PartChanges: &o.Changes} {
		if _, ok := o.Manifest.Part(name); !ok {
			continue
		}
		b, err := h.part(ctx, r, o.Manifest, name)
		if err != nil {
			return o, err
		}
		if err := json.Unmarshal(b, into); err != nil {
			return o, dtm.Errorf(dtm.Conflict, "the part %s of release %s cannot be read: %w", name, r.Number, err).At(name).Coded("release.part", name)
		}
	}
	return o, nil
}

// unpack reads a stored release whole.
func (h *house) unpack(ctx context.Context, r dtm.FrozenRelease) (*frozen, error) {
	if len(r.Manifest) == 0 {
		var err error
		if r, err = h.db.FrozenRelease(ctx, r.Month, r.N); err != nil {
			return nil, err
		}
	}
	o, err := h.opened(ctx, r)
	if err != nil {
		return nil, err
	}
	f := &frozen{FrozenRelease: r, parts: map[string][]byte{}, manifest: o.Manifest, checks: o.Checks, changes: o.Changes}
	for _, p := range f.manifest.Parts {
		if f.parts[p.Name], err = h.part(ctx, r, f.manifest, p.Name); err != nil {
			return nil, err
		}
	}
	f.facts, err = release.Decode(r.Month, warehouse.Position{Seq: r.Seq, Hash: r.Hash, At: r.At}, f.parts)
	return f, err
}
