package typst_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/report"
	"dtm/disseminate/report/typst"
)

// cache is kept between runs: making the machine code takes half a minute, under
// the race detector many minutes, so that another process makes it.
const cache = "../../../.cache/typst"

func TestMain(m *testing.M) {
	report.Work()
	cmd := exec.Command("go", "run", "./internal/assets", "-warm", ".cache/typst")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the PDF engine cannot be prepared: %v: %s\n", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// shared serves the tests that do not need an engine of their own: under the
// race detector a start takes long.
var shared = report.NewPress(cache)

func engine(t *testing.T) *typst.Engine { return shared }

func start(t *testing.T) *typst.Engine {
	t.Helper()
	e := report.NewPress(cache)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func doc(source string) map[string][]byte {
	return map[string][]byte{"main.typ": []byte(`#set text(font: ("Inter", "Vazirmatn"))
` + source)}
}

func compile(t *testing.T, e *typst.Engine, source string) []byte {
	t.Helper()
	pdf, err := e.Compile(t.Context(), "main.typ", doc(source))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("%%EOF")) {
		t.Fatalf("no PDF: %.40q", pdf)
	}
	return pdf
}

func TestCompile(t *testing.T) {
	t.Parallel()
	e := engine(t)
	a := compile(t, e, "= Rapport\nDéjà vu à Obock : تقرير رصد التدفقات")

	t.Run("SameInputSameBytes", func(t *testing.T) {
		compile(t, e, "another document between the two")
		if !bytes.Equal(a, compile(t, e, "= Rapport\nDéjà vu à Obock : تقرير رصد التدفقات")) {
			t.Error("the second PDF differs from the first")
		}
		if !bytes.Equal(a, compile(t, start(t), "= Rapport\nDéjà vu à Obock : تقرير رصد التدفقات")) {
			t.Error("the PDF of a fresh engine differs")
		}
	})
	t.Run("ClockStandsStill", func(t *testing.T) {
		b := compile(t, e, "#datetime.today().display()")
		time.Sleep(5 * time.Millisecond)
		if !bytes.Equal(b, compile(t, e, "#datetime.today().display()")) {
			t.Error("the PDF depends on the clock")
		}
	})
	t.Run("OtherFiles", func(t *testing.T) {
		files := doc(`#include "part/a.typ"
#json("data.json").name`)
		files["part/a.typ"] = []byte(`#import "b.typ": x
#x`)
		files["/part/b.typ"] = []byte("#let x = [from b]")
		files["data.json"] = []byte(`{"name": "Obock"}`)
		if _, err := e.Compile(t.Context(), "/main.typ", files); err != nil {
			t.Fatal(err)
		}
		// The next document must not see the files of this one.
		if _, err := e.Compile(t.Context(), "main.typ", doc(`#json("data.json")`)); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("a document read another's file: %v", err)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, c := range []struct{ name, source, where, msg string }{
		{"syntax", "ok\n#let = 1", "main.typ:3:5", "expected pattern"},
		{"unknown name", "#foo", "main.typ:2:2", "unknown variable: foo"},
		{"own words", `#panic("no month")`, "main.typ:2:2", "no month"},
		{"missing picture", `#image("map.svg")`, "main.typ:2:8", "not among the files given"},
		{"file outside", `#read("../../etc/passwd")`, "main.typ:2:7", "not among the files given"},
		{"package", `#import "@preview/cetz:0.3.0"`, "main.typ:2:9", "may read only the files it is given"},
		{"bad picture", `#image(bytes("<svg"), format: "svg")`, "main.typ:2:8", "SVG"},
		{"recursion without end", "#let f() = f()\n#f()", "main.typ:2:12", "maximum function call depth exceeded"},
		{"loop without end", "#let i = 0\n#while i >= 0 { i += 1 }", "main.typ:3:2", "infinite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := e.Compile(t.Context(), "main.typ", doc(c.source))
			var de *dtm.Error
			if !errors.As(err, &de) || de.Kind != dtm.Invalid {
				t.Fatalf("got %v, want an error of kind Invalid", err)
			}
			if de.Where != c.where || !strings.Contains(de.Msg, c.msg) {
				t.Errorf("got %v, want %s: %s", err, c.where, c.msg)
			}
			compile(t, e, "still at work")
		})
	}
	t.Run("no such document", func(t *testing.T) {
		if _, err := e.Compile(t.Context(), "other.typ", doc("x")); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("got %v", err)
		}
	})
	t.Run("too much input", func(t *testing.T) {
		files := doc("x")
		files["big"] = make([]byte, 65<<20)
		if _, err := e.Compile(t.Context(), "main.typ", files); dtm.KindOf(err) != dtm.TooLarge {
			t.Errorf("got %v", err)
		}
	})
	t.Run("source that is not UTF-8", func(t *testing.T) {
		if _, err := e.Compile(t.Context(), "main.typ", doc("\xff\xfe")); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("got %v", err)
		}
	})
}

// hours is a document that would keep the compiler busy for hours within its own
// limits.
const hours = "#for a in range(1000000) { for b in range(1000000) { let c = calc.sin(a * b) } }"

