package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dtm"
)

func webhooks(t *testing.T, d Dialect) {
	s, place := d.open(t)
	if l, err := s.Webhooks(ctx); err != nil || len(l) != 0 {
		t.Fatalf("webhooks of a new store: %v, %v", l, err)
	}
	a, err := s.AddWebhook(ctx, dtm.Webhook{URL: "https://a.example.org", Forms: []string{"fmr"}, Allow: []string{"10.0.0.0/8"}})
	must(t, err)
	b, err := s.AddWebhook(ctx, dtm.Webhook{URL: "https://b.example.org"})
	must(t, err)
	if a.Secret == "" || a.Secret == b.Secret || len(a.Secret) < 32 || a.ID == b.ID || b.Since <= a.Since || !slices.Equal(a.Events, []string{dtm.SubmissionReceived}) {
		t.Errorf("added %+v and %+v", a, b)
	}
	// The secret is sealed in the file, and one that was not is from the next start on.
	senders, err := s.Senders(ctx)
	must(t, err)
	if len(senders) != 2 || senders[0].Secret != a.Secret || senders[1].Secret != b.Secret {
		t.Errorf("secrets to sign with: %+v", senders)
	}
	must(t, s.Close())
	if n := d.Query(t, place, `SELECT count(*) FROM webhook WHERE instr(secret, '`+a.Secret+`') > 0`); n[0] != "0" {
		t.Error("a secret lies in clear")
	}
	d.Exec(t, place, `UPDATE webhook SET secret = 'an old secret in clear' WHERE id = '`+b.ID+`'`)
	s = d.openAt(t, place)
	if senders, err = s.Senders(ctx); err != nil || len(senders) != 2 || senders[1].Secret != "an old secret in clear" {
		t.Errorf("an old secret: %+v, %v", senders, err)
	}
	b.Secret = "an old secret in clear"
	if n := d.Query(t, place, `SELECT count(*) FROM webhook WHERE instr(secret, 'clear') > 0`); n[0] != "0" {
		t.Error("an old secret stays in clear")
	}
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	delivery := func(w dtm.Webhook, event int64) dtm.Delivery {
		return dtm.Delivery{ID: fmt.Sprint(w.ID, event), Webhook: w.ID, Event: event, Name: dtm.SubmissionReceived, Subject: "uuid:1", Created: now, Next: now.Add(time.Duration(event) * time.Second)}
	}
	must(t, s.QueueDeliveries(ctx, []dtm.Delivery{delivery(a, 3), delivery(a, 4), delivery(b, 3), {Webhook: "removed", Event: 3}}, 4))
	must(t, s.QueueDeliveries(ctx, []dtm.Delivery{delivery(a, 4), delivery(a, 5)}, 5)) // a repeat adds nothing
	must(t, s.QueueDeliveries(ctx, nil, 2))                                            // nor goes back
	must(t, s.Close())
	s = d.openAt(t, place)
	if n, err := s.WebhooksDone(ctx); n != 5 || err != nil {
		t.Errorf("done = %d, %v", n, err)
	}
	due, err := s.DueDeliveries(ctx, a.ID, now.Add(4*time.Second), 10)
	must(t, err)
	if len(due) != 2 || due[0].Event != 3 || due[1].Event != 4 || due[0].Attempts != 0 || due[0].Tried != nil || !due[0].Created.Equal(now) {
		t.Fatalf("due = %+v", due)
	}
	x := due[0]
	x.Attempts, x.Tried, x.Status, x.Problem, x.Next = 1, &now, 500, "the answer was 500", now.Add(time.Hour)
	must(t, s.Delivered(ctx, x, ""))
	y := due[1]
	y.Attempts, y.Tried, y.Done, y.Status = 1, ptr(now.Add(time.Second)), &now, 200
	must(t, s.Delivered(ctx, y, ""))
	if due, err = s.DueDeliveries(ctx, a.ID, now.Add(time.Minute), 10); err != nil || len(due) != 1 || due[0].Event != 5 {
		t.Errorf("due = %+v, %v", due, err)
	}
	// When the clock has gone back by a month, what was put off by an hour is due.
	if due, err = s.DueDeliveries(ctx, a.ID, now.AddDate(0, -1, 0), 10); err != nil || len(due) != 2 {
		t.Errorf("due = %+v, %v", due, err)
	}
	log, err := s.Deliveries(ctx, a.ID, 10)
	must(t, err)
	if len(log) != 3 || log[0].Event != 5 || log[1].Done == nil || log[2].Problem != "the answer was 500" || log[2].Attempts != 1 {
		t.Errorf("log = %+v", log)
	}
	x.Attempts = 2
	must(t, s.Delivered(ctx, x, "it failed for days"))
	must(t, s.Delivered(ctx, x, "again"))
	list, err := s.Webhooks(ctx)
	must(t, err)
	if list[0].Paused == nil || list[0].Cause != "it failed for days" || list[0].Secret != "" || list[0].Waiting != 2 || list[0].Last == nil || list[0].Last.Event != 4 || list[1].Paused != nil {
		t.Errorf("webhooks = %+v", list)
	}
	senders, err = s.Senders(ctx)
	must(t, err)
	if len(senders) != 2 || senders[0].Paused == nil || senders[0].Secret != a.Secret || senders[1].ID != b.ID || senders[1].Secret != b.Secret || senders[1].Paused != nil {
		t.Errorf("senders = %+v", senders)
	}
	wantKind(t, s.ResumeWebhook(ctx, "none"), dtm.NotFound)
	must(t, s.ResumeWebhook(ctx, a.ID))
	must(t, s.ResumeWebhook(ctx, a.ID))
	if due, err := s.DueDeliveries(ctx, a.ID, time.Now().Add(time.Minute), 10); err != nil || len(due) != 2 || due[0].Attempts != 0 {
		t.Errorf("due after resuming = %+v, %v", due, err)
	}
	must(t, s.ForgetDeliveries(ctx, now.Add(time.Second)))
	if log, err := s.Deliveries(ctx, a.ID, 10); err != nil || len(log) != 2 {
		t.Errorf("log = %+v, %v", log, err)
	}
	wantKind(t, s.RemoveWebhook(ctx, "none"), dtm.NotFound)
	must(t, s.RemoveWebhook(ctx, a.ID))
	if log, err := s.Deliveries(ctx, a.ID, 10); err != nil || len(log) != 0 {
		t.Errorf("log of a removed webhook = %+v, %v", log, err)
	}
	want := []string{dtm.WebhookAdded, dtm.WebhookAdded, dtm.WebhookPaused, dtm.WebhookResumed, dtm.WebhookRemoved}
	if got := names(allEvents(t, s)); !slices.Equal(got, want) {
		t.Errorf("log = %v, want %v", got, want)
	}
	must(t, s.Verify(ctx))
}
