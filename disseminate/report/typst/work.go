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
// started.
type document struct {
	Main  string
	Files map[string][]byte
}

type done struct {
	PDF    []byte
	Fault  *dtm.Error // without its cause, whose words are Cause
	Cause  string
	Memory int // bytes that the compiler holds
	Values int // that documents left behind in it
}

// fail makes an answer of an error.
func (d *done) fail(err error) {
	if err == nil {
		return
	}
	var e *dtm.Error
	if !errors.As(err, &e) {
		e = &dtm.Error{Err: err}
	}
	fault := *e
	if fault.Err != nil {
		d.Cause, fault.Err = fault.Err.Error(), nil
	}
	d.Fault = &fault
}

// error is what the answer says went wrong.
func (d done) error() error {
	if d.Fault == nil {
		return nil
	}
	if d.Cause != "" {
		d.Fault.Err = errors.New(d.Cause)
	}
	return d.Fault
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
	var hello done
	hello.fail(err)
	if sent := to.Encode(hello); sent != nil || err != nil {
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
		var answer done
		answer.PDF, err = c.compile(d.Main, d.Files)
		answer.fail(err)
		answer.Memory, answer.Values = c.held()
		if err := to.Encode(answer); err != nil {
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
