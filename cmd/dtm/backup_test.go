package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBackup: what is no whole backup is refused, and no folder is left.
func TestBackup(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	dtmRun(t, "backup", "-data", data, "-out", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cut": whole[:len(whole)/2], "empty": nil, "changed": slices.Concat(whole[:len(whole)/3], []byte{whole[len(whole)/3] ^ 1}, whole[len(whole)/3+1:])} {
		bad, to := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "new")
		write(t, bad, string(b))
		if code, _, stderr := dtmTry(t, "restore", "-data", to, bad); code != 1 || !strings.Contains(stderr, "whole backup") {
			t.Errorf("%s: exit %d, %s", name, code, stderr)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: a folder is left", name)
		}
	}
	if code, _, stderr := dtmTry(t, "restore", "-data", data, file); code != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("over a folder in use: exit %d, %s", code, stderr)
	}
}
