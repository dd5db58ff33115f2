package raster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"dtm"
	"dtm/disseminate/report/bindgen"
)

// Limits of one picture.
const (
	scale       = 2         // pixels of the picture for one of the drawing
	margin      = 16        // around the drawing, in its pixels
	mostPixels  = 8 << 20   // of a picture; a larger drawing is painted coarser
	inputLimit  = 1 << 20   // bytes of a drawing: thirty times a map's
	memoryLimit = 192 << 20 // bytes that the painter may take
	patience    = 20 * time.Second
	kept        = 64 // pictures kept, some 100 kB each
)

// Painter paints pictures, one after the other. It is safe for concurrent use.
type Painter struct {
	wasm     []byte
	fonts    [][]byte
	cacheDir string
	turn     chan struct{}
	done     *lru.Cache[[32]byte, []byte]

	start    sync.Mutex
	closed   bool
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// New makes a painter: wasm is the pinned build, fonts are TTF files, cacheDir is a
// folder that keeps the machine code (made when it is missing; "" keeps nothing). It
// starts when the first picture is asked for. Errors: Unsupported for another build.
func New(wasm []byte, fonts [][]byte, cacheDir string) (*Painter, error) {
	if err := Build.Check(wasm); err != nil {
		return nil, err
	}
	done, err := lru.New[[32]byte, []byte](kept)
	return &Painter{wasm: wasm, fonts: fonts, cacheDir: cacheDir, turn: make(chan struct{}, 1), done: done}, err
}

// PNG paints a drawing on white, twice as fine as its size says. A picture painted
// before is kept. Errors: Invalid when the drawing is none, TooLarge for one of more
// bytes than any chart has, Unavailable when ctx ends first, when it takes too long or
// when the painter is closed, Internal otherwise.
func (p *Painter) PNG(ctx context.Context, svg []byte) ([]byte, error) {
	const op = "raster.PNG"
	if len(svg) > inputLimit {
		return nil, &dtm.Error{Kind: dtm.TooLarge, Op: op, Msg: fmt.Sprintf("the drawing has %d kB; at most %d kB are painted", len(svg)>>10, inputLimit>>10)}
	}
	svg, zoom, err := framed(svg)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(svg)
	if b, ok := p.done.Get(key); ok {
		return b, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, stopped(op, ctx)
	}
	if b, ok := p.done.Get(key); ok { // painted while this one waited
		return b, nil
	}
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	b, err := p.paint(ctx, svg, zoom)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, stopped(op, ctx)
	case err != nil:
		return nil, dtm.Errorf(dtm.Internal, "the picture cannot be painted: %w", err)
	}
	p.done.Add(key, b)
	return b, nil
}

// Close ends the painter after the pictures it is at; later calls are refused.
func (p *Painter) Close() error {
	p.start.Lock()
	p.closed = true
	p.start.Unlock()
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if p.runtime == nil {
		return nil
	}
	return p.runtime.Close(context.Background())
}

// ready starts the painter once; a failed start is tried again by the next call.
func (p *Painter) ready(ctx context.Context) error {
	p.start.Lock()
	defer p.start.Unlock()
	if p.closed {
		return &dtm.Error{Kind: dtm.Unavailable, Op: "raster.PNG", Msg: "the painter of pictures is closed; start the program again"}
	}
	if p.compiled != nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // the next reader needs it too
	// Unlike the PDF engine it is not asked at every turn whether it may go on: that takes
	// twenty times as long, and it reads our own drawings, which are small and end. While
	// it works the garbage collector waits; so there is one, and what it made is kept.
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryLimit >> 16)
	if p.cacheDir != "" {
		if err := os.MkdirAll(p.cacheDir, 0o755); err != nil {
			return dtm.Errorf(dtm.Internal, "the folder for the painter's machine code cannot be made: %w", err)
		}
		cache, err := wazero.NewCompilationCacheWithDir(p.cacheDir)
		if err != nil {
			return dtm.Errorf(dtm.Internal, "the folder for the painter's machine code cannot be used: %w", err)
		}
		config = config.WithCompilationCache(cache)
	}
	r := wazero.NewRuntimeWithConfig(ctx, config)
	compiled, err := r.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), p.wasm)
	if err == nil {
		err = host(ctx, r, compiled)
	}
	if err != nil {
		_ = r.Close(ctx)
		return dtm.Errorf(dtm.Internal, "the painter of pictures does not start: %w", err)
	}
	p.runtime, p.compiled = r, compiled
	return nil
}

