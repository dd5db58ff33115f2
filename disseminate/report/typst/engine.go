package typst

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"dtm"
)

// copies of the compiler that work at the same time: a report is wanted in two
// languages. Each holds up to renewAt of memory beside its machine code.
const copies = 2

// idleFor is how long a process waits for its next document: at rest there is none.
const idleFor = 10 * time.Minute

// Engine compiles documents, a few at a time in the order of asking, each in a process
// that does nothing else: what the compiler takes is given back when its process ends, a
// document that would never end is stopped by killing it, and a fault ends nothing else.
// It is safe for concurrent use.
type Engine struct {
	command func() *exec.Cmd
	turn    chan struct{} // as many as may still begin
	mu      sync.Mutex
	idle    []*worker // that wait, the one used last at the end
	closed  bool
	starts  sync.Mutex // held while one starts: the first may have to make the machine code
}

// New makes an engine whose processes are what command gives, anew each time: programs
// that run Work on their standard input and output. The first starts with the first
// document, or at Start, which takes half a minute when there is no machine code yet and
// half a second otherwise. One that waits for ten minutes ends.
func New(command func() *exec.Cmd) *Engine {
	e := &Engine{command: command, turn: make(chan struct{}, copies)}
	for range copies {
		e.turn <- struct{}{}
	}
	return e
}

// Start starts a process and returns when it is ready. Errors: Unavailable when ctx ends
// first or the engine is closed, and those of Work.
func (e *Engine) Start(ctx context.Context) error {
	x, err := e.take(ctx)
	if err == nil {
		e.rest(x)
	}
	return err
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
	var size int
	for _, data := range files {
		size += len(data)
	}
	if size > inputLimit {
		return nil, &dtm.Error{Kind: dtm.TooLarge, Op: op, Msg: fmt.Sprintf("the files of the document have %d MB; at most %d MB are taken", size>>20, inputLimit>>20)}
	}
	answer, err := e.ask(ctx, document{main, files})
	if err != nil {
		return nil, err
	}
	return answer.PDF, answer.error()
}

// ask has a process answer. One that has ended while it waited, as by whoever kills
// what is idle when memory is short, is replaced.
func (e *Engine) ask(ctx context.Context, d document) (answer done, err error) {
	const op = "typst.Compile"
	for {
		x, err := e.take(ctx)
		if err != nil {
			return done{}, err
		}
		answer = done{}
		if err = x.answer(ctx, d, &answer); err == nil {
			e.rest(x)
			return answer, nil
		}
		x.kill()
		e.turn <- struct{}{}
		if ctx.Err() != nil {
			return done{}, stopped(op, ctx)
		}
		if !x.rested {
			return done{}, internal(op, "the PDF engine's process ended", x.why(err))
		}
	}
}

// Processes are those that wait for a document.
func (e *Engine) Processes() (pids []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.idle {
		pids = append(pids, x.cmd.Process.Pid)
	}
	return pids
}

// Close ends the processes after the documents they are at. Later calls are refused.
func (e *Engine) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if again {
		return nil
	}
	for range copies {
		<-e.turn
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.idle {
		x.rests.Stop()
		x.end()
	}
	e.idle = nil
	for range copies {
		e.turn <- struct{}{} // whoever waits takes it and sees that the engine is closed
	}
	return nil
}

// take waits for a turn and gives a process that is ready. What was taken is given back
// by rest, or its turn when it was killed.
func (e *Engine) take(ctx context.Context) (*worker, error) {
	const op = "typst.Compile"
	if ctx.Err() != nil {
		return nil, stopped(op, ctx)
	}
	select {
	case <-ctx.Done():
		return nil, stopped(op, ctx)
	case <-e.turn:
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		e.turn <- struct{}{}
		return nil, errClosed(op)
	}
	if n := len(e.idle); n > 0 {
		x := e.idle[n-1]
		e.idle = e.idle[:n-1]
		x.rests.Stop()
		x.rested = true
		e.mu.Unlock()
		return x, nil
	}
	e.mu.Unlock()
	x, err := e.begin(ctx)
	if err != nil {
		e.turn <- struct{}{}
	}
	return x, err
}

// rest keeps a process for the next document, for a while.
func (e *Engine) rest(x *worker) {
	e.mu.Lock()
	x.rests = time.AfterFunc(idleFor, func() { e.dismiss(x) })
	e.idle = append(e.idle, x)
	e.mu.Unlock()
	e.turn <- struct{}{}
}

// dismiss ends a process that has waited long, unless it has work again.
func (e *Engine) dismiss(x *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.idle {
		if e.idle[i] == x {
			e.idle = append(e.idle[:i], e.idle[i+1:]...)
			x.end()
			return
		}
	}
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
