package main

import (
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
)

// collection is a GeoJSON FeatureCollection (RFC 7946). orb's own geojson package
// would bring a database driver with it; orb's geometries are plain arrays and
// marshal as coordinates by themselves.
type collection struct {
	Type     string  `json:"type"`
	Features []entry `json:"features"`
}

type entry struct {
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
	Geometry   geometry   `json:"geometry"`
}

type properties struct {
	Code   string `json:"code"`
	Level  int    `json:"level"`
	NameEN string `json:"name_en"`
	NameFR string `json:"name_fr"`
	NameAR string `json:"name_ar"`
}

type geometry struct {
	Type        string       `json:"type"`
	Coordinates orb.Geometry `json:"coordinates"`
}

func (c *collection) add(f entry) { c.Features = append(c.Features, f) }

func feature(g orb.Geometry, code string, level int, n name) entry {
	return entry{"Feature", properties{code, level, n.en, n.fr, n.ar}, geometry{g.GeoJSONType(), g}}
}

// source is a feature of the file of regions.
type source struct {
	Properties struct{ Name string }
	Geometry   struct {
		Type        string
		Coordinates json.RawMessage
	}
}

func (s source) polygons() ([]orb.Polygon, error) {
	switch s.Geometry.Type {
	case "Polygon":
		var p orb.Polygon
		err := json.Unmarshal(s.Geometry.Coordinates, &p)
		return []orb.Polygon{p}, err
	case "MultiPolygon":
		var m orb.MultiPolygon
		err := json.Unmarshal(s.Geometry.Coordinates, &m)
		return m, err
	}
	return nil, fmt.Errorf("geometry %q is not a polygon", s.Geometry.Type)
}
