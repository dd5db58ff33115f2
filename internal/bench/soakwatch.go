package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// held is what a server holds while nothing is asked of it, garbage collected and free
// memory given back.
type held [len(watched)]float64

// watched is what must not grow: by more a simulated day than is allowed, which is what
// the records of such a day take in indexes and tables that are in memory, once beyond
// what it may fill. bound is that: 0 for what has none.
var watched = [...]struct {
	name    string
	allowed float64 // a day
	bound   float64
	value   func(*watcher, reading) float64
}{
	{"resident memory MB", 12, 0, func(_ *watcher, s reading) float64 { return s.memory("resident") - s.memory(objects) }},
	{"in use by Go MB", 4, 0, func(_ *watcher, s reading) float64 { return s.memory("go heap/objects") }},
	{"processes for PDFs MB", 4, 512, func(_ *watcher, s reading) float64 { return s.memory(press) }}, // two copies of the compiler
	{"in use by DuckDB MB", 4, 0, func(_ *watcher, s reading) float64 { return s.memory("warehouse ", "release ") }},
	{"objects of DuckDB MB", 4, mostObjects, func(_ *watcher, s reading) float64 { return s.memory(objects) }},
	{"goroutines", 2, 0, func(_ *watcher, s reading) float64 { return s.metric("go_goroutines") }},
	{"descriptors", 2, 0, func(_ *watcher, s reading) float64 { return s.metric("process_open_fds") }},
	{"WAL of the store MB", 1, 64, func(w *watcher, _ reading) float64 { return w.size("dtm.db-wal") }},            // journal_size_limit
	{"WAL of the warehouse MB", 1, 256, func(w *watcher, _ reading) float64 { return w.size("facts.duckdb.wal") }}, // checkpoint_threshold
}

// press is what the PDF engine's processes hold between two reports: they end when there is
// none for ten minutes, and it rises and falls with the reports. It is in no other line.
const press = "PDF engine, in processes of its own"

// objects are what DuckDB holds beside the blocks that it counts. It notes each block that
// may be evicted, those too that a question needed for itself, and the note of one that is
// gone keeps some 240 bytes until it is cleared away. That is tried at every 4,096th, once
// 32,768 stand in a queue; there are eight (its buffer_pool.cpp). The rest is 3 MB of catalog
// for the warehouse and each of four releases. They are in no other line.
const objects = "duckdb objects"

const mostObjects = 8*(32_768+4_096)*240.0/(1<<20) + 5*3 // 82

// reading is what the server said of itself.
type reading struct {
	parts []struct {
		What  string
		Bytes int64
	}
	metrics []byte
}

// memory adds up the parts whose names are or begin with one given.
func (s reading) memory(names ...string) (mb float64) {
	for _, p := range s.parts {
		if slices.ContainsFunc(names, func(n string) bool { return p.What == n || strings.HasSuffix(n, " ") && strings.HasPrefix(p.What, n) }) {
			mb += float64(p.Bytes) / (1 << 20)
		}
	}
	return mb
}

func (s reading) metric(name string) float64 {
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(s.metrics)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(string(m[1]), 64)
	return v
}

// watcher looks at a server.
type watcher struct {
	s         *server
	bin, data string
	keep      string // profiles
	looks     int

	resident []float64 // while it works, in MB
}

func (w *watcher) size(name string) float64 {
	st, err := os.Stat(filepath.Join(w.data, name))
	if err != nil {
		return 0
	}
	return float64(st.Size()) / (1 << 20)
}

// look has the server collect its garbage and says what is left.
func (w *watcher) look() (h held, err error) {
	var s reading
	args := []string{"memory", "-data", w.data, "-collect", "-format", "json"}
	if w.keep != "" {
		args = append(args, "-out", filepath.Join(w.keep, fmt.Sprintf("%02d", w.looks)))
	}
	w.looks++
	for range 2 { // what is free only when the first has run finalizers
		out, err := exec.Command(w.bin, args...).Output()
		if err != nil {
			return h, fmt.Errorf("dtm memory: %w", err)
		}
		if err := json.Unmarshal(out, &s.parts); err != nil {
			return h, err
		}
	}
	if s.metrics, _, err = get(w.s.base + "/metrics"); err != nil {
		return h, err
	}
	for i, x := range watched {
		h[i] = x.value(w, s)
	}
	return h, nil
}

// watch notes the memory of the server while it works.
func (w *watcher) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(max(every, 200*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if mb, err := strconv.ParseFloat(strings.TrimSuffix(w.s.memory(), " MB"), 64); err == nil {
			w.resident = append(w.resident, mb)
		}
	}
}

// busy prints what the server had while it worked: requests under way and garbage
// that waits are in it.
func (w *watcher) busy() {
	v := slices.Sorted(slices.Values(w.resident))
	if len(v) == 0 {
		return
	}
	line("resident memory while it works", fmt.Sprintf("middle %.0f MB, most %.0f MB", v[len(v)/2], v[len(v)-1]), "")
}

var errGrows = errors.New("something grows")

// tell prints what was held at the ends of the parts, and gives errGrows when one of
// them grows.
func tell(before held, ends []held, hours int) error {
	if len(ends) < warmUp+3 {
		return fmt.Errorf("only %d looks at the server", len(ends))
	}
	fmt.Printf("at rest after each %d of the hours, garbage collected; the first %d are warming up\n", hours/parts, warmUp)
	var bad error
	for i, x := range watched {
		v := []float64{before[i]}
		for _, h := range ends {
			v = append(v, h[i])
		}
		g := growthOf(v[1+warmUp:])
		aDay := g.slope * parts * 24 / float64(hours)
		g.slope = aDay
		verdict := "does not grow"
		if g.grows(v[len(v)-1], x.allowed, x.bound) {
			verdict, bad = "GROWS", errGrows
		}
		fmt.Printf("%-24s", x.name)
		for n, y := range v {
			if n == 1 || n == 1+warmUp {
				fmt.Print(" |")
			}
			fmt.Printf(" %.1f", y)
		}
		fmt.Printf(" | %+.2f a day, allowed %g", aDay, x.allowed)
		if x.bound > 0 {
			fmt.Printf(" beyond %g", x.bound)
		}
		fmt.Printf("; trend %+.1f: %s\n", g.trend, verdict)
	}
	return bad
}
