package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSteps: who waits for a long work is told which step goes on, and nothing is
// written any more when it has ended.
func TestSteps(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		var said []string
		heard := make(chan string)
		at, end := plainSteps(func(step string, _ time.Duration) { heard <- step }, time.Millisecond)
		at("reading")
		for len(said) < 2 {
			if s := <-heard; s != "" {
				said = append(said, s)
			}
		}
		at("printing")
		for said[len(said)-1] != "printing" {
			said = append(said, <-heard)
		}
		var ended sync.WaitGroup
		ended.Go(end)
		go func() { // one more may be on its way
			for range heard { //nolint:revive // read until closed
			}
		}()
		ended.Wait()
		close(heard) // a send after the end would panic
		if said[0] != "reading" {
			t.Errorf("said %q", said)
		}
	})
	t.Run("a terminal", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		c := &call{err: &b, tty: true, width: 80}
		at, end := c.steps()
		at("choosing what is withheld")
		end()
		if !strings.Contains(b.String(), "choosing what is withheld") {
			t.Errorf("the terminal shows %q", b.String())
		}
	})
}
