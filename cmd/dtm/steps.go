package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// steps shows which step of a long work goes on: on a terminal as a line that moves with
// the time it has taken, elsewhere as a plain line for each step that begins, or still
// goes on, after five seconds. end takes the line away and waits for its writer.
func (c *call) steps() (at func(step string), end func()) {
	if c.tty {
		bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(c.err), progressbar.OptionSpinnerType(14), progressbar.OptionSetWidth(10),
			progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish())
		return bar.Describe, func() { _ = bar.Finish() } // a line that cannot be drawn does not stop the work
	}
	return plainSteps(func(step string, since time.Duration) { fmt.Fprintf(c.err, "%s (%s)\n", step, since) }, 5*time.Second)
}

// plainSteps says the step that goes on, every so often.
func plainSteps(say func(step string, since time.Duration), every time.Duration) (at func(step string), end func()) {
	var mu sync.Mutex
	step, began := "", time.Now()
	ticker, done, gone := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				mu.Lock()
				now := step
				mu.Unlock()
				say(now, time.Since(began).Round(time.Second))
			case <-done:
				return
			}
		}
	}()
	return func(s string) {
			mu.Lock()
			defer mu.Unlock()
			step = s
		}, func() {
			close(done)
			<-gone
		}
}