// paint paints with a copy of its own, which leaves nothing behind.
func (p *Painter) paint(ctx context.Context, svg []byte, zoom float64) (png []byte, err error) {
	defer func() { // host functions outside a call
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	m := &module{}
	m.ctx, m.h = context.WithValue(ctx, moduleKey{}, m), bindgen.NewHandles()
	if m.mod, err = p.runtime.InstantiateModule(m.ctx, p.compiled, wazero.NewModuleConfig().WithName("")); err != nil {
		return nil, err
	}
	defer m.mod.Close(context.WithoutCancel(ctx)) //nolint:errcheck // closing memory cannot fail in a way that matters
	options, err := json.Marshal(map[string]any{
		"background": "#ffffff",
		"fitTo":      map[string]any{"mode": "zoom", "value": zoom},
		"font":       map[string]any{"loadSystemFonts": false, "defaultFontFamily": "Inter", "sansSerifFamily": "Inter"},
	})
	if err != nil {
		return nil, err
	}
	fonts := &array{}
	for _, f := range p.fonts {
		fonts.items = append(fonts.items, &octets{f})
	}
	at, n := m.pass(options)
	drawing, err := m.call("resvg_new", m.h.Add(string(svg)), at, n, m.h.Add(fonts))
	if err != nil {
		return nil, err
	}
	picture, err := m.call("resvg_render", uint64(drawing))
	if err != nil {
		return nil, err
	}
	handle, err := m.call("renderedimage_asPng", uint64(picture))
	if err != nil {
		return nil, err
	}
	b, ok := m.h.Take(uint64(handle)).(*octets)
	if !ok {
		return nil, fmt.Errorf("the painter gave no picture")
	}
	return b.b, nil
}

var root = regexp.MustCompile(`^<svg ([^>]*)\bviewBox="0 0 ([0-9.]+) ([0-9.]+)" width="[0-9.]+" height="[0-9.]+"`)

// framed is a drawing with a margin, as it is painted, and how much larger than its size.
// Letters of a weight are looked for in the first family only: a drawing in Arabic has
// the Arabic one first.
func framed(svg []byte) ([]byte, float64, error) {
	m := root.FindSubmatch(svg)
	if m == nil {
		return nil, 0, &dtm.Error{Kind: dtm.Invalid, Op: "raster.PNG", Msg: "this is no drawing of a known size"}
	}
	w, _ := strconv.ParseFloat(string(m[2]), 64)
	h, _ := strconv.ParseFloat(string(m[3]), 64)
	w, h = w+2*margin, h+2*margin
	if w*h > mostPixels {
		return nil, 0, &dtm.Error{Kind: dtm.TooLarge, Op: "raster.PNG", Msg: fmt.Sprintf("a drawing of %g by %g pixels is not painted", w, h)}
	}
	out := fmt.Appendf(nil, `<svg %sviewBox="%d %d %g %g" width="%g" height="%g"%s`, m[1], -margin, -margin, w, h, w, h, svg[len(m[0]):])
	if bytes.Contains(out[:bytes.IndexByte(out, '>')], []byte(` lang="ar"`)) {
		out = bytes.ReplaceAll(out, []byte(` font-family="Inter,`), []byte(` font-family="Vazirmatn,Inter,`))
	}
	if w*h*scale*scale > mostPixels {
		return out, 1, nil
	}
	return out, scale, nil
}

func stopped(op string, ctx context.Context) error {
	return &dtm.Error{Kind: dtm.Unavailable, Op: op, Msg: "the picture was not finished in time; try again", Err: context.Cause(ctx)}
}