func TestStopped(t *testing.T) {
	t.Parallel()
	e := engine(t)
	want := compile(t, e, "= The same")
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		_, err := e.Compile(ctx, "main.typ", doc(hours))
		cancel()
		if dtm.KindOf(err) != dtm.Unavailable {
			t.Fatalf("round %d: got %v, want kind Unavailable", i, err)
		}
		if d := time.Since(began); d > 20*time.Second {
			t.Errorf("round %d: stopped only after %v", i, d)
		}
		if !bytes.Equal(want, compile(t, e, "= The same")) {
			t.Errorf("round %d: the engine gives other bytes than before", i)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	e := engine(t)
	busy, stop := context.WithCancel(t.Context())
	done := make(chan error)
	for range typst.Copies {
		go func() {
			_, err := e.Compile(busy, "main.typ", doc(hours))
			done <- err
		}()
	}
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Compile(ctx, "main.typ", doc("waits")); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("got %v for a call that waited too long", err)
	}
	stop()
	for range typst.Copies {
		if err := <-done; dtm.KindOf(err) != dtm.Unavailable {
			t.Errorf("got %v for a call that was cancelled", err)
		}
	}
	compile(t, e, "still at work")
}

func TestMemoryEnds(t *testing.T) {
	t.Parallel()
	e := engine(t)
	_, err := e.Compile(t.Context(), "main.typ", doc(`#let a = "x" * 400000000
#a.len()`))
	if dtm.KindOf(err) != dtm.TooLarge {
		t.Fatalf("got %v, want kind TooLarge", err)
	}
	compile(t, e, "still at work")
	if _, memory := e.Live(); memory > typst.RenewAt {
		t.Errorf("the engine still holds %d MB", memory>>20)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	e := engine(t)
	source := func(i int) string { return fmt.Sprintf("= Month %d\n#for i in range(%d) [#i ]", i, i*10) }
	var want [8][]byte
	for i := range want {
		want[i] = compile(t, e, source(i))
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			n := i % len(want)
			pdf, err := e.Compile(t.Context(), "main.typ", doc(source(n)))
			if err != nil || !bytes.Equal(pdf, want[n]) {
				t.Errorf("document %d: %v, or not its own bytes", n, err)
			}
		})
	}
	wg.Wait()
}

func TestNothingPilesUp(t *testing.T) {
	t.Parallel()
	e := start(t) // of its own: it counts
	compile(t, e, "= Start")
	values, _ := e.Live()
	var peak int
	for i := range 24 {
		compile(t, e, fmt.Sprintf("#table(columns: 4, ..range(800).map(i => [#(i * %d)]))", i+2))
		if i%5 == 0 {
			if _, err := e.Compile(t.Context(), "main.typ", doc("#nothing")); err == nil {
				t.Fatal("no error")
			}
		}
		now, memory := e.Live()
		if memory != 0 && now != values {
			t.Fatalf("after %d documents %d handles are in use, %d at the start", i+1, now, values)
		}
		peak = max(peak, memory)
	}
	if peak > typst.RenewAt {
		t.Errorf("the engine held %d MB", peak>>20)
	}
	t.Logf("most memory held: %d MB", peak>>20)
}

func TestClose(t *testing.T) {
	t.Parallel()
	e := start(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := e.Compile(t.Context(), "main.typ", doc("#for i in range(2000) [#i ]")); err != nil && dtm.KindOf(err) != dtm.Unavailable {
				t.Errorf("got %v", err)
			}
		})
		wg.Go(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := e.Compile(t.Context(), "main.typ", doc("late")); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("got %v after Close", err)
	}
}

// Who is idle may be killed, by whoever is short of memory.
func TestKilledIdle(t *testing.T) {
	t.Parallel()
	e := start(t)
	want := compile(t, e, "= The same")
	for range 3 {
		if n := e.Kill(); n == 0 {
			t.Fatal("no process waits")
		}
		if !bytes.Equal(want, compile(t, e, "= The same")) {
			t.Error("the next process gives other bytes")
		}
	}
}

// A program that is no engine is told of, with what it said.
func TestNoEngine(t *testing.T) {
	t.Parallel()
	e := typst.New(func() *exec.Cmd { return exec.Command("sh", "-c", "echo no engine here >&2") })
	for range typst.Copies + 1 { // each gives its turn back
		_, err := e.Compile(t.Context(), "main.typ", doc("x"))
		var de *dtm.Error
		if !errors.As(err, &de) || de.Kind != dtm.Internal || !strings.Contains(de.Error(), "no engine here") {
			t.Fatalf("got %v", err)
		}
	}
	if err := typst.New(func() *exec.Cmd { return exec.Command("/no/such/program") }).Start(t.Context()); dtm.KindOf(err) != dtm.Internal {
		t.Errorf("no such program: %v", err)
	}
}

// A process ends with its owner, also while it works.
func TestOwnerGone(t *testing.T) {
	t.Parallel()
	c := exec.Command(os.Args[0])
	c.Args = []string{"dtm", "pdf-engine", cache}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := typst.Ask(in, out, "main.typ", doc(hours)); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(out); err != nil { // until it has ended
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	none := func() ([]byte, [][]byte, error) { return []byte("\x00asm\x01\x00\x00\x00"), nil, nil }
	if err := typst.Prepare(t.Context(), []byte("\x00asm\x01\x00\x00\x00"), t.TempDir()); dtm.KindOf(err) != dtm.Unsupported || !strings.Contains(err.Error(), typst.Build.Version) {
		t.Errorf("another build: got %v", err)
	}
	var said bytes.Buffer
	if err := typst.Work(none, t.TempDir(), strings.NewReader(""), &said); err != nil || !strings.Contains(said.String(), typst.Build.Version) {
		t.Errorf("a process without the build: %v, said %q", err, said.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := report.NewPress(t.TempDir()).Start(ctx); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("cancelled start: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report.NewPress(filepath.Join(file, "cache")).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("folder that cannot be made: got %v", err)
	}
}
