// Package chart turns a chart's specification into one SVG drawing: a plain
// struct of labels and numbers comes in, SVG bytes go out, the same for page,
// embed, e-mail and PDF. The same specification gives the table and the CSV
// that stand beside the drawing.
//
// Kinds: Bars (ranking), Stacked (stacked, grouped or shares), Trend (months
// with gaps, expected band and number of active points), Heat (origin and
// destination), Pyramid (sex and age), Multiples (one small trend a panel),
// Sankey (ribbons from origin to destination), Calendar (days). All are a Chart:
//
//	b := chart.Bars{Head: chart.Head{ID: "points", Title: "Obock saw most movements"}, ...}
//	svg := b.SVG(chart.Options{Width: 640, Lang: dtm.French, Number: locale.Number})
//	table := b.Table()
//
// Width is a parameter, since text does not shrink well: draw one chart at 358
// for phones and one at 640 or more, and show one of them by media query; give the
// two different IDs, as ids on one page must differ. From
// 280 px upwards nothing overlaps or leaves the frame; longer labels wrap, then
// end in an ellipsis, and are whole in the tooltip and the table.
//
// What is not known is drawn: a suppressed Cell is hatched and says "<10"
// (Words.Suppressed) and its Value, should the caller have left one there, is
// never used; a missing one (no Value) is a gap and says so; unknown sex or age
// stands apart with another hatch. NaN and values beyond 1e15 count as missing.
//
// Text comes from the caller, in the reader's language: titles, labels, Number
// and, where the built-in English, French or Arabic do not do, Words. With Lang Arabic (or RTL) bars grow from right to left and labels
// stand on the right; time runs from left to right in every language.
//
// For scripts and style sheets: the root has class dtm-svg and the kind (bars,
// stacked, trend, heat, pyramid, multiples, sankey, calendar); every figure is a g.mark with
// data-label and data-value and a title child. The root is role="img", so its
// marks must not take the focus themselves: a script moves through them with the
// arrow keys while the figure around the drawing has the focus, sets the class
// "on" and shows both data attributes. draw.Stylesheet has dark mode.
package chart
