package maps

import (
	"bytes"
	"sync"

	"dtm"
)

// Bases gives the base map of an operation's areas as they are now, parsing each set
// of boundaries once: areas are replaced while the program runs, and releases keep
// theirs. It may be used by several goroutines.
type Bases struct {
	mu   sync.Mutex
	list []parsed // the last used one first
}

type parsed struct {
	raw  []byte
	base *Base
}

// mostBases is how many sets of boundaries are kept.
const mostBases = 6

// Of is the map of the areas that op has now; nil when it has no boundaries. Errors are
// those of Parse.
func (b *Bases) Of(op *dtm.Operation) (*Base, error) {
	raw := op.Atlas().Boundaries
	if len(raw) == 0 {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.list {
		if len(p.raw) == len(raw) && (&p.raw[0] == &raw[0] || bytes.Equal(p.raw, raw)) {
			copy(b.list[1:i+1], b.list[:i])
			b.list[0] = p
			return p.base, nil
		}
	}
	base, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	b.list = append([]parsed{{raw, base}}, b.list...)
	b.list = b.list[:min(len(b.list), mostBases)]
	return base, nil
}
