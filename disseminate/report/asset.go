package report

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/zstd"

	"dtm"
	"dtm/disseminate/report/raster"
	"dtm/disseminate/report/typst"
)

// assets holds the PDF engine and its fonts once make assets has put them there;
// before that only the file that says so.
//
//go:embed asset
var assets embed.FS

const (
	engineAsset  = "asset/typst.wasm.zst"
	painterAsset = "asset/resvg.wasm.zst"
)

// NewEngine starts the embedded PDF engine with the embedded fonts. The folder
// cacheDir keeps its machine code (100 MB): the first start takes half a minute,
// later ones half a second. Errors are those of typst.New; Unavailable when the
// program was built without make assets.
func NewEngine(ctx context.Context, cacheDir string) (*typst.Engine, error) {
	wasm, fonts, err := load(assets, engineAsset, "*.ttf")
	if err != nil {
		return nil, err
	}
	return typst.New(ctx, wasm, fonts, cacheDir)
}

// NewPainter makes the embedded painter of pictures, with those of the embedded fonts
// that drawings use. It starts when it is first needed and keeps its machine code (10 MB)
// in cacheDir. Errors are those of raster.New; Unavailable when the program was built
// without make assets.
func NewPainter(cacheDir string) (*raster.Painter, error) {
	wasm, fonts, err := load(assets, painterAsset, "*-[RS]e*.ttf") // Regular, SemiBold
	if err != nil {
		return nil, err
	}
	return raster.New(wasm, fonts, cacheDir)
}

// load unpacks an engine and collects the fonts of a pattern.
func load(files fs.FS, engine, pattern string) (wasm []byte, fonts [][]byte, err error) {
	packed, err := fs.ReadFile(files, engine)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, missing("the PDF engine")
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	if wasm, err = d.DecodeAll(packed, nil); err != nil {
		return nil, nil, dtm.Errorf(dtm.Internal, "the embedded %s is damaged; run make assets and build again: %w", engine, err)
	}
	names, err := fs.Glob(files, "asset/"+pattern)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		fonts = append(fonts, b)
	}
	if len(fonts) == 0 {
		return nil, nil, missing("a font for the PDF")
	}
	return wasm, fonts, nil
}

func missing(what string) error {
	return &dtm.Error{Kind: dtm.Unavailable, Op: "report.NewEngine", Code: "report.noassets", Msg: what + " is not in this program: it was built before `make assets` had fetched it; run make build"}
}

// Press is an engine that starts when it is first needed or at Start, so that a
// server is ready before its PDF engine is. It is a Compiler.
type Press struct {
	cacheDir string
	start    sync.Mutex
	engine   *typst.Engine
	closed   bool
}

// NewPress makes a press that keeps the engine's machine code in cacheDir.
func NewPress(cacheDir string) *Press { return &Press{cacheDir: cacheDir} }

// Start starts the engine and returns when it is ready. Callers run it in the
// background at start-up. A failed start is tried again by the next call.
func (p *Press) Start(ctx context.Context) error {
	_, err := p.ready(ctx)
	return err
}

// Compile is typst.Engine.Compile, after the engine's start.
func (p *Press) Compile(ctx context.Context, main string, files map[string][]byte) ([]byte, error) {
	e, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	return e.Compile(ctx, main, files)
}

// Memory is how many bytes the engine holds while it waits for a document: 0 before its
// start.
func (p *Press) Memory() int64 {
	if !p.start.TryLock() { // it is being started
		return 0
	}
	defer p.start.Unlock()
	if p.engine == nil {
		return 0
	}
	return p.engine.Memory()
}

// Close ends the engine, if it was started; later calls are refused.
func (p *Press) Close() error {
	p.start.Lock()
	defer p.start.Unlock()
	p.closed = true
	if p.engine == nil {
		return nil
	}
	return p.engine.Close()
}

func (p *Press) ready(ctx context.Context) (*typst.Engine, error) {
	p.start.Lock()
	defer p.start.Unlock()
	if p.closed {
		return nil, &dtm.Error{Kind: dtm.Unavailable, Op: "report.Press", Code: "report.closed", Msg: "the PDF engine is closed; start the program again"}
	}
	if p.engine != nil {
		return p.engine, nil
	}
	e, err := NewEngine(ctx, p.cacheDir)
	if err != nil {
		return nil, err
	}
	p.engine = e
	return e, nil
}
