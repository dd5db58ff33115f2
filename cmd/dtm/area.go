package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/gather/boundary"
	"dtm/locale"
	"dtm/web"
)

var _ web.Areas = (*house)(nil)

// kept is an Atlas as it lies in the blob store.
type kept struct {
	Areas      []dtm.Area      `json:"areas"`
	Boundaries json.RawMessage `json:"boundaries"`
}

// AreaVersions lists the replacements of the areas, oldest first.
func (h *house) AreaVersions(ctx context.Context, seq int64) ([]dtm.AreaVersion, error) {
	return h.db.AreaVersions(ctx, seq)
}

// Atlas gives the areas of a version: NotFound.
func (h *house) Atlas(ctx context.Context, n int) (*dtm.Atlas, error) {
	if n == 0 {
		return &dtm.Atlas{Areas: h.op.Areas, Boundaries: h.op.Boundaries}, nil
	}
	list, err := h.db.AreaVersions(ctx, 0)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > len(list) {
		return nil, noAreaVersion(n)
	}
	return h.atlasOf(ctx, list[n-1])
}

func noAreaVersion(n int) error {
	return dtm.Errorf(dtm.NotFound, "there is no version %d of the areas; `dtm area list` shows them", n).Coded("area.version", n)
}

func (h *house) atlasOf(ctx context.Context, v dtm.AreaVersion) (*dtm.Atlas, error) {
	b, err := h.blob(ctx, v.Atlas)
	if err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, dtm.Errorf(dtm.Conflict, "version %d of the areas is damaged: %w; compare it with a backup", v.N, err).Coded("area.damaged", v.N)
	}
	return &dtm.Atlas{Version: v.N, Areas: k.Areas, Boundaries: k.Boundaries}, nil
}

// blob reads a kept file whole: Conflict when it is not what its address says.
func (h *house) blob(ctx context.Context, address string) ([]byte, error) {
	if err := readBack(ctx, h.blobs, address); err != nil {
		return nil, err
	}
	in, err := h.blobs.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// atlasAt is the areas that were in use after event seq; 0: those in use now.
func (h *house) atlasAt(ctx context.Context, seq int64) (*dtm.Atlas, error) {
	list, err := h.db.AreaVersions(ctx, seq)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return h.Atlas(ctx, 0)
	}
	return h.atlasOf(ctx, list[len(list)-1])
}

// followAreas brings the operation, which every room holds, up to the areas in use.
func (h *house) followAreas(ctx context.Context) error {
	a, err := h.atlasAt(ctx, 0)
	if err == nil {
		h.op.FollowAtlas(a)
	}
	return err
}

// UploadAreas keeps files of boundaries as they came, for a check: the number that
// names them.
func (h *house) UploadAreas(ctx context.Context, files []boundary.File) (int64, error) {
	kept, err := h.keepAreaFiles(ctx, files)
	if err != nil {
		return 0, err
	}
	detail, err := json.Marshal(map[string]any{"files": kept})
	if err != nil {
		return 0, err
	}
	if err := h.db.Record(ctx, dtm.AreasUploaded, "areas", string(detail)); err != nil {
		return 0, err
	}
	list, err := h.db.FindEvents(ctx, dtm.EventFilter{Name: dtm.AreasUploaded, Limit: 20})
	for _, e := range list {
		if e.Detail == string(detail) {
			return e.Seq, err
		}
	}
	return 0, err
}

func (h *house) keepAreaFiles(ctx context.Context, files []boundary.File) ([]dtm.AreaFile, error) {
	var out []dtm.AreaFile
	for _, f := range files {
		address, size, err := h.blobs.Put(ctx, bytes.NewReader(f.Data))
		if err != nil {
			return nil, err
		}
		out = append(out, dtm.AreaFile{Name: filepath.Base(f.Name), Hash: address, Size: size})
	}
	return out, nil
}

