package storetest

import (
	"testing"
	"time"

	"dtm"
)

// subscriptions: each thing is told once, a digest is looked at once, what was stopped or
// rests is told nothing, three that came back in a row have it rest.
func subscriptions(t *testing.T, d Dialect) {
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	place := d.Place(t)
	open := func() Store {
		s, err := d.Open(place, Operation, func() time.Time { now = now.Add(time.Millisecond); return now })
		must(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := open()
	const amina, hassan = "amina@example.org", "hassan@example.org"
	wish := dtm.Subscription{Owner: amina, Lang: dtm.French, Channel: dtm.ChannelEmail, Kind: dtm.SubscribeIndicator, Of: "entries", Where: map[string][]string{"region": {"DJ01"}}, Rule: dtm.RuleAbove, Bound: 12.5, Pace: dtm.PaceOnce}
	a, err := s.AddSubscription(ctx, wish)
	must(t, err)
	wish.Owner, wish.Channel, wish.URL, wish.Pace = hassan, dtm.ChannelWebhook, "https://example.org/x", dtm.PaceDaily
	b, err := s.AddSubscription(ctx, wish)
	must(t, err)
	if a.Stop == "" || a.Stop == b.Stop || a.Secret != "" || b.Secret == "" || b.Webhook == "" {
		t.Errorf("made %+v, %+v", a, b)
	}
	must(t, s.Close())
	s = open()
	got, err := s.SubscriptionByToken(ctx, a.Stop)
	must(t, err)
	if got.ID != a.ID || got.Bound != 12.5 || got.Where["region"][0] != "DJ01" || got.Lang != dtm.French || got.State != dtm.SubscriptionActive || !got.Begun.Equal(got.Created) {
		t.Errorf("kept %+v", got)
	}
	_, err = s.SubscriptionByToken(ctx, "")
	wantKind(t, err, dtm.NotFound)
	_, err = s.Subscription(ctx, "none")
	wantKind(t, err, dtm.NotFound)
	if mine, err := s.Subscriptions(ctx, amina); err != nil || len(mine) != 1 || mine[0].Stop != "" {
		t.Errorf("amina's: %+v, %v", mine, err)
	}
	if all, err := s.Subscriptions(ctx, ""); err != nil || len(all) != 2 {
		t.Errorf("all: %+v, %v", all, err)
	}

	message := func(of dtm.Subscription, slot string, trial bool, keys ...string) bool {
		t.Helper()
		m := dtm.SubscriptionMessage{Subscription: of.ID, Trial: trial}
		for _, k := range keys {
			m.News = append(m.News, dtm.News{Key: k, Kind: dtm.SubscribeIndicator, Value: ptr(13.0)})
		}
		queued, err := s.QueueMessage(ctx, m, slot)
		must(t, err)
		return queued
	}
	latest := func(of dtm.Subscription) dtm.SubscriptionMessage {
		t.Helper()
		list, err := s.SubscriptionMessages(ctx, of.ID, 1)
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("%d messages", len(list))
		}
		return list[0]
	}
	if !message(a, "", false, "1", "2") || message(a, "", false, "1") || !message(a, "", false, "2", "3") || message(a, "", false) {
		t.Error("each thing is told once")
	}
	if m := latest(a); len(m.News) != 1 || m.News[0].Key != "3" || *m.News[0].Value != 13 {
		t.Errorf("what is left to tell: %+v", m)
	}
	if !message(a, "", true, "1") {
		t.Error("a trial is always told")
	}
	if message(b, "2026-11-24", false) || message(b, "2026-11-24", false, "1") || !message(b, "2026-11-25", false, "1") {
		t.Error("a digest is looked at once")
	}
	hook, err := s.DueDeliveries(ctx, b.Webhook, now.Add(time.Hour), 10)
	must(t, err)
	if len(hook) != 1 || hook[0].Name != dtm.SubscriptionMessageName || hook[0].Subject != latest(b).ID {
		t.Fatalf("at the webhook: %+v", hook)
	}
	due, err := s.DueMessages(ctx, now.Add(time.Hour), 10)
	must(t, err)
	if len(due) != 3 {
		t.Fatalf("due by e-mail: %+v", due)
	}

	try := func(m dtm.SubscriptionMessage, status int, bounced bool) {
		t.Helper()
		_, ok, err := s.ClaimMessage(ctx, m.ID, now.Add(time.Minute))
		must(t, err)
		if !ok {
			t.Fatal("it cannot be tried")
		}
		m.Done, m.Status, m.Bounced = ptr(now), status, bounced
		must(t, s.MessageTried(ctx, m))
		if _, ok, err := s.ClaimMessage(ctx, m.ID, now); err != nil || ok {
			t.Errorf("a message that is done is tried again: %v", err)
		}
	}
	state := func(of dtm.Subscription, want, cause string) {
		t.Helper()
		x, err := s.Subscription(ctx, of.ID)
		must(t, err)
		if x.State != want || x.Cause != cause {
			t.Errorf("it is %s %q, want %s %q", x.State, x.Cause, want, cause)
		}
	}
	try(due[0], 550, true)
	try(due[1], 250, false)
	try(due[2], 550, true)
	state(a, dtm.SubscriptionActive, "")
	must(t, s.MessageBounced(ctx, due[1].ID, "5.1.1"))
	state(a, dtm.SubscriptionAtRest, "bounced")
	must(t, s.MessageBounced(ctx, due[1].ID, "5.1.1"))
	wantKind(t, s.MessageBounced(ctx, "none", "x"), dtm.NotFound)
	if message(a, "", false, "4") {
		t.Error("one that rests is told")
	}
	must(t, s.ResumeSubscription(ctx, a.ID))
	if !message(a, "", false, "4") {
		t.Error("what came meanwhile is not told")
	}
	state(a, dtm.SubscriptionActive, "")
	must(t, s.StopSubscription(ctx, a.ID))
	must(t, s.StopSubscription(ctx, a.ID))
	state(a, dtm.SubscriptionEnded, "")
	if due, err := s.DueMessages(ctx, now.Add(time.Hour), 10); err != nil || len(due) != 0 {
		t.Errorf("due after the stop: %+v, %v", due, err)
	}
	if m := latest(a); m.Done == nil || m.Problem != "stopped" {
		t.Errorf("what waited: %+v", m)
	}
	wantKind(t, s.ResumeSubscription(ctx, a.ID), dtm.Conflict)
	wantKind(t, s.PauseSubscription(ctx, a.ID, ""), dtm.Conflict)

	// A webhook's sender writes to the message, and has the subscription rest with it.
	x := hook[0]
	x.Attempts, x.Tried, x.Status, x.Problem, x.Next = 1, ptr(now), 410, "gone", now.Add(time.Hour)
	must(t, s.Delivered(ctx, x, "gone"))
	state(b, dtm.SubscriptionAtRest, "address")
	if m := latest(b); m.Done != nil || m.Status != 410 || m.Attempts != 1 || m.Tried == nil {
		t.Errorf("after the sender tried: %+v", m)
	}
	must(t, s.ResumeSubscription(ctx, b.ID))
	state(b, dtm.SubscriptionActive, "")
	must(t, s.PauseSubscription(ctx, b.ID, ""))
	state(b, dtm.SubscriptionAtRest, "")
	if hooks, err := s.Webhooks(ctx); err != nil || len(hooks) != 1 || hooks[0].Paused == nil {
		t.Errorf("its webhook: %+v, %v", hooks, err)
	}
	must(t, s.ResumeWebhook(ctx, b.Webhook))
	state(b, dtm.SubscriptionActive, "")
	must(t, s.RemoveWebhook(ctx, b.Webhook))
	state(b, dtm.SubscriptionEnded, "")
	for range dtm.MostSubscriptions {
		_, err := s.AddSubscription(ctx, dtm.Subscription{Owner: amina, Channel: dtm.ChannelEmail, Pace: dtm.PaceOnce})
		must(t, err)
	}
	_, err = s.AddSubscription(ctx, dtm.Subscription{Owner: amina, Channel: dtm.ChannelEmail, Pace: dtm.PaceOnce})
	wantKind(t, err, dtm.Conflict)
	must(t, s.Verify(ctx))
}
