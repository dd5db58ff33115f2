package indicator

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// answers remembers what the texts gave, by what they rest on: the figures of a page
// rest on the same few sums, and most months are as they were when the next page asks.
type answers struct {
	once  sync.Once
	lines *lru.Cache[[sha256.Size]byte, []line]
	one   singleflight.Group
}

// maxAnswers bounds the memory: some hundred bytes each, but for tables by day and
// point.
const maxAnswers = 4096

// get returns the lines of a text, from read when they are not there. Who asks
// for the same at the same time waits for the first. The slice is the caller's;
// keys and numbers are shared and not to be changed.
func (a *answers) get(stands, body string, args []any, read func() ([]line, error)) ([]line, error) {
	a.once.Do(func() {
		var err error
		if a.lines, err = lru.New[[sha256.Size]byte, []line](maxAnswers); err != nil {
			panic(err) // the size is not positive
		}
	})
	key := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%q", stands, body, args))
	if known, ok := a.lines.Get(key); ok {
		return slices.Clone(known), nil
	}
	got, err, _ := a.one.Do(string(key[:]), func() (any, error) { return read() })
	if err != nil {
		// The first may have given up because its own reader went away.
		return read()
	}
	lines := got.([]line)
	a.lines.Add(key, lines)
	return slices.Clone(lines), nil
}