// UploadedAreas gives the files of an upload: NotFound.
func (h *house) UploadedAreas(ctx context.Context, seq int64) ([]boundary.File, error) {
	list, err := h.db.Events(ctx, seq-1, 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Seq != seq || list[0].Name != dtm.AreasUploaded {
		return nil, dtm.Errorf(dtm.NotFound, "there is no such upload of areas").Coded("area.upload")
	}
	var d struct{ Files []dtm.AreaFile }
	if err := json.Unmarshal([]byte(list[0].Detail), &d); err != nil {
		return nil, err
	}
	var out []boundary.File
	for _, f := range d.Files {
		b, err := h.blob(ctx, f.Hash)
		if err != nil {
			return nil, err
		}
		out = append(out, boundary.File{Name: f.Name, Data: b})
	}
	return out, nil
}

// CheckAreas tells what files of boundaries would change, and changes nothing.
func (h *house) CheckAreas(ctx context.Context, files []boundary.File, names bool) (*boundary.Result, error) {
	uses, err := h.areaUses(ctx)
	if err != nil {
		return nil, err
	}
	return boundary.Check(h.op, files, uses, names), nil
}

// ReplaceAreas takes files of boundaries into use. names: with the names in them;
// retire: areas that something names and the files do not have keep their names. seen
// is the newest version that the caller looked at: Conflict. Invalid when the files
// have faults, or retire is not said where it is needed.
func (h *house) ReplaceAreas(ctx context.Context, files []boundary.File, names, retire bool, reason string, seen int) (dtm.AreaVersion, error) {
	var v dtm.AreaVersion
	r, err := h.CheckAreas(ctx, files, names)
	if err != nil {
		return v, err
	}
	if len(r.Faults) > 0 {
		return v, dtm.Errorf(dtm.Invalid, "the files have faults; the first: %s", r.Faults[0]).Coded("area.faults", len(r.Faults), dtm.At(r.Faults[0].Where))
	}
	gone := r.InUse()
	if len(gone) > 0 && !retire {
		return v, dtm.Errorf(dtm.Invalid, "%d areas that are in use are not in the files, the first of them %s; say that they are to be retired, or move what uses them first", len(gone), gone[0].Code).Coded("area.retire", len(gone), gone[0].Code)
	}
	if v.Files, err = h.keepAreaFiles(ctx, files); err != nil {
		return v, err
	}
	for _, g := range gone {
		v.Gone = append(v.Gone, g.Code)
	}
	v.Reason = reason
	return h.takeAtlas(ctx, v, r.Atlas, seen)
}

// RestoreAreas takes an earlier version into use again, 0 for the pack's own. Areas that
// are in use and not in it are retired.
func (h *house) RestoreAreas(ctx context.Context, n int, reason string, seen int) (dtm.AreaVersion, error) {
	v := dtm.AreaVersion{Backs: &n, Reason: reason}
	was, err := h.Atlas(ctx, n)
	if err != nil {
		return v, err
	}
	if n == seen {
		return v, dtm.Errorf(dtm.Conflict, "version %d is in use already", n).Coded("area.already", n)
	}
	uses, err := h.areaUses(ctx)
	if err != nil {
		return v, err
	}
	atlas, gone := boundary.Keep(was, h.op.Atlas(), uses)
	v.Gone = gone
	return h.takeAtlas(ctx, v, atlas, seen)
}

// takeAtlas keeps the areas, records the version and has everything follow it.
func (h *house) takeAtlas(ctx context.Context, v dtm.AreaVersion, a *dtm.Atlas, seen int) (dtm.AreaVersion, error) {
	b, err := json.Marshal(kept{a.Areas, a.Boundaries})
	if err != nil {
		return v, err
	}
	if v.Atlas, _, err = h.blobs.Put(ctx, bytes.NewReader(b)); err != nil {
		return v, err
	}
	v.Counts = make([]int, 2)
	for _, x := range a.Areas {
		if !x.Retired && x.Level <= 2 {
			v.Counts[x.Level-1]++
		}
	}
	if v, err = h.db.ReplaceAreas(ctx, v, seen); err != nil {
		return v, err
	}
	return v, h.followAreas(ctx)
}

// AreaFile reads a file that a version was made of, by its place in it: NotFound.
func (h *house) AreaFile(ctx context.Context, n, i int) (string, []byte, error) {
	list, err := h.db.AreaVersions(ctx, 0)
	if err != nil {
		return "", nil, err
	}
	if n < 1 || n > len(list) || i < 0 || i >= len(list[n-1].Files) {
		return "", nil, noAreaVersion(n)
	}
	f := list[n-1].Files[i]
	b, err := h.blob(ctx, f.Hash)
	return f.Name, b, err
}

// areaUses finds where P-codes are in use: the places of points on any day, facts, the
// forms' lists of choices, releases, indicators of the pack.
func (h *house) areaUses(ctx context.Context) (map[string][]dtm.AreaUse, error) {
	uses := map[string][]dtm.AreaUse{}
	add := func(code, kind, name string) {
		if u := (dtm.AreaUse{Kind: kind, Name: name}); code != "" && !slices.Contains(uses[code], u) {
			uses[code] = append(uses[code], u)
		}
	}
	for _, p := range h.op.Network() {
		for _, at := range append([]dtm.Since[dtm.Place]{{Value: dtm.Place{Area: p.Area, Area2: p.Area2}}}, p.Places...) {
			add(at.Value.Area, "point", p.Code)
			add(at.Value.Area2, "point", p.Code)
		}
	}
	if err := h.current(ctx); err != nil {
		return nil, err
	}
	if err := h.countedUses(ctx, add); err != nil {
		return nil, err
	}
	for _, i := range h.op.Indicators {
		for _, code := range i.Where["region"] {
			add(code, "indicator", i.ID)
		}
	}
	known := map[string]bool{}
	for _, a := range h.op.Atlas().Areas {
		known[a.Code] = true
	}
	forms, err := h.db.Forms(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range forms {
		form, err := h.forms.form(ctx, f.ID, "")
		if err != nil {
			return nil, err
		}
		if form == nil {
			continue // an XForm without its workbook
		}
		for _, l := range form.Lists {
			for _, c := range l.Choices {
				if known[c.Name] {
					add(c.Name, "form", f.ID+": "+l.Name)
				}
			}
		}
	}
	if err := h.releaseUses(ctx, add); err != nil {
		return nil, err
	}
	// What is above an area in use is in use.
	for _, a := range h.op.Atlas().Areas {
		if len(uses[a.Code]) > 0 {
			add(a.Parent, "area", a.Code)
		}
	}
	return uses, nil
}

// located are, for each kind of facts that names areas, an indicator that counts all of
// them and the levels that it is split by.
var located = []struct {
	facts, indicator string
	levels           []string
}{
	{indicator.Movements, "total_movements", []string{"region"}},
	{indicator.Presence, "site_days_counted", []string{"region", "area"}},
	{indicator.Interviews, "interviews", []string{"region"}},
	{indicator.Needs, "people_screened", []string{"region"}},
	{indicator.Incidents, "incidents", []string{"region", "area"}},
}

// countedUses finds the areas that anything was counted under, and in which months.
func (h *house) countedUses(ctx context.Context, add func(code, kind, name string)) error {
	span, err := h.figures.Span(ctx)
	if err != nil || span.From.IsZero() {
		return err
	}
	for _, l := range located {
		for _, level := range l.levels {
			t, err := h.figures.Table(ctx, dtm.Query{Indicator: l.indicator, Period: span, By: []string{level, "month"}})
			if err != nil {
				return err
			}
			months := map[string][]string{}
			for _, f := range t.Figures {
				if f.Value != nil && *f.Value > 0 {
					months[f.Keys[0]] = append(months[f.Keys[0]], f.Keys[1])
				}
			}
			for code, list := range months {
				add(code, l.facts, strings.Join(slices.Compact([]string{slices.Min(list), slices.Max(list)}), " – "))
			}
		}
	}
	return nil
}

// releaseUses finds the regions that releases count under.
func (h *house) releaseUses(ctx context.Context, add func(code, kind, name string)) error {
	list, err := h.db.FrozenReleases(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		rows, err := h.frozenRows(ctx, r, release.PartCells)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		at := slices.Index(rows[0], "region")
		for _, row := range rows[1:] {
			if at >= 0 {
				add(row[at], "release", r.Number)
			}
		}
	}
	return nil
}

func runAreaList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	codes := fs.Bool("codes", false, "the areas in use, each with its P-code")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	if *codes {
		fmt.Fprintln(w, "code\tlevel\tin\tname\tstate")
		for _, a := range h.op.Atlas().Areas {
			state := "-"
			if a.Retired {
				state = locale.Say(dtm.Lang(*lang), "area.retired")
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", a.Code, a.Level, orDash(a.Parent), a.Name.In(dtm.Lang(*lang)), state)
		}
		return w.Flush()
	}
	list, err := h.db.AreaVersions(ctx, 0)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "version\tsince\tby\tlevel 1\tlevel 2\tretired\tfiles\treason")
	counts := make([]int, 3)
	for _, a := range h.op.Areas {
		counts[min(a.Level, 2)]++
	}
	fmt.Fprintf(w, "0\t-\t-\t%d\t%d\t-\t(the pack)\t-\n", counts[1], counts[2])
	for _, v := range list {
		var files []string
		for _, f := range v.Files {
			files = append(files, f.Name)
		}
		if v.Backs != nil {
			files = append(files, fmt.Sprintf("(version %d again)", *v.Backs))
		}
		for len(v.Counts) < 2 {
			v.Counts = append(v.Counts, 0)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", v.N, v.At.In(h.op.Zone).Format("2006-01-02 15:04"), v.Actor, v.Counts[0], v.Counts[1], orDash(strings.Join(v.Gone, ", ")), orDash(strings.Join(files, ", ")), orDash(v.Reason))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "in use: version %d\n", len(list))
	return nil
}

// areaFiles reads the files of a command.
func (c *call) areaFiles(names []string) ([]boundary.File, error) {
	var out []boundary.File
	for _, name := range names {
		st, err := os.Stat(c.path(name))
		if err != nil {
			return nil, dtm.Errorf(dtm.NotFound, "the file cannot be read: %w", err).At(name)
		}
		if st.Size() > boundary.MostBytes {
			return nil, dtm.Errorf(dtm.TooLarge, "the file is larger than %d MB; simplify the outlines first", boundary.MostBytes>>20).At(name)
		}
		b, err := os.ReadFile(c.path(name))
		if err != nil {
			return nil, dtm.Errorf(dtm.NotFound, "the file cannot be read: %w", err).At(name)
		}
		out = append(out, boundary.File{Name: filepath.Base(name), Data: b})
	}
	return out, nil
}

func runAreaCheck(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	names, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	files, err := c.areaFiles(names)
	if err != nil {
		return err
	}
	r, err := h.CheckAreas(ctx, files, false)
	if err != nil {
		return err
	}
	c.printAreas(r, dtm.Lang(*lang))
	if len(r.Faults) > 0 {
		return errSaid
	}
	return nil
}

// printAreas says what files would change; faults go to standard error.
func (c *call) printAreas(r *boundary.Result, l dtm.Lang) {
	for _, f := range r.Faults {
		fmt.Fprintln(c.err, locale.Error(l, f))
	}
	for _, d := range r.Doubts {
		fmt.Fprintln(c.out, locale.Say(l, "area.look"), locale.Error(l, d))
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(c.err, locale.Say(l, "area.faults", len(r.Faults)))
		return
	}
	for _, a := range r.Added {
		fmt.Fprintln(c.out, locale.Say(l, "area.line.added", a.Code, a.Name, a.Level))
	}
	for _, a := range r.Missing {
		fmt.Fprintln(c.out, locale.Say(l, "area.line.missing", a.Code, a.Name, a.Level), areaUseText(a.Uses, l))
	}
	for _, x := range r.Renamed {
		fmt.Fprintln(c.out, locale.Say(l, "area.line.renamed", x.Code, string(x.Lang), x.Is, x.To))
	}
	if r.Kept {
		fmt.Fprintln(c.out, locale.Say(l, "area.kept"))
	}
	fmt.Fprintln(c.out, locale.Say(l, "area.read", r.Read[1], r.Read[2]), locale.Say(l, "area.differs", len(r.Added), len(r.Missing), len(r.Renamed)))
}

func areaUseText(uses []dtm.AreaUse, l dtm.Lang) string {
	if len(uses) == 0 {
		return locale.Say(l, "area.unused")
	}
	var out []string
	for _, u := range uses {
		out = append(out, locale.Say(l, "area.use."+u.Kind, u.Name))
	}
	return locale.Say(l, "area.used", strings.Join(out, ", "))
}

func runAreaReplace(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	take := fs.Bool("names", false, "take the names in the files; without it areas that there are already keep theirs")
	retire := fs.Bool("retire", false, "areas in use that the files do not have keep their names, without an outline")
	reason := fs.String("reason", "", "why, for those who read the history")
	names, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	files, err := c.areaFiles(names)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	r, err := h.CheckAreas(ctx, files, *take)
	if err != nil {
		return err
	}
	c.printAreas(r, l)
	if len(r.Faults) > 0 {
		return errSaid
	}
	v, err := h.ReplaceAreas(ctx, files, *take, *retire, *reason, h.op.Atlas().Version)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, locale.Say(l, "area.done", v.N, strconv.FormatInt(v.Seq, 10)))
	return nil
}

func runAreaRestore(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	reason := fs.String("reason", "", "why, for those who read the history")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return wrongUse("%q is no version; `dtm area list` shows them", args[0])
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	v, err := h.RestoreAreas(ctx, n, *reason, h.op.Atlas().Version)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, locale.Say(dtm.Lang(*lang), "area.done", v.N, strconv.FormatInt(v.Seq, 10)))
	return nil
}
