package openrosa_test

import (
	"context"
	"testing"
	"time"

	"dtm"
)

// A closing form is not handed out and takes submissions; a closed one takes none,
// except what belongs to those that are here.
func TestRule16ClosedForms(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.h.States = p.db
	p.publish("fmr", "1")
	p.publish("fms", "1")
	send := func(id string, files ...file) answer { return p.post(instance("fmr", "1", id, "p.jpg", ""), files...) }
	set := func(state string) {
		p.must(p.db.SetFormState(context.Background(), "fmr", state))
		time.Sleep(1100 * time.Millisecond) // states may be a second old
	}
	listed := func() (n int) {
		for _, f := range parse[list](t, p.get("/formList")).Forms {
			if f.FormID == "fmr" {
				n++
			}
		}
		return n
	}
	if a := send("uuid:1"); a.status != 201 || listed() != 1 {
		t.Fatalf("open: %d %s", a.status, a.body)
	}
	set(dtm.FormClosing)
	if a := send("uuid:2"); a.status != 201 || listed() != 0 {
		t.Errorf("closing: %d %s, listed %d", a.status, a.body, listed())
	}
	if a := p.get("/forms/fmr.xml"); a.status != 200 {
		t.Errorf("closing: form %d", a.status)
	}
	set(dtm.FormClosed)
	if a := send("uuid:3"); a.status != 409 || a.message == "" || listed() != 0 {
		t.Errorf("closed: %d %s", a.status, a.body)
	}
	if a := send("uuid:1", file{"p.jpg", "p.jpg", "image/jpeg", "photo"}); a.status != 201 || len(p.stored("uuid:1").Attachments) != 1 {
		t.Errorf("closed: the rest of what is here: %d %s", a.status, a.body)
	}
	if a := p.post(instance("fms", "1", "uuid:4", "", "")); a.status != 201 {
		t.Errorf("another form: %d", a.status)
	}
	set(dtm.FormOpen)
	if a := send("uuid:3"); a.status != 201 || listed() != 1 {
		t.Errorf("open again: %d %s", a.status, a.body)
	}
}
