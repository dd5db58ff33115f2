package typst

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"

	"dtm"
)

// document is what a process is asked, done its answer; the first says how the compiler
// started. An error that has a kind comes back as it was.
type document struct {
	Main  string
	Files map[string][]byte
}

type done struct {
	PDF    []byte
	Fault  *failure
	Memory int // bytes that the compiler holds
	Values int // that documents left behind in it
}

// failure is a *dtm.Error on its way between processes.
type failure struct {
	Kind                       dtm.Kind
	Op, Code, Where, Msg, Text string
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Kind: dtm.KindOf(err), Text: err.Error()}
	var e *dtm.Error
	if errors.As(err, &e) {
		f.Op, f.Code, f.Where, f.Msg = e.Op, e.Code, e.Where, e.Msg
		if e.Err != nil {
			f.Text = e.Err.Error()
		}
	}
	return f
}

func (f *failure) error() error {
	return &dtm.Error{Kind: f.Kind, Op: f.Op, Code: f.Code, Where: f.Where, Msg: f.Msg, Err: errors.New(f.Text)}
}

// Work is what a process of an engine does: it starts the compiler, says how that went,
// and answers each document that comes in, until in ends, which ends the process even
// while it works: there is nobody left to answer. wasm is the pinned build of the
// compiler, fonts are TTF or OTF files, cacheDir is a folder that keeps the machine code
// (about 100 MB; made when it is missing; "" keeps nothing).
//
// load gives wasm and fonts; its error is told like those of the start: Unsupported for
// another build of the compiler, Invalid for a font that is none, Internal otherwise.
func Work(load func() (wasm []byte, fonts [][]byte, err error), cacheDir string, in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // a terminal sends it to all; the owner decides
	to := gob.NewEncoder(out)
	var c *compiler
	wasm, fonts, err := load()
	if err == nil {
		c, err = newCompiler(context.Background(), wasm, fonts, cacheDir)
	}
	if sent := to.Encode(done{Fault: failureOf(err)}); sent != nil || err != nil {
		return sent
	}
	from := gob.NewDecoder(untilEnd(in))
	debug.SetGCPercent(20) // the compiler's memory is one large piece, most else is garbage
	for {
		debug.FreeOSMemory() // it may wait for long
		var d document
		if err := from.Decode(&d); err != nil {
			return err
		}
		pdf, err := c.compile(d.Main, d.Files)
		memory, values := c.held()
		if err := to.Encode(done{pdf, failureOf(err), memory, values}); err != nil {
			return err
		}
	}
}

// untilEnd reads ahead, and ends the process at the end of in.
func untilEnd(in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		if _, err := io.Copy(w, in); err != nil {
			w.CloseWithError(err)
			return
		}
		os.Exit(0)
	}()
	return r
}

// Prepare makes the machine code of the compiler in cacheDir, unless it is there.
func Prepare(ctx context.Context, wasm []byte, cacheDir string) error {
	c, err := newCompiler(ctx, wasm, nil, cacheDir)
	if err != nil {
		return err
	}
	return c.close()
}
