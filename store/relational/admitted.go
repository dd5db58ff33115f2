package relational

import (
	"sync"

	"dtm"
)

// admitted remembers which devices tokens have admitted, by the tokens' hashes, until
// anything but a submission is written: the next request of a device that was
// withdrawn or moved meanwhile asks the file.
type admitted struct {
	mu      sync.RWMutex
	devices map[string]dtm.Device
	cleared int // how often
}

// admittedMost bounds the memory; an operation has a few hundred devices.
const admittedMost = 10_000

func (a *admitted) find(hash string) (d dtm.Device, cleared int, ok bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	d, ok = a.devices[hash]
	return d, a.cleared, ok
}

// add remembers what the file said after cleared was read, unless something has been
// written since.
func (a *admitted) add(hash string, d dtm.Device, cleared int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cleared != cleared {
		return
	}
	if a.devices == nil || len(a.devices) >= admittedMost {
		a.devices = map[string]dtm.Device{}
	}
	a.devices[hash] = d
}

// clear is called after a commit and before anybody is told of it.
func (a *admitted) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.devices = nil
	a.cleared++
}
