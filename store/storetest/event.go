package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func events(t *testing.T, d Dialect) {
	place := d.Place(t)
	at := time.Date(2026, 11, 23, 23, 59, 59, 123456789, time.FixedZone("EAT", 3*3600))
	s, err := d.Open(place, Operation, func() time.Time { return at })
	must(t, err)
	defer s.Close()
	if list, err := s.Events(ctx, 0, 10); err != nil || len(list) != 0 {
		t.Fatalf("a new log holds %v, %v", list, err)
	}
	if last, err := s.Last(ctx); err != nil || last != 0 {
		t.Fatalf("a new log ends at %d, %v", last, err)
	}
	must(t, s.Verify(ctx))
	actor := event.WithActor(ctx, "user:é@example.org")
	for i := range 5 {
		_, _, err := s.AddDevice(actor, string(rune('a'+i)), "")
		must(t, err)
	}
	list, err := s.Events(ctx, 1, 2)
	must(t, err)
	if len(list) != 2 || list[0].Seq != 2 || list[1].Seq != 3 {
		t.Fatalf("Events(1, 2) = %+v", list)
	}
	all := allEvents(t, s)
	var c event.Chain
	for _, e := range all {
		if c, err = c.Next(e); err != nil {
			t.Fatal(err)
		}
		if e.Actor != "user:é@example.org" || e.Name != dtm.DeviceAdded || !e.At.Equal(at.Truncate(time.Millisecond)) || e.At.Location() != time.UTC {
			t.Errorf("entry = %+v", e)
		}
	}
	if last, err := s.Last(ctx); err != nil || last != 5 {
		t.Errorf("Last = %d, %v", last, err)
	}
	if c.Seq != 5 {
		t.Errorf("the log ends at %d, want 5", c.Seq)
	}
	must(t, s.Verify(ctx))
}

func wait(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if err := s.Wait(short, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waiting for nothing = %v", err)
	}
	type woke struct {
		err error
		at  time.Time
	}
	woken := make(chan woke, 10)
	for range 10 {
		go func() {
			err := s.Wait(ctx, 0)
			woken <- woke{err, time.Now()}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	stored := time.Now()
	for range 10 {
		select {
		case w := <-woken:
			must(t, w.err)
			if late := w.at.Sub(stored); late > 500*time.Millisecond {
				t.Errorf("woken %v after the commit: polled?", late)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("not woken")
		}
	}
	// Who is behind does not wait, and finds what it was woken for.
	must(t, s.Wait(ctx, 0))
	if list, err := s.Events(ctx, 0, 10); err != nil || len(list) != 1 {
		t.Errorf("events = %v, %v", list, err)
	}
}

// immutable: the tables themselves refuse to change what was received or logged.
func immutable(t *testing.T, d Dialect) {
	s, place := d.open(t)
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	other := submission(1)
	other.XML = []byte("<other/>")
	_, err = s.Receive(ctx, other)
	wantKind(t, err, dtm.Conflict)
	_, err = s.AddChunk(ctx, chunk("c"))
	must(t, err)
	must(t, s.Publish(ctx, dtm.Form{ID: "f", Version: "1", XForm: []byte("x")}))
	must(t, s.Close())
	for _, statement := range []string{
		`UPDATE submission SET xml = ''`,
		`UPDATE submission SET received = '2020-01-01T00:00:00.000Z'`,
		`DELETE FROM submission`,
		`UPDATE submission_conflict SET xml = ''`,
		`DELETE FROM submission_conflict`,
		`UPDATE event SET detail = '{}'`,
		`DELETE FROM event`,
		`UPDATE chunk SET data = ''`,
		`DELETE FROM chunk`,
		`UPDATE form SET xform = ''`,
	} {
		if err := d.Protected(t, place, statement); err == nil {
			t.Errorf("%s: was done", statement)
		}
	}
	s = d.openAt(t, place)
	must(t, s.Verify(ctx))
	if got, err := s.Submission(ctx, submission(1).ID); err != nil || string(got.XML) != string(submission(1).XML) {
		t.Errorf("got = %+v, %v", got, err)
	}
}

// tampering: what is changed behind the store's back is found, and named.
func tampering(t *testing.T, d Dialect) {
	for _, c := range []struct {
		name      string
		statement string
		names     string // what the error must name
	}{
		{"detail", `UPDATE event SET detail = '{"x":1}' WHERE seq = 3`, "entry 3"},
		{"time", `UPDATE event SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 2`, "entry 2"},
		{"unreadable time", `UPDATE event SET at = 'yesterday' WHERE seq = 2`, "entry 2"},
		{"actor", `UPDATE event SET actor = 'device:other' WHERE seq = 5`, "entry 5"},
		{"name", `UPDATE event SET name = 'submission.flagged' WHERE seq = 1`, "entry 1"},
		{"subject", `UPDATE event SET subject = 'uuid:other' WHERE seq = 4`, "entry 4"},
		{"hash", `UPDATE event SET hash = prev WHERE seq = 3`, "entry 3"},
		{"prev", `UPDATE event SET prev = hash WHERE seq = 3`, "entry 3"},
		{"removed", `DELETE FROM event WHERE seq = 3`, "entry 4"},
		{"first removed", `DELETE FROM event WHERE seq = 1`, "entry 2"},
		{"field boundary", `UPDATE event SET name = name || substr(subject, 1, 1), subject = substr(subject, 2) WHERE seq = 2`, "entry 2"},
		{"end cut off", `DELETE FROM event WHERE seq = 6`, "uuid:00000006"},
		{"answers", `UPDATE submission SET xml = '<forged/>' WHERE id = 'uuid:00000002'`, "uuid:00000002"},
		{"submission removed", `DELETE FROM submission WHERE id = 'uuid:00000004'`, "uuid:00000004"},
		{"submission renamed", `UPDATE submission SET id = 'uuid:x' WHERE id = 'uuid:00000004'`, "uuid:00000004"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, place := d.open(t)
			for i := range 6 {
				_, err := s.Receive(ctx, submission(i+1))
				must(t, err)
			}
			must(t, s.Verify(ctx))
			must(t, s.Close())
			d.Exec(t, place, c.statement)
			s = d.openAt(t, place)
			err := s.Verify(ctx)
			wantKind(t, err, dtm.Conflict)
			if !strings.Contains(err.Error(), c.names) {
				t.Errorf("error %q does not name %s", err, c.names)
			}
		})
	}
}
