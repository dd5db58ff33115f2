package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dtm"
	"dtm/access"
	"dtm/analyse/indicator"
	"dtm/analyse/watch"
	"dtm/disseminate/notify"
	"dtm/event"
)

const (
	// tellEvery is how often messages that are due are looked for, lookForNews how often
	// news are while the log grows: at once means within the two.
	tellEvery   = 20 * time.Second
	lookForNews = time.Minute

	mailAtOnce  = 50 // most messages read at a time
	mailFirst   = time.Minute
	mailLongest = 4 * time.Hour
	mailGiveUp  = 48 * time.Hour

	// alertsTold is how many days an alert may be old to be news.
	alertsTold = 60
)

// keepSubscriptions tells subscribers until ctx ends.
func (h *house) keepSubscriptions(ctx context.Context) {
	ctx = event.WithActor(ctx, event.System)
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	var last struct {
		at   time.Time
		seq  int64
		hour int
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := h.now()
		seq, err := h.db.Last(ctx)
		if hour := now.In(h.op.Zone).Hour(); err == nil && (seq != last.seq || hour != last.hour) && now.Sub(last.at) >= lookForNews {
			if _, err = h.queueNews(ctx); err == nil {
				last.at, last.seq, last.hour = now, seq, hour
			}
		}
		if err == nil {
			_, err = h.sendMail(ctx)
		}
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "telling subscribers failed; it will be tried again", "error", err)
		}
	}
}

// world is what there may be news of now. Figures of a month are asked for once.
func (h *house) world(ctx context.Context) (*notify.World, error) {
	w := &notify.World{Operation: h.op, Now: h.now()}
	sources := map[dtm.Month]dtm.Source{}
	w.Source = func(ctx context.Context, m dtm.Month) (dtm.Source, error) {
		s, ok := sources[m]
		if ok {
			return s, nil
		}
		s, err := h.shelf.Source(ctx, "", m)
		if err == nil {
			sources[m] = s
		}
		return s, err
	}
	list, err := h.db.Alerts(ctx, dtm.AlertFilter{States: []string{dtm.FlagOpen, dtm.FlagConfirmed}, Since: h.today().AddDate(0, 0, -alertsTold)})
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.State == dtm.FlagOpen && a.Holds {
			w.Raised = append(w.Raised, a)
		}
	}
	if w.Confirmed, err = watch.Published(ctx, h.public, list); err != nil {
		return nil, err
	}
	w.Releases, err = h.db.FrozenReleases(ctx)
	return w, err
}

// reach is how far a user may receive figures.
func (h *house) reach(ctx context.Context, u dtm.User) (dtm.Reach, error) {
	var list []dtm.Agreement
	if u.Partner != "" {
		var err error
		if list, err = h.db.Agreements(ctx, u.Partner); err != nil {
			return dtm.Reach{}, err
		}
	}
	return access.Reach(u, list, h.now(), h.op.Zone)
}

// reachOfPartner is how far a partner's staff may receive figures now.
func (h *house) reachOfPartner(ctx context.Context, partner string) (dtm.Reach, error) {
	return h.reach(ctx, dtm.User{Email: "x", Role: dtm.RolePartner, Partner: partner})
}

// reachOf is reach of an account by its address; false when it may receive nothing now.
func (h *house) reachOf(ctx context.Context, email string) (dtm.Reach, bool, error) {
	u, _, err := h.db.User(ctx, email)
	var r dtm.Reach
	if err == nil {
		r, err = h.reach(ctx, u)
	}
	switch dtm.KindOf(err) {
	case dtm.NotFound, dtm.Forbidden, dtm.Unauthenticated:
		if err != nil {
			return r, false, nil
		}
	}
	return r, err == nil, err
}

// queueNews makes the messages that are due.
func (h *house) queueNews(ctx context.Context) (queued int, err error) {
	list, err := h.db.Subscriptions(ctx, "")
	if err != nil {
		return 0, err
	}
	var w *notify.World
	var errs []error
	for _, s := range list {
		slot, ready := s.Ready(h.now(), h.op.Zone)
		if s.State != dtm.SubscriptionActive || !ready {
			continue
		}
		reach, ok, err := h.reachOf(ctx, s.Owner)
		if err != nil {
			return queued, err
		}
		if !ok {
			continue
		}
		if w == nil {
			if err := h.current(ctx); err != nil {
				return queued, err
			}
			if w, err = h.world(ctx); err != nil {
				return queued, err
			}
		}
		news, err := w.News(ctx, s, reach)
		if err != nil { // of this one alone: an indicator that is gone, a point that is
			errs = append(errs, fmt.Errorf("subscription %s: %w", s.ID, err))
			continue
		}
		if len(news) == 0 && slot == "" {
			continue
		}
		made, err := h.db.QueueMessage(ctx, dtm.SubscriptionMessage{Subscription: s.ID, News: news}, slot)
		if err != nil {
			return queued, err
		}
		if made {
			queued++
		}
	}
	return queued, errors.Join(errs...)
}

// mailer is the way out by e-mail, as the settings name it.
func (h *house) mailer() notify.Mailer {
	c := h.config
	return notify.Mailer{Host: c.SMTPHost, Port: int(c.SMTPPort), User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom, TLS: c.SMTPTLS, Now: h.now}
}

