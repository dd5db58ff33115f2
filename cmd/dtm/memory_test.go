package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMemory: the parts of a server's memory are named and counted, profiles are kept for
// who looks for what grows; without a server there is nothing to tell.
func TestMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	dtmRun(t, "init", "-data", data)
	if code, _, stderr := dtmTry(t, "memory", "-data", data); code != 1 || !strings.Contains(stderr, "no server runs") {
		t.Errorf("without a server: exit %d, %s", code, stderr)
	}
	inside(t, data, func(ctx context.Context, h *house) {
		var out, errs bytes.Buffer
		c := &call{args: []string{"memory", "-data", data, "-collect", "-format", "json", "-out", "kept"}, dir: dir, env: testEnv, out: &out, err: &errs, folders: folders{running: h}}
		cmd, rest, _ := find(c.args)
		c.command, c.rest = cmd, rest
		if code := c.exit(cmd.run(ctx, c)); code != 0 {
			t.Fatal(errs.String())
		}
		var list []held
		if err := json.Unmarshal(out.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		parts := map[string]int64{}
		for _, x := range list {
			if _, twice := parts[x.What]; twice {
				t.Errorf("%s stands there twice", x.What)
			}
			parts[x.What] = x.Bytes
		}
		if r := parts["resident"]; r < 10<<20 || r != parts["resident, of no file"]+parts["resident, of files"]+parts["resident, shared"] {
			t.Errorf("resident: %v", parts)
		}
		if parts["go heap/objects"] < parts["go heap/objects, of them never touched"] || parts["warehouse BASE_TABLE"] == 0 || parts["duckdb objects"] < 1<<20 || parts["duckdb objects"] > parts["resident"] {
			t.Errorf("in use: %v", parts)
		}
	})
	for _, name := range []string{"heap.pprof", "goroutine.pprof"} {
		b, err := os.ReadFile(filepath.Join(dir, "kept", name))
		if err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
}
