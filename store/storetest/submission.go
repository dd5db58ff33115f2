package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func submissions(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sent := submission(1)
	sent.Received = time.Date(2026, 2, 3, 4, 5, 6, 789e6, time.UTC)
	sent.XML = append([]byte{0xef, 0xbb, 0xbf}, "<a>\r\n\x00é ب 😀</a>\n\n"...) // bytes, not text
	sent.Flags = []dtm.Flag{{Rule: "point.unknown", Path: "/a", Note: "«x»"}}
	sent.Expected = []string{"a é.jpg", "b.jpg"}
	sent.Attachments = []dtm.Attachment{{Name: "a é.jpg", Type: "image/jpeg", Size: 1 << 33, Hash: "sha256:aa"}}
	r, err := s.Receive(ctx, sent)
	must(t, err)
	if !r.New || r.Seq == 0 {
		t.Errorf("receipt = %+v", r)
	}
	got, err := s.Submission(ctx, sent.ID)
	must(t, err)
	want := sent
	want.State = "flagged"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("came back changed (-sent +got):\n%s", diff)
	}
	plain := submission(2)
	before := time.Now().Add(-time.Second)
	_, err = s.Receive(ctx, plain)
	must(t, err)
	got, err = s.Submission(ctx, plain.ID)
	must(t, err)
	if got.State != "received" || got.Received.Before(before) || got.Received.Location() != time.UTC {
		t.Errorf("got = %+v", got)
	}
	_, err = s.Submission(ctx, "uuid:none")
	wantKind(t, err, dtm.NotFound)
	_, err = s.Receive(ctx, dtm.Submission{XML: []byte("<a/>")})
	wantKind(t, err, dtm.Invalid)

	e := allEvents(t, s)
	if !cmp.Equal(names(e), []string{dtm.SubmissionReceived, dtm.AttachmentReceived, dtm.SubmissionReceived}) {
		t.Errorf("events = %v", names(e))
	}
	if e[0].Subject != sent.ID || e[0].Actor != "device:d1" || e[0].Seq != r.Seq {
		t.Errorf("entry = %+v", e[0])
	}
}

