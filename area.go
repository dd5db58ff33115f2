package dtm

import (
	"context"
	"encoding/json"
	"time"
)

// Names of the events of areas.
const (
	AreasUploaded = "areas.uploaded" // files of boundaries were checked; nothing changed
	AreasReplaced = "areas.replaced" // the areas are others from now on
)

// Area is an administrative area by its COD-AB P-code.
type Area struct {
	Code   string // P-code: "DJ01", "DJ0115"
	Parent string // P-code of the area above; "" at level 1
	Level  int
	ISO    string // ISO 3166-2, level 1 only
	Name   Text
	// Retired says that the official boundaries have the area no more. It keeps its name
	// for what was recorded under it, and has no outline.
	Retired bool `json:",omitempty"`
}

// Atlas is the areas of an operation with their outlines.
type Atlas struct {
	Version    int // of the areas; 0: as the pack declares them
	Areas      []Area
	Boundaries []byte // GeoJSON FeatureCollection: areas and neighbours, properties code (P-code or ISO3), level, name
}

// Area returns the area with the P-code, a retired one too.
func (a *Atlas) Area(code string) (Area, bool) {
	for _, x := range a.Areas {
		if x.Code == code {
			return x, true
		}
	}
	return Area{}, false
}

// AreaFile is a file of boundaries as it came; its content is kept under its hash.
type AreaFile struct {
	Name string `json:"name"`
	Hash string `json:"hash"` // as Blobs gives it
	Size int64  `json:"size"`
}

// AreaVersion is one replacement of the areas. It holds from its event until the
// next one's. Nothing is taken away: going back is a version too.
type AreaVersion struct {
	N     int   // counted from 1; 0 is the pack's
	Seq   int64 // of the event
	At    time.Time
	Actor string

	Files  []AreaFile // what it was made of
	Atlas  string     // hash of the Atlas made of them, as kept
	Backs  *int       // the version that it brings back
	Counts []int      // areas in use of level 1, 2
	Gone   []string   // P-codes that were retired
	Reason string
}

type areaDetail struct {
	N      int        `json:"version"`
	Files  []AreaFile `json:"files,omitempty"`
	Atlas  string     `json:"atlas,omitempty"`
	Backs  *int       `json:"backs,omitempty"`
	Counts []int      `json:"areas,omitempty"`
	Gone   []string   `json:"retired,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// Detail writes the version as the detail of its event.
func (v AreaVersion) Detail() string {
	b, err := json.Marshal(areaDetail{v.N, v.Files, v.Atlas, v.Backs, v.Counts, v.Gone, v.Reason})
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(b)
}

// ReadAreaVersion reads an event of the areas: Invalid when its detail is none.
func ReadAreaVersion(e Event) (AreaVersion, error) {
	var d areaDetail
	v := AreaVersion{Seq: e.Seq, At: e.At, Actor: e.Actor}
	if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
		return v, Errorf(Invalid, "event %d is no version of the areas: %w", e.Seq, err)
	}
	v.N, v.Files, v.Atlas, v.Backs, v.Counts, v.Gone, v.Reason = d.N, d.Files, d.Atlas, d.Backs, d.Counts, d.Gone, d.Reason
	return v, nil
}

// AreaVersions keeps which areas were in use when.
type AreaVersions interface {
	// AreaVersions lists the replacements up to event seq, oldest first; 0: all.
	AreaVersions(ctx context.Context, seq int64) ([]AreaVersion, error)
	// ReplaceAreas adds a version and returns it with its number: Conflict when there
	// is one after seen, the newest that the caller looked at (0: the pack's).
	ReplaceAreas(ctx context.Context, v AreaVersion, seen int) (AreaVersion, error)
}

// AreaUse is somewhere that a P-code is in use.
type AreaUse struct {
	Kind string // "point", what facts are called ("movement", "interview" ...), "form", "release", "indicator", "area" (one below it)
	Name string // code of the point, month, form and list, number of the release ...
}
