// Package draw turns positions, lengths and labels into the elements of one SVG
// document: numbers and strings come in, SVG bytes go out. Packages chart and
// maps draw with it.
//
// What it writes is the part of SVG that a browser, a mail reader and usvg (the
// SVG reader of Typst) draw alike: presentation attributes, no style element,
// no foreignObject, nothing fetched. Every element that carries a colour also
// carries a class, so that a page's style sheet (Stylesheet) can restate it for
// dark mode: a style sheet outranks presentation attributes.
//
// Text is measured with a built-in table of Inter's metrics (Width), so that
// labels can be placed without a browser. The package has no state, reads no
// clock and gives the same bytes for the same calls.
package draw
