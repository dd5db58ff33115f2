package maps

import (
	"dtm"
	"dtm/disseminate/chart"
)

// Aggregate says how fine positions are drawn.
type Aggregate string

const (
	Exact  Aggregate = ""       // points where they are
	Region Aggregate = "region" // points added up to their region, at its middle
)

// Point is a place with its movements.
type Point struct {
	Code        string   `json:"code"`
	Label       string   `json:"label"`
	Lon         float64  `json:"lon"` // both zero: not known; the point then stands somewhere in its region
	Lat         float64  `json:"lat"`
	Region      string   `json:"region,omitempty"`      // code of its region; "": the region it lies in
	Approximate bool     `json:"approximate,omitempty"` // the position is of the town: dashed ring
	Value       *float64 `json:"value"`                 // movements; nil: none known
	Suppressed  bool     `json:"suppressed,omitempty"`
	About       bool     `json:"about,omitempty"` // Value is a round neighbour of one that is withheld
}

// Flow is the movement from one place to another.
type Flow struct {
	From       string   `json:"from"` // ISO 3166-1 alpha-3 of a country, code of a region or of a point
	To         string   `json:"to"`
	Label      string   `json:"label,omitempty"` // "": names of both ends
	Value      *float64 `json:"value"`
	Suppressed bool     `json:"suppressed,omitempty"`
	About      bool     `json:"about,omitempty"`
}

// Spec is a flow map. Texts and names are in the reader's language.
type Spec struct {
	ID      string            `json:"id"`    // prefix of the ids in the drawing; unique on its page
	Title   string            `json:"title"` // the finding in a sentence
	Alt     string            `json:"alt,omitempty"`
	Country string            `json:"country"` // ISO3 of the country that fills the frame; "": DJI
	Width   float64           `json:"width"`   // px; 0: 640; never below 280
	Height  float64           `json:"height"`  // px of the map without its legend; 0: by width
	Names   map[string]string `json:"names,omitempty"`
	Points  []Point           `json:"points"`
	Flows   []Flow            `json:"flows"`

	Aggregate Aggregate `json:"aggregate,omitempty"`
	Texts     Texts     `json:"texts"`

	Lang   dtm.Lang             `json:"lang"`
	Number func(float64) string `json:"-"` // nil: no grouping
}

// Table lists the flows, then the points, as the map shows them.
func (s Spec) Table() chart.Table { return s.table() }