func repeats(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sub := submission(1)
	sub.Attachments = []dtm.Attachment{{Name: "1.jpg", Hash: "sha256:1", Size: 1}}
	_, err := s.Receive(ctx, sub)
	must(t, err)
	first, err := s.Submission(ctx, sub.ID)
	must(t, err)

	// The same: nothing new, not even an entry.
	n := len(allEvents(t, s))
	r, err := s.Receive(ctx, sub)
	must(t, err)
	if r.New || r.Seq != 0 || len(allEvents(t, s)) != n {
		t.Errorf("the repeat made something: %+v", r)
	}
	// The rest of a split submission.
	rest := sub
	rest.Attachments = []dtm.Attachment{{Name: "1.jpg", Hash: "sha256:other", Size: 9}, {Name: "2.jpg", Hash: "sha256:2", Size: 2}}
	r, err = s.Receive(ctx, rest)
	must(t, err)
	if r.New || r.Seq == 0 {
		t.Errorf("receipt of the rest = %+v", r)
	}
	got, err := s.Submission(ctx, sub.ID)
	must(t, err)
	want := first
	want.Attachments = []dtm.Attachment{{Name: "1.jpg", Hash: "sha256:1", Size: 1}, {Name: "2.jpg", Hash: "sha256:2", Size: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after the rest (-want +got):\n%s", diff)
	}
	e := allEvents(t, s)
	if last := e[len(e)-1]; last.Name != dtm.AttachmentReceived || len(e) != n+1 || !strings.Contains(last.Detail, "sha256:2") {
		t.Errorf("last entry = %+v", last)
	}
}

func conflict(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sub := submission(1)
	_, err := s.Receive(ctx, sub)
	must(t, err)
	other := sub
	other.XML = []byte("<other/>")
	other.Device = "d2"
	other.Expected = []string{"p.jpg"}
	other.Attachments = []dtm.Attachment{{Name: "p.jpg", Hash: "sha256:p", Size: 3, Type: "image/jpeg"}}
	third := sub
	third.XML = []byte("<third/>")

	for _, x := range []dtm.Submission{other, third, other} { // the last one is a retry of the first
		_, err = s.Receive(ctx, x)
		wantKind(t, err, dtm.Conflict)
	}
	got, err := s.Submission(ctx, sub.ID)
	must(t, err)
	if string(got.XML) != string(sub.XML) || got.Device != "d1" || len(got.Attachments) != 0 {
		t.Errorf("the first version changed: %+v", got)
	}
	kept, err := s.Conflicts(ctx, sub.ID)
	must(t, err)
	if len(kept) != 2 || string(kept[0].XML) != "<other/>" || string(kept[1].XML) != "<third/>" {
		t.Fatalf("kept = %+v", kept)
	}
	if diff := cmp.Diff(other.Attachments, kept[0].Attachments); diff != "" || kept[0].Device != "d2" || kept[0].Received.IsZero() || !cmp.Equal(kept[0].Expected, other.Expected) {
		t.Errorf("kept version is not what was sent: %+v", kept[0])
	}
	if e := allEvents(t, s); !cmp.Equal(names(e), []string{dtm.SubmissionReceived, dtm.SubmissionRefused, dtm.SubmissionRefused}) || e[1].Actor != "device:d2" {
		t.Errorf("events = %+v", e)
	}
	if _, n, _ := s.Submissions(ctx, dtm.SubmissionFilter{}); n != 1 {
		t.Errorf("%d submissions are listed, want 1", n)
	}
	if none, err := s.Conflicts(ctx, "uuid:none"); err != nil || len(none) != 0 {
		t.Errorf("conflicts of nothing = %v, %v", none, err)
	}
}

func edits(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	original := submission(1)
	edit := submission(2)
	edit.Deprecates = original.ID

	_, err := s.Receive(ctx, edit) // before its original
	wantKind(t, err, dtm.NotFound)
	if _, err := s.Submission(ctx, edit.ID); dtm.KindOf(err) != dtm.NotFound || len(allEvents(t, s)) != 0 {
		t.Fatal("an edit without original left something")
	}
	_, err = s.Receive(ctx, original)
	must(t, err)
	if r, err := s.Receive(ctx, edit); err != nil || !r.New {
		t.Fatalf("edit = %+v, %v", r, err)
	}
	if got, _ := s.Submission(ctx, original.ID); got.State != "superseded" || string(got.XML) != string(original.XML) {
		t.Errorf("original = %+v", got)
	}
	if got, _ := s.Submission(ctx, edit.ID); got.Deprecates != original.ID || got.State != "received" {
		t.Errorf("edit = %+v", got)
	}
	// A retry of the edit, with a photo that had not come through.
	edit.Attachments = []dtm.Attachment{{Name: "a.jpg", Hash: "sha256:a"}}
	if r, err := s.Receive(ctx, edit); err != nil || r.New || r.Seq == 0 {
		t.Errorf("retry = %+v, %v", r, err)
	}
	// Somebody else's edit of the same original: refused, and kept.
	rival := submission(3)
	rival.Deprecates = original.ID
	_, err = s.Receive(ctx, rival)
	wantKind(t, err, dtm.Conflict)
	if kept, _ := s.Conflicts(ctx, rival.ID); len(kept) != 1 || kept[0].Deprecates != original.ID {
		t.Errorf("the rival edit is lost: %v", kept)
	}
	// An edit of the edit goes on.
	next := submission(4)
	next.Deprecates = edit.ID
	_, err = s.Receive(ctx, next)
	must(t, err)
	itself := submission(5)
	itself.Deprecates = itself.ID
	_, err = s.Receive(ctx, itself)
	wantKind(t, err, dtm.NotFound)
	// Flags do not bring a superseded one back.
	must(t, s.Flag(ctx, original.ID, []dtm.Flag{{Rule: "late"}}))
	if got, _ := s.Submission(ctx, original.ID); got.State != "superseded" || len(got.Flags) != 1 {
		t.Errorf("original after flag = %+v", got)
	}
	must(t, s.Verify(ctx))
}

func lists(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	for i := range 250 {
		sub := submission(i)
		sub.Device = fmt.Sprint("d", i%2)
		sub.Form = fmt.Sprint("f", i%5)
		if i%10 == 0 {
			sub.Flags = []dtm.Flag{{Rule: "x"}}
		}
		if i == 240 {
			sub.Attachments = []dtm.Attachment{{Name: "z.jpg"}, {Name: "a.jpg"}}
		}
		_, err := s.Receive(ctx, sub)
		must(t, err)
	}
	for _, c := range []struct {
		name   string
		filter dtm.SubmissionFilter
		total  int
		first  int
		len    int
	}{
		{"all", dtm.SubmissionFilter{}, 250, 249, 100},
		{"page", dtm.SubmissionFilter{Limit: 7, Offset: 3}, 250, 246, 7},
		{"last page", dtm.SubmissionFilter{Limit: 100, Offset: 240}, 250, 9, 10},
		{"behind the end", dtm.SubmissionFilter{Offset: 250}, 250, -1, 0},
		{"form", dtm.SubmissionFilter{Form: ptr("f2")}, 50, 247, 50},
		{"device", dtm.SubmissionFilter{Device: ptr("d0"), Limit: 200}, 125, 248, 125},
		{"state", dtm.SubmissionFilter{State: ptr("flagged")}, 25, 240, 25},
		{"all three", dtm.SubmissionFilter{Form: ptr("f0"), Device: ptr("d0"), State: ptr("received"), Limit: 1}, 0, -1, 0},
		{"two", dtm.SubmissionFilter{Form: ptr("f0"), Device: ptr("d1"), State: ptr("received"), Limit: 3}, 25, 245, 3},
		{"nothing", dtm.SubmissionFilter{Form: ptr("' OR 1=1 --")}, 0, -1, 0},
		{"empty is a value", dtm.SubmissionFilter{Device: ptr("")}, 0, -1, 0},
	} {
		list, total, err := s.Submissions(ctx, c.filter)
		must(t, err)
		if total != c.total || len(list) != c.len {
			t.Errorf("%s: %d of %d, want %d of %d", c.name, len(list), total, c.len, c.total)
			continue
		}
		if c.len > 0 && list[0].ID != submission(c.first).ID {
			t.Errorf("%s: first is %s, want %d", c.name, list[0].ID, c.first)
		}
		for i := 1; i < len(list); i++ {
			if list[i].ID >= list[i-1].ID {
				t.Errorf("%s: %s stands after %s", c.name, list[i].ID, list[i-1].ID)
			}
		}
	}
	list, _, err := s.Submissions(ctx, dtm.SubmissionFilter{State: ptr("flagged"), Limit: 1})
	must(t, err)
	if a := list[0].Attachments; len(a) != 2 || a[0].Name != "a.jpg" {
		t.Errorf("attachments in a list = %+v", a)
	}
}

func flags(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sub := submission(1)
	_, err := s.Receive(ctx, sub)
	must(t, err)
	wantKind(t, s.Flag(ctx, "uuid:none", nil), dtm.NotFound)
	two := []dtm.Flag{{Rule: "point.unknown", Path: "/data/point", Note: "secret answer"}, {Rule: "answers.sum"}}
	must(t, s.Flag(ctx, sub.ID, two))
	got, err := s.Submission(ctx, sub.ID)
	must(t, err)
	if diff := cmp.Diff(two, got.Flags); diff != "" || got.State != "flagged" {
		t.Errorf("state %s, flags %s", got.State, diff)
	}
	must(t, s.Flag(ctx, sub.ID, two)) // a worker that checks twice
	must(t, s.Flag(ctx, sub.ID, nil))
	if got, _ = s.Submission(ctx, sub.ID); got.State != "received" || len(got.Flags) != 0 {
		t.Errorf("after taking the flags away: %+v", got)
	}
	e := allEvents(t, s)
	if !cmp.Equal(names(e), []string{dtm.SubmissionReceived, dtm.SubmissionFlagged, dtm.SubmissionFlagged}) {
		t.Errorf("events = %v", names(e))
	}
	if strings.Contains(e[1].Detail, "secret") || !strings.Contains(e[1].Detail, "point.unknown") {
		t.Errorf("detail = %s", e[1].Detail)
	}
}

// hostileText: any text comes back as it was. Text is valid UTF-8 without U+0000,
// which not every dialect can store: the rooms that take text in see to it.
func hostileText(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	for i, text := range []string{"'; DROP TABLE submission; --", "\x01\x7f\t\r\n", "\u00a0\ufeff", strings.Repeat("é", 100_000), "\u202e", "$1", "{}", "\"", "\\"} {
		sub := submission(i)
		sub.ID = text
		sub.DeviceID = text
		sub.Expected = []string{text}
		sub.Attachments = []dtm.Attachment{{Name: text, Hash: "sha256:x"}}
		_, err := s.Receive(ctx, sub)
		if d.Longest > 0 && len(text) > d.Longest {
			wantKind(t, err, dtm.Invalid)
			continue
		}
		must(t, err)
		got, err := s.Submission(ctx, text)
		if err != nil || got.ID != text || got.DeviceID != text || len(got.Attachments) != 1 || got.Attachments[0].Name != text || !cmp.Equal(got.Expected, sub.Expected) {
			t.Errorf("%.20q came back as %.20q, %v", text, got.ID, err)
		}
	}
	must(t, s.Verify(ctx))
}

// arrivals: what the log recorded comes in its order, as it stands now, and a part of
// it when it is large.
func arrivals(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	list, err := s.Arrived(ctx, 1, 100)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("a new store: %v", list)
	}
	_, _, err = s.AddDevice(ctx, "between", "")
	must(t, err)
	var want []string
	for i := range 30 {
		x := submission(100 - i) // not in the order of the ids
		x.XML = append(x.XML, bytes.Repeat([]byte(" "), 100_000)...)
		x.Attachments = []dtm.Attachment{{Name: "a.jpg", Type: "image/jpeg", Size: 1, Hash: "sha256:a"}} // an entry of its own
		_, err := s.Receive(ctx, x)
		must(t, err)
		want = append(want, x.ID)
	}
	must(t, s.Flag(ctx, want[1], []dtm.Flag{{Rule: "point.unknown"}}))
	var got []string
	calls := 0
	for _, e := range allEvents(t, s) {
		if e.Name != dtm.SubmissionReceived || len(got) > 0 && slices.Contains(got, e.Subject) {
			continue
		}
		list, err := s.Arrived(ctx, e.Seq, 1<<40)
		must(t, err)
		if calls++; len(list) == 0 || list[0].ID != e.Subject {
			t.Fatalf("entry %d records %s: %+v", e.Seq, e.Subject, list)
		}
		for _, x := range list {
			whole, err := s.Submission(ctx, x.ID)
			must(t, err)
			whole.Attachments = nil
			if diff := cmp.Diff(whole, x); diff != "" {
				t.Error(diff)
			}
			got = append(got, x.ID)
		}
	}
	if !slices.Equal(got, want) || calls < 3 || calls > 10 {
		t.Errorf("%d calls gave %v, want %v", calls, got, want)
	}
	first := int64(0)
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.SubmissionReceived && first == 0 {
			first = e.Seq
		}
	}
	if list, err := s.Arrived(ctx, first, first); err != nil || len(list) != 1 {
		t.Errorf("one entry: %d, %v", len(list), err)
	}
}
