package main

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/disseminate/guard"
)

// shelf answers from frozen releases. A release is thawed into memory when it is
// first asked for; the few last used stay there.
type shelf struct {
	h *house

	mu    sync.Mutex
	books *simplelru.LRU[string, *book] // by number and hash
	used  []*book                       // open ones, the last used last
}

// mostOpen is how many releases are in memory at once, mostKnown of how many what was
// computed of them is: each keeps answers and patterns of its own.
const mostOpen, mostKnown = 4, 8

// book is one release on the shelf.
type book struct {
	shelf  *shelf
	source dtm.Source
	at     warehouse.Position

	once sync.Once // reads the operation and makes the engine
	err  error

	mu      sync.Mutex
	facts   *duckdb.Warehouse // nil: not in memory
	readers int
	drop    bool // to be closed by the last reader
}

var _ dtm.Sources = (*shelf)(nil)

// Source picks the figures that were asked for.
func (s *shelf) Source(ctx context.Context, asked string, month dtm.Month) (dtm.Source, error) {
	live := dtm.Source{Figures: s.h.public, Operation: s.h.op}
	if asked == dtm.ReleaseProvisional || asked == "" && month.IsZero() {
		return live, nil
	}
	if asked != "" && asked != dtm.ReleaseLatest {
		m, n, err := dtm.ParseReleaseNumber(asked)
		if err != nil {
			return dtm.Source{}, err
		}
		r, err := s.h.db.FrozenRelease(ctx, m, n)
		if err != nil {
			return dtm.Source{}, err
		}
		switch r.State {
		case dtm.StatePublished:
			return s.source(ctx, r)
		case dtm.StateWithdrawn:
			return dtm.Source{}, dtm.Errorf(dtm.Gone, "release %s was withdrawn: %s", r.Number, r.Reason).Coded("release.withdrawn", r.Number, r.Reason)
		}
		// What is proposed is nobody's to quote.
		return dtm.Source{}, dtm.Errorf(dtm.NotFound, "there is no release %s", r.Number).Coded("release.unknown", r.Number)
	}
	list, err := s.h.db.FrozenReleases(ctx)
	if err != nil {
		return dtm.Source{}, err
	}
	i := slices.IndexFunc(list, func(r dtm.FrozenRelease) bool {
		return r.State == dtm.StatePublished && (month.IsZero() || r.Month == month)
	})
	switch {
	case i >= 0:
		return s.source(ctx, list[i])
	case asked == "":
		return live, nil
	case month.IsZero():
		return dtm.Source{}, dtm.Errorf(dtm.NotFound, "no month has been released yet").Coded("release.none")
	}
	return dtm.Source{}, dtm.Errorf(dtm.NotFound, "%s has not been released yet", month).Coded("release.none_of", month.String())
}

// source gives the figures of a release, whatever its state.
func (s *shelf) source(ctx context.Context, r dtm.FrozenRelease) (dtm.Source, error) {
	key := r.Number + " " + r.ManifestHash
	s.mu.Lock()
	if s.books == nil {
		var err error
		if s.books, err = simplelru.NewLRU[string, *book](mostKnown, nil); err != nil {
			panic(err) // the size is not positive
		}
	}
	b, ok := s.books.Get(key)
	if !ok {
		b = &book{shelf: s, at: warehouse.Position{Seq: r.Seq, Hash: r.Hash, At: r.At}}
		s.books.Add(key, b)
	}
	s.mu.Unlock()
	b.once.Do(func() { b.err = b.prepare(context.WithoutCancel(ctx), r) })
	if b.err != nil {
		s.mu.Lock()
		s.books.Remove(key) // a disk may come back
		s.mu.Unlock()
	}
	return b.source, b.err
}

func (b *book) prepare(ctx context.Context, r dtm.FrozenRelease) error {
	h := b.shelf.h
	r, err := h.db.FrozenRelease(ctx, r.Month, r.N)
	if err != nil {
		return err
	}
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		return err
	}
	raw, err := h.part(ctx, r, m, release.PartOperation)
	if err != nil {
		return err
	}
	op, err := release.DecodeOperation(raw)
	if err != nil {
		return err
	}
	engine, err := indicator.New(op, b)
	if err != nil {
		return err
	}
	options := []guard.Option{guard.After(h.published.before(&r))}
	stored, err := h.pattern(ctx, r)
	if err != nil {
		return err
	}
	if stored != nil {
		options = append(options, guard.Keeping(stored))
	}
	b.source = dtm.Source{Figures: h.guarded(release.Named(engine, r), op, options...), Operation: op, Frozen: &r}
	return nil
}

// Read calls f with the release's facts, brought into memory when they are not.
func (b *book) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	w, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer b.give()
	return w.Read(ctx, f)
}

func (b *book) take(ctx context.Context) (*duckdb.Warehouse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.facts == nil {
		w, err := b.thaw(context.WithoutCancel(ctx)) // others wait for it too
		if err != nil {
			return nil, err
		}
		b.facts = w
	}
	b.readers++
	b.drop = false
	b.shelf.use(b)
	return b.facts, nil
}

func (b *book) thaw(ctx context.Context) (*duckdb.Warehouse, error) {
	h, r := b.shelf.h, *b.source.Frozen
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		return nil, err
	}
	parts := map[string][]byte{}
	for _, name := range release.FactParts {
		if parts[name], err = h.part(ctx, r, m, name); err != nil {
			return nil, err
		}
	}
	facts, err := release.Decode(r.Month, b.at, parts)
	if err != nil {
		return nil, err
	}
	return duckdb.Thaw(ctx, b.source.Operation, facts)
}

func (b *book) give() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers--; b.readers == 0 && b.drop {
		b.close()
	}
}

func (b *book) close() {
	if b.facts != nil {
		_ = b.facts.Close() // in memory: nothing can be lost
		b.facts = nil
	}
}

// use notes that b was used last and lets the one go that was used first.
func (s *shelf) use(b *book) {
	s.mu.Lock()
	s.used = append(slices.DeleteFunc(s.used, func(o *book) bool { return o == b }), b)
	var out *book
	if len(s.used) > mostOpen {
		out, s.used = s.used[0], s.used[1:]
	}
	s.mu.Unlock()
	if out != nil {
		go out.leave()
	}
}

// leave closes the book now or when its last reader is done.
func (b *book) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers > 0 {
		b.drop = true
		return
	}
	b.close()
}

// open are the books in memory.
func (s *shelf) open() []*book {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.used)
}

// closeAll closes every book; nobody reads any more.
func (s *shelf) closeAll() {
	s.mu.Lock()
	used := s.used
	s.used = nil
	s.mu.Unlock()
	for _, b := range used {
		b.leave()
	}
}
