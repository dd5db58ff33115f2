package typst

import (
	"encoding/gob"
	"io"
)

// Ask waits until the process behind in and out has started, and hands it a document.
func Ask(in io.Writer, out io.Reader, main string, files map[string][]byte) error {
	var hello done
	if err := gob.NewDecoder(out).Decode(&hello); err != nil {
		return err
	}
	return gob.NewEncoder(in).Encode(document{main, files})
}

// Live is the number of values that the compilers of the idle engine hold, and the
// bytes that they have taken.
func (e *Engine) Live() (values, memory int) {
	for range copies {
		<-e.turn
		defer func() { e.turn <- struct{}{} }()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.idle {
		values, memory = values+x.last.Values, memory+x.last.Memory
	}
	return values, memory
}

// Kill kills the processes of the idle engine, which does not know of it.
func (e *Engine) Kill() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.idle {
		if x.cmd.Process.Kill() == nil {
			n++
		}
	}
	return n
}

const (
	Copies  = copies
	RenewAt = copies * renewAt // memory of all copies after which they are renewed
)