// words says news to subscribers.
func (h *house) words() notify.Words {
	return notify.Words{Operation: h.op, Base: h.baseURL(), Indicator: h.figures.Indicator,
		Label: func(dim, code string, l dtm.Lang) string { return indicator.Label(h.op, dim, code, l) }}
}

// sendMail sends what is due by e-mail. Without a mail server it waits.
func (h *house) sendMail(ctx context.Context) (sent int, err error) {
	if h.mailer().Check() != nil {
		return 0, nil
	}
	for {
		due, err := h.db.DueMessages(ctx, h.now(), mailAtOnce)
		if err != nil || len(due) == 0 {
			return sent, err
		}
		for _, m := range due {
			ok, err := h.sendOne(ctx, m)
			if err != nil {
				return sent, err
			}
			if ok {
				sent++
			}
		}
	}
}

// mailBackoff is the pause after n attempts.
func mailBackoff(n int) time.Duration {
	if p := mailFirst << min(n-1, 20); p < mailLongest {
		return p
	}
	return mailLongest
}

// sendOne tries one message. The attempt is noted before it is made: when the server
// dies between the mail server's answer and our record, the message goes once more, with
// the same Message-ID.
func (h *house) sendOne(ctx context.Context, m dtm.SubscriptionMessage) (sent bool, err error) {
	now := h.now()
	m.Next = now.Add(mailBackoff(m.Attempts + 1))
	s, ok, err := h.db.ClaimMessage(ctx, m.ID, m.Next)
	if err != nil || !ok {
		return false, err
	}
	if _, may, err := h.reachOf(ctx, s.Owner); err != nil {
		return false, err
	} else if !may {
		m.Done, m.Problem = &now, "not allowed any more"
		return false, h.db.MessageTried(ctx, m)
	}
	mail, err := h.words().Mail(s, m)
	if err != nil {
		return false, err
	}
	err = h.mailer().Send(ctx, mail)
	if ctx.Err() != nil {
		return false, ctx.Err() // we are stopping: it is tried again after the start
	}
	now = h.now()
	var refused *notify.Refusal
	switch {
	case err == nil:
		m.Done, m.Status, m.Problem = &now, notify.Taken, ""
	case errors.As(err, &refused):
		m.Status, m.Problem = refused.Status, shortened(refused.Error())
		if refused.ForGood {
			m.Done, m.Bounced = &now, true
		} else if now.Sub(m.Created) >= mailGiveUp {
			m.Done = &now
		}
	default:
		return false, err
	}
	return err == nil, h.db.MessageTried(ctx, m)
}

// shortened keeps a server's answer to what a table shows.
func shortened(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// hookBody writes a message of a subscription for its webhook.
func (h *house) hookBody(ctx context.Context, d dtm.Delivery) ([]byte, error) {
	m, err := h.db.Message(ctx, d.Subject)
	if err != nil {
		return nil, err
	}
	s, err := h.db.Subscription(ctx, m.Subscription)
	if err != nil {
		return nil, err
	}
	if _, may, err := h.reachOf(ctx, s.Owner); err != nil || !may {
		if err == nil {
			err = h.db.PauseSubscription(ctx, s.ID, "agreement")
		}
		return nil, errors.Join(dtm.Errorf(dtm.Forbidden, "subscription %s rests: its owner may not receive figures any more", s.ID), err)
	}
	return h.words().Body(d.ID, s, m)
}

// trySubscription sends the latest news of a subscription now, whether they were told
// before or not, and says how that went.
func (h *house) trySubscription(ctx context.Context, id string) (dtm.SubscriptionMessage, error) {
	var none dtm.SubscriptionMessage
	s, err := h.db.Subscription(ctx, id)
	if err != nil {
		return none, err
	}
	if s.State != dtm.SubscriptionActive {
		return none, dtm.Errorf(dtm.Conflict, "the subscription rests; resume it first").Coded("subscription.rests")
	}
	if s.Channel == dtm.ChannelEmail {
		if err := h.mailer().Check(); err != nil {
			return none, err
		}
	}
	reach, ok, err := h.reachOf(ctx, s.Owner)
	if err != nil {
		return none, err
	}
	if !ok {
		return none, dtm.Errorf(dtm.Forbidden, "the account may not receive figures").Coded("access.figures")
	}
	w, err := h.world(ctx)
	if err != nil {
		return none, err
	}
	news, err := w.Sample(ctx, s, reach)
	if err != nil {
		return none, err
	}
	if _, err := h.db.QueueMessage(ctx, dtm.SubscriptionMessage{Subscription: s.ID, Trial: true, News: news}, ""); err != nil {
		return none, err
	}
	list, err := h.db.SubscriptionMessages(ctx, id, 1)
	if err != nil || len(list) == 0 || s.Channel != dtm.ChannelEmail {
		return append(list, none)[0], err
	}
	if _, err := h.sendOne(ctx, list[0]); err != nil {
		return none, err
	}
	return h.db.Message(ctx, list[0].ID)
}

// checkSubscription tells whether somebody may have a subscription, and whether what it
// is to is one figure that is published.
func (h *house) checkSubscription(ctx context.Context, s dtm.Subscription, reach dtm.Reach) error {
	if err := s.Check(h.op, reach); err != nil || s.Kind != dtm.SubscribeIndicator {
		return err
	}
	_, _, _, _, err := notify.Figure(ctx, h.public, s, dtm.MonthOf(h.today()).Add(-1))
	return err
}
