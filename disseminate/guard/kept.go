package guard

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Months whose patterns are remembered, and how many of each. A month that is running
// has another pattern with every record that comes in, and nobody asks for those before:
// only readers who are between two states of the data do.
const (
	keptMonths = 512
	keptOf     = 3
)

// kept remembers patterns by month and by what they were chosen of.
type kept struct {
	months *lru.Cache[slot, *lru.Cache[[sha256.Size]byte, *Pattern]]
}

func newKept() kept {
	months, err := lru.New[slot, *lru.Cache[[sha256.Size]byte, *Pattern]](keptMonths)
	if err != nil {
		panic(err) // the size is not positive
	}
	return kept{months}
}

func (k kept) get(of slot, id [sha256.Size]byte) (*Pattern, bool) {
	list, ok := k.months.Get(of)
	if !ok {
		return nil, false
	}
	return list.Get(id)
}

func (k kept) add(of slot, id [sha256.Size]byte, p *Pattern) {
	list, err := lru.New[[sha256.Size]byte, *Pattern](keptOf)
	if err != nil {
		panic(err)
	}
	if before, ok, _ := k.months.PeekOrAdd(of, list); ok {
		list = before
	}
	list.Add(id, p)
}
