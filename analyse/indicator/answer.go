package indicator

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

// answers remembers what the texts gave, by what they rest on: the figures of a page
// rest on the same few sums, and most months are as they were when the next page asks.
type answers struct {
	mu    sync.Mutex
	known *simplelru.LRU[[sha256.Size]byte, remembered] // by question
	bytes int                                           // of all, about
	one   singleflight.Group
}

// remembered is the last answer to a question. What it was of earlier records nobody asks
// for again: a month that is running has another with every record that comes in.
type remembered struct {
	stands string
	lines  []line
	bytes  int
}

// maxAnswers and maxBytes bound the memory: most answers are some hundred bytes, tables by
// day and point some hundred thousand.
const (
	maxAnswers = 4096
	maxBytes   = 32 << 20
)

// get returns the lines of a text, from read when they are not there. Who asks
// for the same at the same time waits for the first. The slice is the caller's;
// keys and numbers are shared and not to be changed.
func (a *answers) get(stands, body string, args []any, read func() ([]line, error)) ([]line, error) {
	question := sha256.Sum256(fmt.Appendf(nil, "%s\x00%q", body, args))
	if known, ok := a.look(question, stands); ok {
		return slices.Clone(known), nil
	}
	got, err, _ := a.one.Do(string(question[:])+stands, func() (any, error) { return read() })
	if err != nil {
		// The first may have given up because its own reader went away.
		return read()
	}
	lines := got.([]line)
	a.keep(question, remembered{stands, lines, weigh(lines)})
	return slices.Clone(lines), nil
}

func (a *answers) look(question [sha256.Size]byte, stands string) ([]line, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		return nil, false
	}
	x, ok := a.known.Get(question)
	return x.lines, ok && x.stands == stands
}

func (a *answers) keep(question [sha256.Size]byte, x remembered) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		var err error
		if a.known, err = simplelru.NewLRU(maxAnswers, func(_ [sha256.Size]byte, x remembered) { a.bytes -= x.bytes }); err != nil {
			panic(err) // the size is not positive
		}
	}
	a.known.Remove(question)
	a.known.Add(question, x)
	for a.bytes += x.bytes; a.bytes > maxBytes; {
		a.known.RemoveOldest()
	}
}

// weigh is about how many bytes lines take.
func weigh(lines []line) (bytes int) {
	for _, l := range lines {
		bytes += 64 + len(l.code) + 16*len(l.numbers)
		for _, k := range l.keys {
			bytes += 16 + len(k)
		}
	}
	return bytes
}
