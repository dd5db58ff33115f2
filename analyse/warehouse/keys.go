package warehouse

import (
	"context"
	"hash/maphash"
)

// mostKeys bounds the memory of Keys: some 150 MB.
const mostKeys = 8_000_000

// Keys remembers which keys of imported rows may stand in the facts, as hashes, so that
// a key that was never seen is not looked for. It may hold more than stands, never
// less; the zero value knows nothing.
type Keys struct {
	whole bool // every key that stands is in seen
	seen  map[uint64]struct{}
}

var keySeed = maphash.MakeSeed()

// Begin says that no imported rows stand.
func (k *Keys) Begin() { *k = Keys{whole: true, seen: map[uint64]struct{}{}} }

// Look finds out whether imported rows stand; if so, it is not known which.
func (k *Keys) Look(ctx context.Context, w Writer) error {
	var chunks int
	if err := w.Each(ctx, func(scan func(...any) error) error { return scan(&chunks) }, `SELECT count(*) FROM outcome`); err != nil {
		return err
	}
	*k = Keys{}
	if chunks == 0 {
		k.Begin()
	}
	return nil
}

// add tells whether the key may stand, and remembers it.
func (k *Keys) add(source string) bool {
	if !k.whole {
		return true
	}
	h := maphash.String(keySeed, source)
	if _, ok := k.seen[h]; ok {
		return true
	}
	if len(k.seen) == mostKeys {
		*k = Keys{}
		return true
	}
	k.seen[h] = struct{}{}
	return false
}
