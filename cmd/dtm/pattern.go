package main

import (
	"context"
	"sync"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/guard"
)

// patternMonths are the months of a release whose pattern is kept with it: its own and
// those that its pages look back on.
const patternMonths = 25

// outside tells guard what was published of a month before a release of it, or
// before now. A release's own total is shown whatever follows from it: a month that
// gives something away by it cannot be frozen.
type outside struct {
	h *house

	mu    sync.Mutex
	shown map[string]map[string]int64 // by number and hash of the release
}

// before is what guard asks with about r; nil: about the figures as they are now.
func (p *outside) before(r *dtm.FrozenRelease) guard.Prior {
	return func(ctx context.Context, m dtm.Month) ([]map[string]int64, bool, error) {
		list, err := p.h.db.FrozenReleases(ctx)
		if err != nil {
			return nil, false, err
		}
		var out []map[string]int64
		for _, o := range list {
			switch {
			case o.Month != m || o.Published == nil:
				continue
			case r != nil && r.Month == m && o.N >= r.N, r != nil && r.Month != m && o.Seq > r.Seq:
				continue
			}
			shown, err := p.of(ctx, o)
			if err != nil {
				return nil, false, err
			}
			out = append(out, shown)
		}
		return out, r != nil && r.Month == m, nil
	}
}

// of reads what a release shows of its month; of one that was made before patterns
// were kept, it is computed.
func (p *outside) of(ctx context.Context, r dtm.FrozenRelease) (map[string]int64, error) {
	key := r.Number + " " + r.ManifestHash
	p.mu.Lock()
	shown := p.shown[key]
	p.mu.Unlock()
	if shown != nil {
		return shown, nil
	}
	shown, err := p.read(ctx, r)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.shown == nil {
		p.shown = map[string]map[string]int64{}
	}
	p.shown[key] = shown
	p.mu.Unlock()
	return shown, nil
}

func (p *outside) read(ctx context.Context, r dtm.FrozenRelease) (map[string]int64, error) {
	r, err := p.h.db.FrozenRelease(ctx, r.Month, r.N)
	if err != nil {
		return nil, err
	}
	stored, err := p.h.pattern(ctx, r)
	if err != nil {
		return nil, err
	}
	if stored != nil {
		return stored.Shown, nil
	}
	s, err := p.h.shelf.source(ctx, r)
	if err != nil {
		return nil, err
	}
	g, ok := s.Figures.(*guard.Guard)
	if !ok {
		return nil, dtm.Errorf(dtm.Internal, "the figures of release %s are not guarded", r.Number)
	}
	pattern, err := g.Pattern(ctx, r.Month)
	if err != nil {
		return nil, err
	}
	return pattern.Shown(), nil
}

// pattern is what a release keeps of what it withholds; nil when it keeps nothing.
func (h *house) pattern(ctx context.Context, r dtm.FrozenRelease) (*guard.Stored, error) {
	m, err := release.ReadManifest(r.Manifest)
	if err != nil {
		return nil, err
	}
	if _, kept := m.Part(release.PartPattern); !kept {
		return nil, nil //nolint:nilnil // older releases keep none
	}
	b, err := h.part(ctx, r, m, release.PartPattern)
	if err != nil {
		return nil, err
	}
	return guard.DecodePatterns(b)
}

// chosenPatterns chooses what is withheld of a month and of those before it.
func chosenPatterns(ctx context.Context, g *guard.Guard, m dtm.Month) ([]*guard.Pattern, error) {
	span, err := g.Span(ctx)
	if err != nil {
		return nil, err
	}
	var out []*guard.Pattern
	for n := range patternMonths {
		at := m.Add(-n)
		if at.Before(dtm.MonthOf(span.From)) {
			break
		}
		p, err := g.Pattern(ctx, at)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
