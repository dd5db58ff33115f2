package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"strconv"
	"text/tabwriter"

	"dtm"
	"dtm/analyse/warehouse/duckdb"
)

// held is a part of a process's memory.
type held struct {
	What  string `json:"what"`
	Bytes int64  `json:"bytes"`
}

// runMemory tells what the memory of a folder's server is taken by.
func runMemory(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	collect := fs.Bool("collect", false, "collect garbage first and give back what is free: what is left is in use")
	out := fs.String("out", "", "keep heap.pprof and goroutine.pprof in this `folder`, for go tool pprof")
	format := fs.String("format", "table", "table or json")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *format != "table" && *format != "json" {
		return wrongUse("-format %q: want table or json", *format)
	}
	if *data == "" {
		return wrongUse("-data is missing: which data folder?")
	}
	h := c.folders.running
	if h == nil {
		return dtm.Errorf(dtm.Unavailable, "no server runs on this data folder").At(*data)
	}
	if *collect {
		runtime.GC() // what finalizers held is free at the second collection
		debug.FreeOSMemory()
		if err := duckdb.GiveBack(); err != nil {
			return err
		}
	}
	list, err := h.memory(ctx)
	if err != nil {
		return err
	}
	if *out != "" {
		if err := profile(c.path(*out)); err != nil {
			return err
		}
	}
	if *format == "json" {
		return json.NewEncoder(c.out).Encode(list)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, x := range list {
		fmt.Fprintf(w, "%.1f MB\t  %s\n", float64(x.Bytes)/(1<<20), x.What)
	}
	return w.Flush()
}

// memory is the memory of this process: resident by kind, Go's by use, DuckDB's by use.
func (h *house) memory(ctx context.Context) ([]held, error) {
	list, err := resident("self")
	if err != nil {
		return nil, err
	}
	samples := []metrics.Sample{}
	names := []string{"heap/objects", "heap/unused", "heap/free", "heap/stacks", "os-stacks", "metadata/other", "profiling/buckets", "other"}
	for _, n := range names {
		samples = append(samples, metrics.Sample{Name: "/memory/classes/" + n + ":bytes"})
	}
	metrics.Read(samples)
	for i, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			list = append(list, held{"go " + names[i], int64(s.Value.Uint64())})
		}
	}
	list = append(list, held{"go heap/objects, of them never touched", int64(len(ballast))})
	pdf, err := h.printer.memory()
	if err != nil {
		return nil, err
	}
	list = append(list, held{"PDF engine, in processes of its own", pdf})
	if n := duckdb.Objects(); n > 0 {
		list = append(list, held{"duckdb objects", n})
	}
	tell := func(name string, from any) error {
		w, ok := from.(interface {
			Memory(context.Context) (map[string]int64, error)
		})
		if !ok {
			return nil // on a database server
		}
		by, err := w.Memory(ctx)
		for _, tag := range slices.Sorted(maps.Keys(by)) {
			list = append(list, held{name + " " + tag, by[tag]})
		}
		return err
	}
	if err := tell("warehouse", h.facts); err != nil {
		return nil, err
	}
	for _, b := range h.shelf.open() {
		b.mu.Lock()
		facts := b.facts
		b.mu.Unlock()
		if facts != nil {
			_ = tell("release "+b.source.Frozen.Number, facts) // closed meanwhile, it holds nothing
		}
	}
	return list, nil
}

var residentLine = regexp.MustCompile(`(?m)^(RssAnon|RssFile|RssShmem):\s+(\d+) kB$`)

// resident is what the kernel says of a process.
func resident(pid string) ([]held, error) {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return nil, err
	}
	list := []held{{What: "resident"}}
	names := map[string]string{"RssAnon": "resident, of no file", "RssFile": "resident, of files", "RssShmem": "resident, shared"}
	for _, m := range residentLine.FindAllSubmatch(b, -1) {
		n, err := strconv.ParseInt(string(m[2]), 10, 64)
		if err != nil {
			return nil, err
		}
		list[0].Bytes += n << 10
		list = append(list, held{names[string(m[1])], n << 10})
	}
	return list, nil
}

// profile writes profiles of this process.
func profile(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var errs []error
	for _, name := range []string{"heap", "goroutine"} {
		f, err := os.OpenFile(filepath.Join(dir, name+".pprof"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		errs = append(errs, pprof.Lookup(name).WriteTo(f, 0), f.Close())
	}
	return errors.Join(errs...)
}
