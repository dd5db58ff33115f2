package typst

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"dtm"
)

// Limits of one engine. A report of ten pages takes about 20 MB.
const (
	memoryLimit = 256 << 20 // bytes that the compiler may take before a document is refused
	renewAt     = 64 << 20  // bytes after which a fresh copy replaces the running one
	mostValues  = 1000      // values it may leave behind, likewise; some faults of a document leave one
	inputLimit  = 64 << 20  // bytes of all files of one document
)

// copies of the compiler that work at the same time: a report is wanted in two
// languages. Each holds up to renewAt of memory.
const copies = 2

// Engine compiles documents, a few at a time in the order of asking. It is safe
// for concurrent use.
type Engine struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	fonts    [][]byte
	turn     chan struct{} // as many as may still begin
	idle     chan *machine // copies that wait
	waiting  atomic.Int64  // bytes that they hold
	closed   chan struct{}
	close    sync.Once
	closeErr error
}

// New starts the engine: wasm is the pinned build of the compiler, fonts are TTF
// or OTF files, cacheDir is a folder that keeps the machine code (about 100 MB;
// made when it is missing; "" keeps nothing). The first start on a machine takes
// half a minute, ended early when ctx ends; later ones half a second.
//
// Errors: Unsupported for another build of the compiler, Unavailable when ctx
// ends first, Invalid for a font that is none, Internal otherwise.
func New(ctx context.Context, wasm []byte, fonts [][]byte, cacheDir string) (*Engine, error) {
	if err := Build.Check(wasm); err != nil {
		return nil, err
	}
	for i, f := range fonts {
		if !isFont(f) {
			return nil, dtm.Errorf(dtm.Invalid, "font %d of %d is not a TrueType or OpenType file", i+1, len(fonts))
		}
	}
	// Ending a call with its context lets a document be stopped that would never end.
	// It costs two thirds of the speed, and is worth it for another reason too: code
	// that never asks cannot be interrupted by the garbage collector either, and would
	// hold up the whole program.
	config := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithMemoryLimitPages(memoryLimit >> 16)
	if cacheDir != "" {
		if err := os.MkdirAll(cacheDir, 0o755); err != nil {
			return nil, internal("typst.New", "the folder for the PDF engine's machine code cannot be made", err)
		}
		cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
		if err != nil {
			return nil, internal("typst.New", "the folder for the PDF engine's machine code cannot be used", err)
		}
		config = config.WithCompilationCache(cache)
	}
	e := &Engine{fonts: fonts, turn: make(chan struct{}, copies), idle: make(chan *machine, copies), closed: make(chan struct{})}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	start := func() (err error) {
		if e.compiled, err = e.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm); err != nil {
			return err
		}
		if err = host(ctx, e.runtime, e.compiled); err != nil {
			return err
		}
		m, err := newMachine(ctx, e.runtime, e.compiled, fonts)
		if err == nil {
			for range copies {
				e.turn <- struct{}{}
			}
			e.rest(m)
		}
		return err
	}
	if err := start(); err != nil {
		_ = e.runtime.Close(context.WithoutCancel(ctx))
		if ctx.Err() != nil {
			return nil, stopped("typst.New", ctx)
		}
		return nil, internal("typst.New", "the PDF engine does not start", err)
	}
	return e, nil
}

