package opendata

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"path"
	"time"

	"dtm"
	"dtm/analyse/release"
)

// Releases is what the API needs of frozen months.
type Releases interface {
	dtm.Sources
	FrozenReleases(ctx context.Context) ([]dtm.FrozenRelease, error)
	FrozenRelease(ctx context.Context, m dtm.Month, n int) (dtm.FrozenRelease, error)
	// Part reads one part: NotFound, Conflict when it is damaged.
	Part(ctx context.Context, r dtm.FrozenRelease, name string) ([]byte, error)
}

// source is what an answer is made from.
func (a *API) source(ctx context.Context, asked string, month dtm.Month) (dtm.Source, error) {
	if a.Releases == nil {
		return dtm.Source{Figures: a.Figures, Operation: a.Operation}, nil
	}
	return a.Releases.Source(ctx, asked, month)
}

// releaseEntry is a release as it is listed. Nobody's name is in it.
type releaseEntry struct {
	Release   string          `json:"release"`
	Month     string          `json:"month"`
	State     string          `json:"state"` // published or withdrawn
	Published time.Time       `json:"published"`
	Withdrawn *time.Time      `json:"withdrawn,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Note      string          `json:"note,omitempty"`
	SHA256    string          `json:"sha256"`
	Href      string          `json:"href"`
	Manifest  json.RawMessage `json:"manifest,omitempty"`
}

func entryOf(r dtm.FrozenRelease) releaseEntry {
	return releaseEntry{Release: r.Number, Month: r.Month.String(), State: r.State, Published: *r.Published, Withdrawn: r.Withdrawn, Reason: r.Reason, Note: r.Note,
		SHA256: r.ManifestHash, Href: "/api/v1/releases/" + r.Number}
}

// releases lists what was published, latest month first.
func (a *API) releases(w http.ResponseWriter, r *http.Request) error {
	out := []releaseEntry{}
	if a.Releases != nil {
		list, err := a.Releases.FrozenReleases(r.Context())
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.Published != nil {
				out = append(out, entryOf(x))
			}
		}
	}
	return plainJSON(w, map[string]any{"releases": out})
}

// releaseAt is the published release of an address: NotFound.
func (a *API) releaseAt(r *http.Request) (dtm.FrozenRelease, error) {
	number := r.PathValue("month") + "/" + r.PathValue("n")
	m, n, err := dtm.ParseReleaseNumber(number)
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	missing := dtm.Errorf(dtm.NotFound, "there is no release %s; /api/v1/releases lists them all", number).Coded("release.unknown", number)
	if a.Releases == nil {
		return dtm.FrozenRelease{}, missing
	}
	x, err := a.Releases.FrozenRelease(r.Context(), m, n)
	if err == nil && x.Published == nil {
		err = missing
	}
	return x, err
}

func (a *API) release(w http.ResponseWriter, r *http.Request) error {
	x, err := a.releaseAt(r)
	if err != nil {
		return err
	}
	out := entryOf(x)
	out.Manifest = x.Manifest
	return plainJSON(w, out)
}

// part serves a public part of a release that was not withdrawn.
func (a *API) part(w http.ResponseWriter, r *http.Request) error {
	x, err := a.releaseAt(r)
	if err != nil {
		return err
	}
	name := r.PathValue("part")
	if !release.Public(name) {
		return dtm.Errorf(dtm.NotFound, "there is no public part %q; the manifest at /api/v1/releases/%s names them", name, x.Number).Coded("notfound")
	}
	if x.State == dtm.StateWithdrawn {
		return dtm.Errorf(dtm.Gone, "release %s was withdrawn: %s", x.Number, x.Reason).Coded("release.withdrawn", x.Number, x.Reason)
	}
	b, err := a.Releases.Part(r.Context(), x, name)
	if err != nil {
		return err
	}
	t := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".csv" {
		t = "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", t)
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(b)
	return err
}

// plainJSON writes v, which may change without the figures changing.
func plainJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(append(b, '\n'))
	return err
}
