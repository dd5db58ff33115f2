// Package boundary reads official boundary files: GeoJSON of administrative areas with
// P-codes, as OCHA publishes COD-AB, comes in; the areas with their outlines
// (dtm.Atlas), every fault by file, feature and property, and what would change for the
// codes in use go out.
package boundary
