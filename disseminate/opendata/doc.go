// Package opendata serves figures to programs: guarded figures come in through
// dtm.Figures, JSON and CSV go out, without a key and read-only. A table is split
// by at most one dimension or the indicator's own, and filtered by the filter of
// the page, so that nothing can be asked here that the page does not show.
package opendata
