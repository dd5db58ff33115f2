package openrosa_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkSubmit: 32 clients on kept connections send forms of 2 kB without
// photo, client and server in one process. It reports durable submissions per
// second and the 99th percentile in milliseconds.
func BenchmarkSubmit(b *testing.B) {
	p := newPhone(b)
	p.publish("fmr", "1")
	note := strings.Repeat("<n><people>12</people><sex>female</sex><age>adult</age></n>", 30)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	defer client.CloseIdleConnections()
	var next atomic.Uint32
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for range 32 {
		wg.Go(func() {
			var own []time.Duration
			for {
				n := next.Add(1)
				if int(n) > b.N {
					break
				}
				// As scattered as the random ids of phones.
				typ, part := body(instance("fmr", "1", fmt.Sprintf("uuid:%08x-%d", n*2654435761, n), "", note))
				sent := time.Now()
				res, err := client.Post(p.base+"/submission", typ, bytes.NewReader(part.Bytes()))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != 201 {
					b.Errorf("status %d", res.StatusCode)
					return
				}
				own = append(own, time.Since(sent))
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	took := time.Since(start)
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/took.Seconds(), "submissions/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
