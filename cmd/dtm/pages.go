package main

import (
	"context"
	"fmt"
	"net/http"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/serve"
	"dtm/web"
)

// publicPages are the pages over the figures that may leave.
func (h *house) publicPages() web.Options {
	return web.Options{Operation: h.op, Figures: h.public, Now: h.now, Releases: h.releasePages(), Editor: h.editor, Alerts: h.db, QueryText: h.figures.QueryText, Word: indicator.Word, Forecasts: h.db, Go: h.beside, Outsides: h.db, Late: h.figures.Late, State: h.publicState,
		Report: func(ctx context.Context, asked string, r dtm.Report, l dtm.Lang) ([]byte, error) {
			b, _, err := h.report(ctx, asked, r, l)
			return b, err
		},
		Picture:  h.picture,
		Datasets: h.datasets,
	}
}

// publicState changes with everything that public pages show: what any server of the
// operation wrote, and how much of it this one's warehouse has.
func (h *house) publicState(ctx context.Context) (string, error) {
	last, err := h.db.Last(ctx)
	if err != nil {
		return "", err
	}
	p, err := h.facts.Position(ctx)
	return fmt.Sprintf("%d %d %s", last, p.Seq, p.Hash), err
}

// pages are those of the public and, behind sign-in, of the staff.
func (h *house) pages() (http.Handler, error) {
	staff, err := h.staff()
	if err != nil {
		return nil, err
	}
	o := h.publicPages()
	o.Staff = staff
	p, err := web.New(o)
	if err != nil {
		return nil, err
	}
	if h.background != nil {
		h.loading.Go(func() { h.keepAhead(h.background, p) })
	}
	return p.Handler(), nil
}

// beside runs what pages compute beside requests; close waits for it.
func (h *house) beside(f func(context.Context)) {
	if h.background == nil { // nothing serves: who asks waits
		f(context.Background())
		return
	}
	h.loading.Go(func() { f(h.background) })
}

// guarded keeps other sites' pages from sending anything to these.
func guarded(pages http.Handler) http.Handler {
	return serve.Chain(pages, serve.SameOrigin(serve.Problem))
}

func (h *house) releasePages() releasePages { return releasePages{h.db, h.shelf, h} }

// releasePages is what the pages about releases need.
type releasePages struct {
	dtm.Releases
	dtm.Sources
	h *house
}

// Open reads a release's manifest, checks and changes.
func (r releasePages) Open(ctx context.Context, x dtm.FrozenRelease) (release.Opened, error) {
	return r.h.opened(ctx, x)
}

// Part reads one part.
func (r releasePages) Part(ctx context.Context, x dtm.FrozenRelease, name string) ([]byte, error) {
	m, err := release.ReadManifest(x.Manifest)
	if err != nil {
		return nil, err
	}
	return r.h.part(ctx, x, m, name)
}

// untold is for who does not follow the steps: the page counts the time itself.
func untold(string) {}

// Check makes the release that the month would have now.
func (r releasePages) Check(ctx context.Context, m dtm.Month) (release.Opened, error) {
	f, err := r.h.freeze(ctx, m, untold)
	if err != nil {
		return release.Opened{}, err
	}
	return release.Opened{Manifest: f.manifest, Checks: f.checks, Changes: f.changes}, nil
}

// Propose freezes the month.
func (r releasePages) Propose(ctx context.Context, m dtm.Month, note string) (dtm.FrozenRelease, error) {
	f, err := r.h.freeze(ctx, m, untold)
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	if release.Worst(f.checks) == release.Stop {
		return dtm.FrozenRelease{}, dtm.Errorf(dtm.Invalid, "%s cannot be frozen like this; the checks say why", m).Coded("release.stopped", m.String())
	}
	return r.h.propose(ctx, f, note)
}

// Approve publishes it.
func (r releasePages) Approve(ctx context.Context, x dtm.FrozenRelease) (dtm.FrozenRelease, error) {
	return r.h.approve(ctx, x)
}
