// Package maps turns movements between places into one SVG flow map: a base map
// parsed from GeoJSON and a Spec of points and flows come in, SVG bytes go out,
// the same for page, embed, e-mail and PDF.
//
//	base, err := maps.Parse(operation.Boundaries) // once
//	svg := base.SVG(maps.Spec{Country: "DJI", Points: points, Flows: flows, Texts: ...})
//	table := spec.Table()
//
// The country fills the frame; neighbours and sea are quiet. Circles grow with
// the movements at a point, by area; arrows with the flow, by width. The two
// directions of a pair bend apart, each to the right of its own course, and
// the smallest flows are faded. Points are labelled before areas and no label
// lies on another; a point whose label finds no free place gets a number and an
// entry in the legend. Suppressed flows are dashed and suppressed points
// hatched; both say "<10" and neither shows its size.
//
// A flow between two other countries was seen in this one, so its arrow leads
// through it. A point whose position is not known but whose region is stands
// somewhere in it, in a lighter blue that the legend explains; one without either
// is listed below the map, as are flows whose ends have no place.
//
// With Spec.Aggregate points are added up to their region and drawn at its
// middle: positions of vulnerable people are never drawn finer.
package maps
