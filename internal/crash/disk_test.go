package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func x(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
	}
	return b.String()
}

// TestReadTrace: calls below the folder, whole and interrupted, with and without an
// offset, by path and by folder; what failed and what lies elsewhere is left out.
func TestReadTrace(t *testing.T) {
	t.Parallel()
	fd := func(n int, p string) string { return fmt.Sprintf("%d<%s>", n, x(p)) }
	trace := strings.Join([]string{
		`7  10.5 openat(AT_FDCWD<` + x("/") + `>, "` + x("/d/a") + `", O_RDWR|O_CREAT|O_EXCL, 0600) = ` + fd(3, "/d/a"),
		`7  10.6 openat(AT_FDCWD<` + x("/") + `>, "` + x("/etc/x") + `", O_RDONLY) = ` + fd(4, "/etc/x"),
		`7  10.7 write(` + fd(3, "/d/a") + `, "` + x("abc") + `", 3) = 3`,
		`7  10.8 write(` + fd(3, "/d/a") + `, "` + x("de") + `", 2 <unfinished ...>`,
		`8  10.9 pwrite64(` + fd(5, "/d/b") + `, "` + x("zz") + `", 2, 4096) = 2`,
		`7  11.0 <... write resumed>) = 2`,
		`7  11.1 fsync(` + fd(3, "/d/a") + ` <unfinished ...>`,
		`8  11.2 mkdirat(AT_FDCWD<` + x("/") + `>, "` + x("/d/no") + `", 0750) = -1 EEXIST (File exists)`,
		`7  11.3 <... fsync resumed>) = 0`,
		`8  11.4 renameat(` + fd(6, "/d") + `, "` + x("a") + `", ` + fd(6, "/d") + `, "` + x("sub/c") + `") = 0`,
		`8  11.5 ftruncate(` + fd(5, "/d/b") + `, 100) = 0`,
		`8  11.6 --- SIGURG {si_signo=SIGURG} ---`,
		`8  11.7 unlinkat(AT_FDCWD<` + x("/") + `>, "` + x("/d/b") + `", 0) = 0`,
		`8  11.8 write(` + fd(9, "socket:[1]") + `, "` + x("HTTP") + `", 4) = 4`,
		`8  11.9 +++ killed by SIGKILL +++`, ``}, "\n")
	var got []string
	err := readTrace(strings.NewReader(trace), "/d", func(o op) error {
		got = append(got, fmt.Sprintf("%.1f %s %s %s %d %s %v", o.at, o.what, o.path, o.to, o.off, o.data, o.make))
		return nil
	})
	want := []string{
		"10.5 open a  0  true", "10.7 write a  0 abc false", "10.9 write b  4096 zz false", "10.8 write a  3 de false",
		"11.1 sync a  0  false", "11.4 rename a sub/c 0  false", "11.5 size b  100  false", "11.7 remove b  0  false",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
	}
	for _, bad := range []string{
		`7  1.0 writev(` + fd(3, "/d/a") + `, [{iov_base="` + x("a") + `", iov_len=1}], 1) = 1` + "\n",
		`7  1.0 write(` + fd(3, "/d/a") + `, "` + x("a") + `"..., 99) = 99` + "\n",
	} {
		if err := readTrace(strings.NewReader(bad), "/d", func(op) error { return nil }); err == nil {
			t.Errorf("not refused: %s", bad)
		}
	}
}

// TestDisk: what was synced, contents and name, is there after every power cut, byte
// for byte; what was not is sometimes there, sometimes not, sometimes in part.
func TestDisk(t *testing.T) {
	t.Parallel()
	d, err := newDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.Repeat([]byte("safe"), 1000)
	late := bytes.Repeat([]byte("late"), 1000)
	for _, o := range []op{
		{what: "folder", path: "f"}, {what: "sync", path: "."},
		{what: "open", path: "f/tmp", make: true}, {what: "write", path: "f/tmp", data: whole}, {what: "sync", path: "f/tmp"},
		{what: "rename", path: "f/tmp", to: "f/safe"}, {what: "sync", path: "f"},
		{what: "write", path: "f/safe", off: int64(len(whole)), data: late},
		{what: "open", path: "f/name", make: true}, {what: "write", path: "f/name", data: []byte("x")}, {what: "sync", path: "f/name"},
	} {
		if err := d.do(o); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	seen := map[string]int{}
	for range 200 {
		dir := t.TempDir()
		if err := d.fail(dir, r); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "f", "safe"))
		if err != nil || !bytes.HasPrefix(got, whole) {
			t.Fatalf("what was synced is not there: %v", err)
		}
		switch rest := got[len(whole):]; {
		case len(rest) == 0:
			seen["none of it"]++
		case bytes.Equal(rest, late):
			seen["all of it"]++
		default:
			seen["some of it"]++
		}
		if _, err := os.Stat(filepath.Join(dir, "f", "name")); err == nil {
			seen["the name"]++
		} else {
			seen["no name"]++
		}
		if _, err := os.Stat(filepath.Join(dir, "f", "tmp")); err == nil {
			t.Error("a name is back that was given up, and that was synced")
		}
	}
	if len(seen) != 5 {
		t.Errorf("seen: %v", seen)
	}
}
