// Package bindgen keeps the values that a WebAssembly module built for a browser by
// wasm-bindgen holds by number: values go in, numbers (handles) come out, and the other
// way about. The PDF engine and the painter of pictures are such modules.
package bindgen

import "fmt"

// first is the number of the first handle given out: those below belong to undefined,
// null, true and false in the places that such a module knows.
const first = 132

// Undefined is JavaScript's undefined.
type Undefined struct{}

// Handles gives values to a module by number. Its length is bounded by what is alive,
// since dropped numbers are given again.
type Handles struct {
	values []any
	free   []uint32
	live   int
}

// NewHandles are those of a module that holds nothing yet.
func NewHandles() *Handles {
	h := &Handles{values: make([]any, first)}
	for i := range h.values {
		h.values[i] = Undefined{}
	}
	h.values[129], h.values[130], h.values[131] = nil, true, false
	return h
}

// Live is the number of values that are held.
func (h *Handles) Live() int { return h.live }

// Add holds a value until it is taken.
func (h *Handles) Add(v any) uint64 {
	h.live++
	if n := len(h.free); n > 0 {
		i := h.free[n-1]
		h.free = h.free[:n-1]
		h.values[i] = v
		return uint64(i)
	}
	h.values = append(h.values, v)
	return uint64(len(h.values) - 1)
}

// Get is the value of a handle. It panics at a number that was never given out: inside a
// host function that ends the module's call with an error.
func (h *Handles) Get(i uint64) any {
	if uint64(uint32(i)) >= uint64(len(h.values)) {
		panic(fmt.Errorf("the module used the unknown handle %d", uint32(i)))
	}
	return h.values[uint32(i)]
}

// Take is Get, after which the handle holds nothing.
func (h *Handles) Take(i uint64) any {
	v := h.Get(i)
	if n := uint32(i); n >= first {
		h.values[n] = Undefined{}
		h.free = append(h.free, n)
		h.live--
	}
	return v
}
