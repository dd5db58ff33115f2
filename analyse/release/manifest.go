package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"dtm"
	"dtm/analyse/warehouse"
)

// Manifest names what a release is made of. It says nothing of who made it or when:
// the same log, month and number give the same manifest, and its hash is the
// release's.
type Manifest struct {
	Release   string `json:"release"` // "2022-12/1"
	Operation string `json:"operation"`
	Month     string `json:"month"`
	Seq       int64  `json:"seq"`   // last event in it
	Event     string `json:"event"` // its hash: names the whole log up to there
	Program   string `json:"program"`
	Threshold int    `json:"threshold"` // guard: counts from 1 to this less one are withheld
	Synthetic bool   `json:"synthetic,omitempty"`
	Total     int64  `json:"total"` // movements of the month
	Facts     int    `json:"facts"` // rows they are in
	Shown     int    `json:"shown"` // figures published with it
	Withheld  int    `json:"withheld"`
	Parts     []Part `json:"parts"`
}

// Part is one file of a release.
type Part struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"` // of the content, before it is compressed for storing
	Public bool   `json:"public"`
}

// Part returns the part of that name.
func (m Manifest) Part(name string) (Part, bool) {
	i := slices.IndexFunc(m.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		return Part{}, false
	}
	return m.Parts[i], true
}

// NewManifest is the manifest of parts; threshold and the like are op's.
func NewManifest(r dtm.FrozenRelease, op *dtm.Operation, f warehouse.Frozen, parts map[string][]byte) Manifest {
	m := Manifest{Release: r.Number, Operation: op.Code, Month: r.Month.String(), Seq: r.Seq, Event: r.Hash, Program: r.Program, Threshold: op.Threshold, Synthetic: op.Synthetic,
		Total: Total(f, r.Month), Facts: len(f.Facts), Shown: bytes.Count(parts[PartFigures], []byte("\n")) - 1, Withheld: bytes.Count(parts[PartWithheld], []byte("\n")) - 1}
	for name, b := range parts {
		m.Parts = append(m.Parts, Part{name, len(b), Hash(b), Public(name)})
	}
	slices.SortFunc(m.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// Total is the movements of a month that the facts hold.
func Total(f warehouse.Frozen, m dtm.Month) (n int64) {
	month := m.String()
	for _, x := range f.Months {
		if x.Month == month && x.Main {
			n += x.People
		}
	}
	return n
}

// Bytes is the manifest as it is hashed and served.
func (m Manifest) Bytes() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	return append(b, '\n'), err
}

// ReadManifest: Conflict when it is not one.
func ReadManifest(b []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, broken("manifest.json", 0, err.Error())
	}
	return m, nil
}

// Hash is the hex SHA-256 of b.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Opened is what a release says of itself.
type Opened struct {
	Manifest Manifest
	Checks   []Check
	Changes  *Changes // nil: it is the first of its month
}