// Compile makes a PDF of the document main, which may read the other files and
// nothing else. Names are slash-separated paths; "a.typ" and "/a.typ" are the
// same file. It waits for its turn, and ends when ctx does.
//
// Errors: Invalid with Typst's own words and the place in Where when the
// document has a fault, TooLarge when it needs too much memory or input,
// Unavailable when ctx ends first or the engine is closed, Internal otherwise.
// After any of them the engine is as good as new.
func (e *Engine) Compile(ctx context.Context, main string, files map[string][]byte) ([]byte, error) {
	const op = "typst.Compile"
	rooted := make(map[string][]byte, len(files))
	var size int
	for name, data := range files {
		rooted[path.Clean("/"+name)] = data
		size += len(data)
	}
	main = path.Clean("/" + main)
	if _, ok := rooted[main]; !ok {
		return nil, &dtm.Error{Kind: dtm.Invalid, Op: op, Where: main, Msg: "the document is not among its files"}
	}
	if size > inputLimit {
		return nil, &dtm.Error{Kind: dtm.TooLarge, Op: op, Msg: fmt.Sprintf("the files of the document have %d MB; at most %d MB are taken", size>>20, inputLimit>>20)}
	}
	if ctx.Err() != nil {
		return nil, stopped(op, ctx)
	}
	var m *machine
	select {
	case <-e.closed:
		return nil, errClosed(op)
	case <-ctx.Done():
		return nil, stopped(op, ctx)
	case <-e.turn:
	}
	defer func() {
		if m != nil {
			e.rest(m)
		}
		e.turn <- struct{}{}
	}()
	select {
	case <-e.closed: // both were ready
		return nil, errClosed(op)
	default:
	}
	select {
	case m = <-e.idle:
		e.waiting.Add(-int64(m.size()))
	default:
		var err error
		if m, err = newMachine(ctx, e.runtime, e.compiled, e.fonts); err != nil {
			m = nil
			if ctx.Err() != nil {
				return nil, stopped(op, ctx)
			}
			return nil, internal(op, "the PDF engine does not start again", err)
		}
	}
	answer, err := m.compile(ctx, main, rooted)
	if err != nil {
		// Rust's allocator gives up without a word; a bug of the compiler writes one.
		full := m.console == "" && strings.Contains(err.Error(), "wasm error: unreachable")
		m.close()
		m = nil
		switch {
		case ctx.Err() != nil:
			return nil, stopped(op, ctx)
		case full:
			return nil, &dtm.Error{Kind: dtm.TooLarge, Op: op, Where: main, Err: err, Msg: fmt.Sprintf("the document needs more than %d MB of memory", memoryLimit>>20)}
		}
		return nil, internal(op, "the PDF engine failed", err)
	}
	if m.size() > renewAt || m.h.Live() > mostValues {
		m.close()
		m = nil
	}
	return outcome(op, answer)
}

// rest keeps a copy for the next document.
func (e *Engine) rest(m *machine) {
	e.waiting.Add(int64(m.size()))
	e.idle <- m
}

// Memory is how many bytes the copies hold that wait for a document: at most 128 MB.
func (e *Engine) Memory() int64 { return e.waiting.Load() }

// Close ends the engine after the document it is at. Calls that wait and later
// calls are refused.
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.closed)
		for range copies {
			<-e.turn
		}
		for len(e.idle) > 0 {
			m := <-e.idle
			e.waiting.Add(-int64(m.size()))
			m.close()
		}
		e.turn <- struct{}{} // whoever waits takes it, sees that the engine is closed and hands it on
		e.closeErr = e.runtime.Close(context.Background())
	})
	return e.closeErr
}

// outcome reads the compiler's answer: the PDF, or what is wrong with the
// document.
func outcome(op string, answer any) ([]byte, error) {
	if pdf, ok := property(answer, "result").(*bytes); ok {
		return pdf.b, nil
	}
	list, _ := property(answer, "diagnostics").(*array)
	if list == nil {
		return nil, &dtm.Error{Kind: dtm.Invalid, Op: op, Msg: "the document cannot be compiled: " + text(answer)}
	}
	var where string
	var faults []string
	for _, d := range list.items {
		if severity := property(d, "severity"); severity == "warning" {
			continue
		}
		if where == "" {
			where = place(text(property(d, "path")), text(property(d, "range")))
		}
		faults = append(faults, fault(text(property(d, "message"))))
	}
	return nil, &dtm.Error{Kind: dtm.Invalid, Op: op, Where: where, Msg: "the document cannot be compiled: " + strings.Join(faults, "; ")}
}

// place is file:line:column, both from 1, of a span that Typst writes as
// "line:column-line:column", both from 0.
func place(file, span string) string {
	file = strings.TrimPrefix(file, "/")
	var line, column int
	if n, _ := fmt.Sscanf(span, "%d:%d", &line, &column); n < 2 {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, line+1, column+1)
}

// fault is Typst's message, save where it speaks of a command line's options.
func fault(msg string) string {
	if strings.HasPrefix(msg, "failed to load file (access denied)") || strings.HasPrefix(msg, "file not found") {
		return "failed to load file: it is not among the files given with the document"
	}
	return msg
}

func isFont(b []byte) bool {
	if len(b) < 12 {
		return false
	}
	switch string(b[:4]) {
	case "\x00\x01\x00\x00", "OTTO", "true", "ttcf":
		return true
	}
	return false
}

func stopped(op string, ctx context.Context) error {
	msg := "the PDF was not finished in time; try again"
	if errors.Is(ctx.Err(), context.Canceled) {
		msg = "the PDF is not needed any more"
	}
	return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "report.stopped", Msg: msg, Err: context.Cause(ctx)}
}

func errClosed(op string) error {
	return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "report.closed", Msg: "the PDF engine is closed; start the program again"}
}

func internal(op, msg string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n") // the rest is a stack, for the log
	return &dtm.Error{Kind: dtm.Internal, Op: op, Msg: msg + ": " + first, Err: err}
}
