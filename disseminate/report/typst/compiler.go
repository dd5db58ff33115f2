package typst

import (
	"context"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"dtm"
)

// Limits of one compiler. A report of ten pages takes about 20 MB.
const (
	memoryLimit = 256 << 20 // bytes that the compiler may take before a document is refused
	renewAt     = 64 << 20  // bytes after which a fresh copy replaces the running one
	mostValues  = 1000      // values it may leave behind, likewise; some faults of a document leave one
	inputLimit  = 64 << 20  // bytes of all files of one document
)

// compiler compiles one document after the other, in this process. It cannot be told to
// stop, and nor can the garbage collector interrupt it: machine code that asks at each
// turn whether it is to end takes two and a half times as long. So it has a process of its
// own, which may be killed.
type compiler struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	fonts    [][]byte
	m        *machine // nil: the next document needs a fresh one
}

// newCompiler starts it: wasm is the pinned build of the compiler, fonts are TTF or OTF
// files, cacheDir is a folder that keeps the machine code (about 100 MB; made when it is
// missing; "" keeps nothing). The first start on a machine takes half a minute, later ones
// half a second.
//
// Errors: Unsupported for another build of the compiler, Invalid for a font that is none,
// Internal otherwise.
func newCompiler(ctx context.Context, wasm []byte, fonts [][]byte, cacheDir string) (*compiler, error) {
	if err := Build.Check(wasm); err != nil {
		return nil, err
	}
	for i, f := range fonts {
		if !isFont(f) {
			return nil, dtm.Errorf(dtm.Invalid, "font %d of %d is not a TrueType or OpenType file", i+1, len(fonts))
		}
	}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryLimit >> 16)
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
	c := &compiler{fonts: fonts, runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	var err error
	if c.compiled, err = c.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm); err == nil {
		if err = host(ctx, c.runtime, c.compiled); err == nil {
			c.m, err = newMachine(ctx, c.runtime, c.compiled, fonts)
		}
	}
	if err != nil {
		_ = c.close()
		return nil, internal("typst.New", "the PDF engine does not start", err)
	}
	return c, nil
}

// compile is Engine.Compile.
func (c *compiler) compile(main string, files map[string][]byte) ([]byte, error) {
	const op = "typst.Compile"
	ctx := context.Background()
	rooted := make(map[string][]byte, len(files))
	for name, data := range files {
		rooted[path.Clean("/"+name)] = data
	}
	main = path.Clean("/" + main)
	if _, ok := rooted[main]; !ok {
		return nil, &dtm.Error{Kind: dtm.Invalid, Op: op, Where: main, Msg: "the document is not among its files"}
	}
	if c.m == nil {
		var err error
		if c.m, err = newMachine(ctx, c.runtime, c.compiled, c.fonts); err != nil {
			c.m = nil
			return nil, internal(op, "the PDF engine does not start again", err)
		}
	}
	answer, err := c.m.compile(ctx, main, rooted)
	if err != nil {
		// Rust's allocator gives up without a word; a bug of the compiler writes one.
		full := c.m.console == "" && strings.Contains(err.Error(), "wasm error: unreachable")
		c.drop()
		if full {
			return nil, &dtm.Error{Kind: dtm.TooLarge, Op: op, Where: main, Err: err, Msg: fmt.Sprintf("the document needs more than %d MB of memory", memoryLimit>>20)}
		}
		return nil, internal(op, "the PDF engine failed", err)
	}
	if c.m.size() > renewAt || c.m.h.Live() > mostValues {
		c.drop()
	}
	return outcome(op, answer)
}

// held is the bytes that the compiler has taken, and the values it left behind.
func (c *compiler) held() (memory, values int) {
	if c.m == nil {
		return 0, 0
	}
	return int(c.m.size()), c.m.h.Live()
}

func (c *compiler) drop() {
	c.m.close()
	c.m = nil
}

func (c *compiler) close() error { return c.runtime.Close(context.Background()) }

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

func internal(op, msg string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n") // the rest is a stack, for the log
	return &dtm.Error{Kind: dtm.Internal, Op: op, Msg: msg + ": " + first, Err: err}
}
