package openrosa_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// childDir names, in the environment of a re-executed test program, the folder
// whose server it is to be until it is killed.
const childDir = "DTM_OPENROSA_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// child serves the folder on a loopback port, whose address and a token it
// prints.
func child(dir string) error {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		return err
	}
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	if err := db.Publish(ctx, dtm.Form{ID: "fmr", Version: "1", XForm: []byte("<x/>")}); err != nil {
		return err
	}
	_, token, err := db.AddDevice(ctx, fmt.Sprint("phone ", os.Getpid(), time.Now().UnixNano()), "")
	if err != nil {
		return err
	}
	h := &openrosa.Handler{Forms: db, Devices: db, Submissions: db, Blobs: blobs, Head: head, Expected: photos}
	mux := http.NewServeMux()
	h.Register(mux)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://"+l.Addr().String(), token)
	return serve.Run(ctx, l, mux, time.Second)
}

// A server that is killed with -9 while eight phones send photos has every
// submission that it answered 201, with its photo, once; and phones that send
// again what was not answered find no trouble.
func TestKillWhileReceiving(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var mu sync.Mutex
	acknowledged := map[string]string{} // id -> hash of the photo
	open := map[string]bool{}           // sent, and not answered
	next := 0
	for round := range 4 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		address, token, _ := strings.Cut(strings.TrimSpace(line), " ")
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
		var answered atomic.Int64
		until := int64(20 + rand.IntN(150))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					mu.Lock()
					id := ""
					for again := range open { // what a round before left unanswered comes first
						id = again
						delete(open, again)
						break
					}
					if id == "" {
						id = fmt.Sprint("uuid:kill", next)
						next++
					}
					mu.Unlock()
					photo := id + strings.Repeat("J", 40_000)
					typ, b := body(instance("fmr", "1", id, "p.jpg", ""), file{"p.jpg", "p.jpg", "image/jpeg", photo})
					res, err := client.Post(address+openrosa.Path(token)+"/submission", typ, b)
					if err == nil {
						_, err = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
					mu.Lock()
					switch {
					case err != nil: // killed: not known
						open[id] = true
						mu.Unlock()
						return
					case res.StatusCode != 201:
						t.Errorf("round %d: %s: status %d", round, id, res.StatusCode)
						mu.Unlock()
						return
					}
					sum := sha256.Sum256([]byte(photo))
					acknowledged[id] = "sha256:" + hex.EncodeToString(sum[:])
					mu.Unlock()
					if answered.Add(1) == until {
						cmd.Process.Kill()
					}
				}
			})
		}
		wg.Wait()
		cmd.Process.Kill()
		cmd.Wait()
		client.CloseIdleConnections()
	}

	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for id, hash := range acknowledged {
		s, err := db.Submission(ctx, id)
		if err != nil || len(s.Attachments) != 1 || s.Attachments[0].Hash != hash {
			lost++
			continue
		}
		f, err := blobs.Open(ctx, hash)
		if err != nil {
			lost++
			continue
		}
		sum := sha256.New()
		io.Copy(sum, f)
		f.Close()
		if "sha256:"+hex.EncodeToString(sum.Sum(nil)) != hash {
			lost++
		}
	}
	if lost > 0 || len(acknowledged) < 4*20 {
		t.Errorf("%d of %d acknowledged submissions are lost", lost, len(acknowledged))
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
	events, err := db.Events(ctx, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	received := map[string]int{}
	for _, e := range events {
		if e.Name == dtm.SubmissionReceived {
			received[e.Subject]++
		}
		if e.Name == dtm.SubmissionRefused {
			t.Errorf("a retry of %s was refused", e.Subject)
		}
	}
	for id, n := range received {
		if n != 1 {
			t.Errorf("%s was received %d times", id, n)
		}
	}
	t.Logf("4 kills, %d acknowledged, %d stored, %d lost", len(acknowledged), len(received), lost)
}
