package typst

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// worker is one process.
type worker struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	to     *gob.Encoder
	from   *gob.Decoder
	said   *tail
	last   done        // its answer, without the PDF
	rests  *time.Timer // ends it
	rested bool        // it has waited for a document
}

// begin starts a process. One after the other: the next finds the machine code that the
// first has made.
func (e *Engine) begin(ctx context.Context) (*worker, error) {
	const op = "typst.Compile"
	e.starts.Lock()
	defer e.starts.Unlock()
	x := &worker{cmd: e.command(), said: &tail{}}
	x.cmd.Stderr = x.said
	var err error
	if x.in, err = x.cmd.StdinPipe(); err != nil {
		return nil, internal(op, "the PDF engine's process does not start", err)
	}
	out, err := x.cmd.StdoutPipe()
	if err == nil {
		err = x.cmd.Start()
	}
	if err != nil {
		return nil, internal(op, "the PDF engine's process does not start", err)
	}
	x.to, x.from = gob.NewEncoder(x.in), gob.NewDecoder(bufio.NewReader(out))
	var hello done
	if err := x.during(ctx, func() error { return x.from.Decode(&hello) }); err != nil {
		x.kill()
		if ctx.Err() != nil {
			return nil, stopped(op, ctx)
		}
		return nil, internal(op, "the PDF engine's process does not start", x.why(err))
	}
	if err := hello.error(); err != nil {
		x.end()
		return nil, err
	}
	return x, nil
}

// answer asks for a document.
func (x *worker) answer(ctx context.Context, d document, answer *done) error {
	err := x.during(ctx, func() error {
		if err := x.to.Encode(d); err != nil {
			return err
		}
		return x.from.Decode(answer)
	})
	x.last = done{Memory: answer.Memory, Values: answer.Values}
	return err
}

// during runs f, and kills the process when ctx ends before it does.
func (x *worker) during(ctx context.Context, f func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = x.cmd.Process.Kill() })
	err := f()
	if !stop() && err == nil {
		err = ctx.Err() // killed, after it had answered
	}
	return err
}

// end lets a process that has nothing to do end by itself.
func (x *worker) end() {
	_ = x.in.Close()
	_ = x.cmd.Wait() // it had nothing to do: how it ended does not matter
}

func (x *worker) kill() {
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait()
}

// why adds what a process that has ended wrote last.
func (x *worker) why(err error) error {
	if said := x.said.String(); said != "" {
		return errors.New(said)
	}
	return err
}

// tail is the beginning of what a process writes to its standard error: a panic says
// first what it is.
type tail struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 4096 - t.b.Len(); room > 0 {
		t.b.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.b.String())
}
