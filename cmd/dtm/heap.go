package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// servingMemory is what Go's heap of a server is kept near, the ballast included: with
// it what large requests leave behind is collected before the next ones come. More
// is taken when more is in use.
const servingMemory = 176 << 20

// heapEvery is how often what is in use is looked at.
const heapEvery = 5 * time.Second

// keepHeap raises the limit with what is in use, until ctx ends: a limit below it would
// have the garbage collector run without an end, a quarter of a processor at rest.
func keepHeap(ctx context.Context) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(heapEvery)
	defer tick.Stop()
	for {
		metrics.Read(live)
		debug.SetMemoryLimit(max(servingMemory, 2*int64(live[0].Value.Uint64())))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
