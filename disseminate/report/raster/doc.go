// Package raster turns a drawing (SVG) into a picture (PNG) for slides and messages: the
// bytes of a drawing and fonts come in, a picture twice as fine as the screen goes out.
//
// The painter is resvg compiled to WebAssembly (npm package @resvg/resvg-wasm, MPL-2.0)
// and run in this process by wazero, as the PDF engine is: no browser, no other program,
// no file of the machine is within its reach. Making machine code of it costs seconds
// once; the result is kept in a folder.
//
//	painter := raster.New(wasm, fonts, cacheDir)
//	png, err := painter.PNG(ctx, svg)
//
// The same drawing gives the same bytes.
package raster
