package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
)

// build makes the program once for all tests.
var build = sync.OnceValues(func() (bin string, err error) {
	if builtIn, err = os.MkdirTemp("", "dtm-crash-bin-"); err != nil {
		return "", err
	}
	bin = filepath.Join(builtIn, "dtm")
	if out, err := exec.Command("go", "build", "-o", bin, "dtm/cmd/dtm").CombinedOutput(); err != nil {
		return bin, fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

var builtIn string // a folder; "" when no test needed the program

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

func program(t *testing.T) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// settable tells whether the clock of a process can be set here, and that it is heard.
func settable(t *testing.T) bool {
	t.Helper()
	k := &clock{off: -366 * 24 * time.Hour}
	s := exec.Command("date", "+%s")
	var said bytes.Buffer
	s.Stdout = &said
	if err := k.start(s); err != nil {
		t.Log("clocks are not stepped: ", err)
		return false
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	at, err := strconv.ParseInt(strings.TrimSpace(said.String()), 10, 64)
	if ago := time.Since(time.Unix(at, 0)); err != nil || ago < 365*24*time.Hour || ago > 367*24*time.Hour {
		t.Fatalf("the clock of a process stood at %s, %v", said.String(), err)
	}
	return true
}

// TestCrash is a short campaign; the long one is run by hand (doc/operate.md).
func TestCrash(t *testing.T) {
	t.Parallel()
	c := Campaign{Program: program(t), Kills: 6, Clients: 8, Rate: 30, Longest: 1200 * time.Millisecond, Seed: uint64(time.Now().UnixNano()), Clocks: settable(t), Tell: t.Logf}
	o, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(o)
	o.Ready = 0 // is measured by the long one, on a machine that does nothing else
	if o.Bad() {
		t.Error("something was lost, doubled or changed")
	}
	if c.Clocks && o.Steps < 3 {
		t.Errorf("the clock was stepped %d times", o.Steps)
	}
	if o.Acknowledged < 20 || o.Photos == 0 || o.Screenings == 0 || o.Done == 0 {
		t.Errorf("too little was acknowledged: %d records, %d with a photograph, %d screenings, %d steps of referrals", o.Acknowledged, o.Photos, o.Screenings, o.Done)
	}
}

// TestJudge: a record, a referral, a step and a photograph taken away behind the
// program's back are seen.
func TestJudge(t *testing.T) {
	t.Parallel()
	c := Campaign{Program: program(t), Kills: 2, Clients: 4, Rate: 50, Longest: 1500 * time.Millisecond, Seed: 1, Tell: t.Logf}
	c.before = func() error {
		for id := range c.crowd.acked {
			if h := strings.TrimPrefix(c.crowd.sent[id].photo, "sha256:"); h != "" {
				c.crowd.acked["uuid:told and not stored"] = time.Now()
				c.crowd.sent["uuid:told and not referred"] = record{name: "Nobody"}
				c.crowd.acked["uuid:told and not referred"] = time.Now()
				c.desk.told[act{"none", dtm.ReferralAccept}] = 1
				return os.Remove(filepath.Join(c.data, "blob", h[:2], h[2:4], h))
			}
		}
		return errors.New("no photograph was acknowledged")
	}
	o, err := c.Run(t.Context())
	t.Cleanup(func() { os.RemoveAll(c.dir) })
	if err != nil {
		t.Fatal(err)
	}
	if !o.Bad() || !o.Broken || o.Lost != 3 || o.PhotosLost != 1 {
		t.Errorf("not seen: %v", o)
	}
}

// TestUpgrade: an older store is upgraded by a program that is killed meanwhile.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	c := Campaign{Program: program(t), Kills: 2, Clients: 8, Rate: 30, Longest: 500 * time.Millisecond, Seed: uint64(time.Now().UnixNano()), Tell: t.Logf}
	u, err := c.Upgrade(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(u)
	u.Ready = 0
	if u.Bad() || u.Upgrades != 2 || u.Acknowledged < 60 || u.Screenings == 0 {
		t.Error("something was lost, changed or not upgraded, or there was too little")
	}
}

// TestFail: a full disk and a sync that failed, once each; the long one is run by hand.
func TestFail(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("strace", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace cannot trace here: %v %s", err, out)
	}
	c := Campaign{Program: program(t), Kills: 2, Clients: 8, Rate: 30, Seed: uint64(time.Now().UnixNano()), Tell: t.Logf}
	o, err := c.Fail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(o)
	o.Ready = 0
	if o.Bad() || o.Full+o.Synced == 0 {
		t.Error("something was lost or changed, the program went on, or the disk did not fail")
	}
}
