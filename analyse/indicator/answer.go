package indicator

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"
)

// answers remembers what the texts gave at one state of the data: the figures of
// a page rest on the same few sums. It goes when the state does.
type answers struct {
	mu    sync.Mutex
	lines map[string][]line
	one   singleflight.Group
}

// maxAnswers bounds the memory: some hundred bytes each, but for tables by day and
// point.
const maxAnswers = 4096

// get returns the lines of a text, from read when they are not there. Who asks
// for the same at the same time waits for the first. The keys are the caller's; the
// numbers are shared and not to be changed.
func (a *answers) get(body string, args []any, read func() ([]line, error)) ([]line, error) {
	key := fmt.Sprintf("%s\x00%q", body, args)
	a.mu.Lock()
	known, ok := a.lines[key]
	a.mu.Unlock()
	if ok {
		return own(known), nil
	}
	got, err, _ := a.one.Do(key, func() (any, error) { return read() })
	if err != nil {
		// The first may have given up because its own reader went away.
		return read()
	}
	lines := got.([]line)
	a.mu.Lock()
	if a.lines == nil || len(a.lines) >= maxAnswers {
		a.lines = map[string][]line{}
	}
	a.lines[key] = lines
	a.mu.Unlock()
	return own(lines), nil
}

func own(lines []line) []line {
	out := make([]line, len(lines))
	for i, l := range lines {
		out[i] = line{slices.Clone(l.keys), l.code, l.numbers}
	}
	return out
}
