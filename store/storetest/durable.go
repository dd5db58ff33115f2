package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
)

// writers: 32 clients at once, everything acknowledged is there once, and the
// chain holds.
func writers(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	const clients, each = 32, 40
	seqs := make([][]int64, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				// Every other id is sent by two clients at once: one is new.
				n := c*each + i
				if i%2 == 1 {
					n = (c/2)*2*each + i
				}
				sub := submission(n)
				r, err := s.Receive(ctx, sub)
				if err != nil {
					t.Error(err)
					return
				}
				if r.New {
					seqs[c] = append(seqs[c], r.Seq)
				}
			}
		})
	}
	wg.Wait()
	seen := map[int64]bool{}
	for _, list := range seqs {
		for i, seq := range list {
			if seen[seq] || i > 0 && seq <= list[i-1] {
				t.Errorf("entry %d was given twice or out of order", seq)
			}
			seen[seq] = true
		}
	}
	want := clients*each/2 + clients/2*each/2
	_, total, err := s.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	must(t, err)
	if len(seen) != want || total != want || len(allEvents(t, s)) != want {
		t.Errorf("%d new, %d stored, %d entries; want %d", len(seen), total, len(allEvents(t, s)), want)
	}
	must(t, s.Verify(ctx))
}

// oneFails: in a crowd of writes some fail; the others are stored, and the
// failed ones leave nothing, no gap in the log either.
func oneFails(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	var wg sync.WaitGroup
	var good atomic.Int64
	for c := range 32 {
		wg.Go(func() {
			for i := range 20 {
				n := c*100 + i
				switch i % 4 {
				case 0: // fails after it has written: the form's row is undone
					f := dtm.Form{ID: fmt.Sprint("bad", n), Version: "1", Media: []dtm.Media{{Name: "a"}, {Name: "a"}}}
					if err := s.Publish(ctx, f); dtm.KindOf(err) != dtm.Invalid || err == nil {
						t.Errorf("bad form: %v", err)
					}
				case 1:
					if err := s.Flag(ctx, "uuid:none", nil); dtm.KindOf(err) != dtm.NotFound {
						t.Errorf("flag: %v", err)
					}
				default:
					if r, err := s.Receive(ctx, submission(n)); err != nil || !r.New {
						t.Errorf("receive: %+v %v", r, err)
					} else {
						good.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	forms, err := s.Forms(ctx)
	must(t, err)
	_, total, err := s.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	must(t, err)
	if len(forms) != 0 || total != int(good.Load()) || len(allEvents(t, s)) != total || total != 32*10 {
		t.Errorf("%d bad forms, %d stored of %d, %d entries", len(forms), total, good.Load(), len(allEvents(t, s)))
	}
	must(t, s.Verify(ctx))
}

func restart(t *testing.T, d Dialect) {
	place := d.Place(t)
	s := d.openAt(t, place)
	_, token, err := s.AddDevice(ctx, "phone", "")
	must(t, err)
	_, err = s.Receive(ctx, submission(1))
	must(t, err)
	must(t, s.Close())
	for range 3 {
		s = d.openAt(t, place)
		_, err = s.DeviceByToken(ctx, token)
		must(t, err)
		if r, err := s.Receive(ctx, submission(1)); err != nil || r.New {
			t.Errorf("after a restart: %+v, %v", r, err)
		}
		must(t, s.Wait(ctx, 0))
		must(t, s.Verify(ctx))
		must(t, s.Close())
	}
	s = d.openAt(t, place)
	r, err := s.Receive(ctx, submission(2))
	must(t, err)
	if r.Seq != 3 {
		t.Errorf("the log goes on at %d, want 3", r.Seq)
	}
	must(t, s.Verify(ctx))
}

// closing: Close lets what is under way finish and refuses what comes after.
func closing(t *testing.T, d Dialect) {
	place := d.Place(t)
	s := d.openAt(t, place)
	var stored, refused atomic.Int64
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 1000 {
				_, err := s.Receive(ctx, submission(c*1000+i))
				switch {
				case err == nil:
					stored.Add(1)
				case dtm.KindOf(err) == dtm.Unavailable:
					refused.Add(1)
					return
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	waiting := make(chan error, 1)
	go func() { waiting <- s.Wait(context.Background(), 1<<60) }()
	time.Sleep(30 * time.Millisecond)
	must(t, s.Close())
	wg.Wait()
	if err := <-waiting; dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("waiting ended with %v", err)
	}
	must(t, s.Close()) // twice is harmless
	s = d.openAt(t, place)
	_, total, err := s.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	must(t, err)
	if total != int(stored.Load()) || refused.Load() == 0 {
		t.Errorf("%d acknowledged, %d there, %d refused", stored.Load(), total, refused.Load())
	}
	must(t, s.Verify(ctx))

	// A caller that has gone before its turn stores nothing it is not told of.
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Receive(gone, submission(999_999)); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone: %v", err)
	}
}

// operations share a place without seeing each other.
func operations(t *testing.T, d Dialect) {
	place := d.Place(t)
	a := d.openAt(t, place)
	_, token, err := a.AddDevice(ctx, "phone", "")
	must(t, err)
	_, err = a.Receive(ctx, submission(1))
	must(t, err)
	must(t, a.Close())
	b, err := d.Open(place, "other", nil)
	must(t, err)
	defer b.Close()
	_, err = b.DeviceByToken(ctx, token)
	wantKind(t, err, dtm.Forbidden)
	_, err = b.Submission(ctx, submission(1).ID)
	wantKind(t, err, dtm.NotFound)
	if len(allEvents(t, b)) != 0 {
		t.Error("the log of another operation is seen")
	}
	n := 1
	if d.Registry {
		_, err = b.Receive(ctx, submission(1))
		wantKind(t, err, dtm.Conflict)
		if len(allEvents(t, b)) != 0 {
			t.Error("a refused submission left something")
		}
		n = 2
	}
	if r, err := b.Receive(ctx, submission(n)); err != nil || !r.New || r.Seq != 1 {
		t.Errorf("receipt = %+v, %v", r, err)
	}
	must(t, b.Verify(ctx))
}

// childPlace names, in the environment of a re-executed test program, the store
// that it is to fill until it is killed.
const childPlace = "DTM_STORETEST_CHILD"

// Child is called first by the TestMain of a dialect's tests. In the process that
// kill starts it writes until it is killed and does not return; otherwise it
// returns at once.
func Child(d Dialect) {
	place := os.Getenv(childPlace)
	if place == "" {
		return
	}
	s, err := d.Open(place, Operation, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := len0(s)
	for c := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				n := start + i*16 + c
				sub := submission(n)
				sub.Attachments = []dtm.Attachment{{Name: "p.jpg", Hash: "sha256:p"}}
				if _, err := s.Receive(ctx, sub); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				os.Stdout.WriteString(sub.ID + "\n") // one system call: seen by the parent or not
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// len0 is a number that no submission of an earlier round reached.
func len0(s Store) int {
	_, total, err := s.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return (total + 1) * 1000
}

// kill: a process that is killed with -9 while 16 clients write has lost nothing
// that it acknowledged, and holds nothing half-stored.
func kill(t *testing.T, d Dialect) {
	self, err := os.Executable()
	must(t, err)
	place := d.Place(t)
	rounds := 5
	acknowledged := map[string]bool{}
	for round := range rounds {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childPlace+"="+place)
		out, err := cmd.StdoutPipe()
		must(t, err)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		must(t, cmd.Start())
		lines := bufio.NewReader(out)
		until := 50 + rand.IntN(400)
		for n := 0; ; n++ {
			if n == until {
				must(t, cmd.Process.Kill())
			}
			line, err := lines.ReadString('\n')
			if err != nil {
				if err != io.EOF || n < until {
					t.Fatalf("round %d: the child ended by itself after %d: %v %s", round, n, err, complaint.String())
				}
				break
			}
			acknowledged[strings.TrimSpace(line)] = true
		}
		cmd.Wait()
	}
	if d.Sound != nil {
		d.Sound(t, place)
	}
	s := d.openAt(t, place)
	lost := 0
	for id := range acknowledged {
		got, err := s.Submission(ctx, id)
		if err != nil || len(got.Attachments) != 1 {
			lost++
		}
	}
	_, total, err := s.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
	must(t, err)
	if lost > 0 || len(acknowledged) < rounds*50 || total < len(acknowledged) {
		t.Errorf("%d of %d acknowledged are lost; %d are there", lost, len(acknowledged), total)
	}
	if e := len(allEvents(t, s)); e != 2*total {
		t.Errorf("%d entries for %d submissions with a photo each", e, total)
	}
	must(t, s.Verify(ctx))
	t.Logf("%d kills, %d acknowledged, %d stored, %d lost", rounds, len(acknowledged), total, lost)
}
