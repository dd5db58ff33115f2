package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"dtm"
	"dtm/analyse/load"
	"dtm/analyse/release"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/gather/bulk"
)

// mostNamed is how many differing lines of a part are named.
const mostNamed = 10

// verification is what was found about a release, in the order it was looked at.
type verification struct {
	Good   []string
	Faults []string
}

func (v *verification) good(format string, a ...any) {
	v.Good = append(v.Good, fmt.Sprintf(format, a...))
}
func (v *verification) fault(format string, a ...any) {
	v.Faults = append(v.Faults, fmt.Sprintf(format, a...))
}

// verify reads a release's parts back, computes it again from the event log up to
// its last event, and compares both bit for bit. What is wrong with the release or
// with the log is in the result; the error is of what could not be done.
func (h *house) verify(ctx context.Context, r dtm.FrozenRelease) (*verification, error) {
	v := &verification{}
	if err := h.db.Verify(ctx); err != nil {
		if dtm.KindOf(err) != dtm.Conflict {
			return nil, err
		}
		v.fault("%v", err)
	} else {
		v.good("the event log is unbroken")
	}
	if err := h.verifyEntry(ctx, v, r); err != nil {
		return nil, err
	}
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		v.fault("%v", err)
		return v, nil
	}
	stored := map[string][]byte{}
	for _, p := range m.Parts {
		b, err := h.part(ctx, r, m, p.Name)
		if err != nil {
			if dtm.KindOf(err) == dtm.Internal {
				return nil, err
			}
			v.fault("%v", err)
			continue
		}
		stored[p.Name] = b
	}
	if len(stored) == len(m.Parts) {
		v.good("%d parts have the hashes of the manifest", len(stored))
	}
	op, err := release.DecodeOperation(stored[release.PartOperation])
	if err != nil {
		v.fault("nothing can be computed again without the operation as it was: %v", err)
		return v, nil
	}
	if err := h.verifyRegister(ctx, v, r, op); err != nil {
		return nil, err
	}
	made, err := h.recompute(ctx, v, r, op)
	if err != nil || made == nil {
		return v, err
	}
	equal := 0
	for _, p := range m.Parts {
		b, ok := made.parts[p.Name]
		if !ok {
			continue // checks and changes say what was looked at then; their hashes were compared
		}
		if p.Name == release.PartOperation {
			continue
		}
		if release.Hash(b) == p.SHA256 {
			equal++
			continue
		}
		pdf := filepath.Ext(p.Name) == ".pdf"
		switch {
		case pdf && r.Program != version:
			v.good("%s was laid out by program %s and is not by this one (%s): its hash stands", p.Name, r.Program, version)
		case pdf || stored[p.Name] == nil:
			v.fault("%s: computed from the log it has SHA-256 %s, the release has %s", p.Name, release.Hash(b), p.SHA256)
		default:
			v.fault("%s: computed from the log it is not what the release has", p.Name)
			for _, d := range release.Differences(p.Name, release.Spelled(p.Name, stored), release.Spelled(p.Name, made.parts), mostNamed) {
				v.fault("  %s:%d: the release has %q, the log says %q", d.Part, d.Line, d.Was, d.Is)
			}
		}
	}
	if err := h.verifyEditions(ctx, v, r); err != nil {
		return nil, err
	}
	if equal > 0 {
		v.good("%d parts computed again from %d events, equal byte for byte", equal, r.Seq)
	}
	return v, nil
}

// verifyEditions holds the published texts about the release against the entries that
// proposed them, and prints them again from the release's figures and the writers' words.
func (h *house) verifyEditions(ctx context.Context, v *verification, r dtm.FrozenRelease) error {
	list, err := h.db.Editions(ctx, r.Month, r.N)
	if err != nil {
		return err
	}
	equal := 0
	for _, e := range list {
		if e.State != dtm.StatePublished {
			continue
		}
		es, err := h.db.Events(ctx, e.Logged-1, 1)
		if err != nil {
			return err
		}
		var d struct {
			Words string `json:"words_sha256"`
			PDF   string `json:"pdf_sha256"`
		}
		words, err := json.Marshal(e.Words)
		if err != nil {
			return err
		}
		if len(es) == 0 || es[0].Name != dtm.EditionProposed || es[0].Subject != e.Of.Subject() || json.Unmarshal([]byte(es[0].Detail), &d) != nil || d.PDF != e.PDFHash || d.Words != release.Hash(words) {
			v.fault("%s: entry %d of the log recorded other words or another PDF", e.File(), e.Logged)
			continue
		}
		if _, err := h.editor.PDF(ctx, e); err != nil {
			v.fault("%v", err)
			continue
		}
		if r.State == dtm.StateWithdrawn {
			continue // its figures are no longer given out
		}
		draft, err := h.editor.draft(ctx, e.Of)
		var pdf []byte
		if err == nil {
			pdf, err = draft.print(ctx, h, e.Words)
		}
		switch {
		case err == nil && release.Hash(pdf) == e.PDFHash:
			equal++
		case e.Program != version:
			v.good("%s was laid out by program %s and is not by this one (%s): its hash stands", e.File(), e.Program, version)
		case err != nil:
			v.fault("%s cannot be made again: %v", e.File(), err)
		default:
			v.fault("%s: made again from the release's figures it has SHA-256 %s, the edition has %s", e.File(), release.Hash(pdf), e.PDFHash)
		}
	}
	if equal > 0 {
		v.good("%d texts of reports printed again, equal byte for byte", equal)
	}
	return nil
}

// verifyEntry holds the release against the entry of the log that proposed it.
func (h *house) verifyEntry(ctx context.Context, v *verification, r dtm.FrozenRelease) error {
	es, err := h.db.Events(ctx, r.Logged-1, 1)
	if err != nil {
		return err
	}
	var d struct {
		SHA256 string `json:"sha256"`
	}
	got := release.Hash(r.Manifest)
	if len(es) == 0 || es[0].Seq != r.Logged || es[0].Name != dtm.ReleaseProposed || es[0].Subject != r.Number || json.Unmarshal([]byte(es[0].Detail), &d) != nil {
		v.fault("entry %d of the log does not record release %s", r.Logged, r.Number)
	} else if d.SHA256 != got {
		v.fault("manifest.json: its SHA-256 is %s, entry %d of the log recorded %s", got, r.Logged, d.SHA256)
	} else {
		v.good("the manifest is the one that entry %d of the log recorded", r.Logged)
	}
	if es, err = h.db.Events(ctx, r.Seq-1, 1); err != nil {
		return err
	}
	if len(es) == 0 || es[0].Seq != r.Seq || es[0].Hash != r.Hash {
		v.fault("entry %d of the log is not the one that the release ends with", r.Seq)
	}
	return nil
}

// verifyRegister tells whether the operation of the release is the pack of today with
// the register of points as it was. A pack may be changed, by its owner or with a new
// program: then the release's own, which the log vouches for by its hash, stands.
func (h *house) verifyRegister(ctx context.Context, v *verification, r dtm.FrozenRelease, op *dtm.Operation) error {
	register, err := h.Register(ctx)
	if err != nil {
		return err
	}
	kept, err := release.EncodeOperation(op, op.Atlas(), op.Points)
	if err != nil {
		return err
	}
	areas, err := h.atlasAt(ctx, r.Seq)
	if err != nil {
		return err
	}
	then, err := release.EncodeOperation(h.op, areas, register.AsOf(r.Seq).On(dayIn(r.At, h.op.Zone)))
	if err != nil {
		return err
	}
	if bytes.Equal(kept, then) {
		v.good("%s is the pack with areas and points as they were at entry %d", release.PartOperation, r.Seq)
	} else {
		v.good("%s is of another pack, or other settings, than this folder has now: the release's own is used", release.PartOperation)
	}
	return nil
}

// recompute loads the log up to the release's last event into a new warehouse and
// composes the release anew. nil: it cannot be, and the verification says why.
func (h *house) recompute(ctx context.Context, v *verification, r dtm.FrozenRelease, op *dtm.Operation) (*frozen, error) {
	dir, err := os.MkdirTemp("", "dtm-verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	wh, err := duckdb.Open(ctx, filepath.Join(dir, "facts.duckdb"), op)
	if err != nil {
		return nil, err
	}
	defer wh.Close()
	forms := &formCache{op: op, forms: h.db}
	rules := h.forms.rules() // they flag and do not count
	forms.inUse.Store(&rules)
	l := &load.Loader{Operation: op, Events: logUntil{h.db, r.Seq}, Submissions: h.db, Chunks: soundChunks{h.db, v}, Warehouse: wh, Until: r.Seq,
		DecodeChunk: bulk.Decode, DecodeSubmission: forms.facts}
	if _, err := l.CatchUp(ctx); err != nil {
		if dtm.KindOf(err) == dtm.Internal {
			return nil, err
		}
		v.fault("the log cannot be loaded up to entry %d: %v", r.Seq, err)
		return nil, nil
	}
	f := &frozen{FrozenRelease: r}
	err = wh.Read(ctx, func(rd warehouse.Reader) error {
		f.facts, err = release.Read(ctx, rd, op.Code, r.Month)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Where facts differ so do figures and reports: the facts are what is to be named.
	f.parts = release.Encode(f.facts)
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		return nil, err
	}
	for _, name := range release.FactParts {
		if p, has := m.Part(name); has && p.SHA256 != release.Hash(f.parts[name]) {
			return f, nil
		}
	}
	return f, h.compose(ctx, f, op, untold)
}

// logUntil is the log up to one of its events.
type logUntil struct {
	log  load.Events
	last int64
}

// Events returns none after the last.
func (l logUntil) Events(ctx context.Context, after int64, limit int) ([]dtm.Event, error) {
	list, err := l.log.Events(ctx, after, limit)
	return slices.DeleteFunc(list, func(e dtm.Event) bool { return e.Seq > l.last }), err
}

// Wait waits for an event of the whole log.
func (l logUntil) Wait(ctx context.Context, after int64) error { return l.log.Wait(ctx, after) }

// soundChunks holds imported rows against the hash that the log names them by. Rows
// that were changed are read all the same, so that the facts they spoil are named.
type soundChunks struct {
	load.Chunks
	v *verification
}

// Chunk returns a chunk and notes when it is not what its hash names.
func (s soundChunks) Chunk(ctx context.Context, hash string) (dtm.Chunk, error) {
	c, err := s.Chunks.Chunk(ctx, hash)
	if sum := sha256.Sum256(c.Data); err == nil && hex.EncodeToString(sum[:]) != hash {
		s.v.fault("the rows imported from %s (%s) were changed", c.File, hash)
	}
	return c, err
}
