package relational

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
)

var (
	_ dtm.Subscriptions     = (*DB)(nil)
	_ dtm.SubscriptionQueue = (*DB)(nil)
)

// stoppedShown is how long the list still shows what was stopped.
const stoppedShown = 30 * 24 * time.Hour

// AddSubscription gives it an id, a token of stopping and, to a webhook, a secret.
func (db *DB) AddSubscription(ctx context.Context, s dtm.Subscription) (dtm.Subscription, error) {
	const op = "store.AddSubscription"
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return s, failure(op, fmt.Errorf("randomness: %w", err))
	}
	var token [24]byte
	if _, err := io.ReadFull(db.rand, token[:]); err != nil {
		return s, failure(op, fmt.Errorf("randomness: %w", err))
	}
	s.ID, s.Stop, s.State, s.Cause, s.Slot, s.Webhook = id.String(), base64.RawURLEncoding.EncodeToString(token[:]), dtm.SubscriptionActive, "", "", ""
	var hook dtm.Webhook
	kept := ""
	if s.Channel == dtm.ChannelWebhook {
		hook = dtm.Webhook{URL: s.URL, Allow: s.Allow, Events: []string{dtm.SubscriptionMessageName}}
		if kept, err = db.newHook(ctx, op, &hook); err != nil {
			return s, err
		}
		s.Webhook, s.Secret = hook.ID, hook.Secret
	}
	err = db.update(ctx, op, func(t *tx) error {
		var n int
		if _, err := t.row(`
			SELECT count(*)
			FROM subscription
			WHERE operation = $1 AND owner = $2 AND state <> 'stopped'`, []any{t.db.operation, s.Owner}, &n); err != nil {
			return err
		}
		if n >= dtm.MostSubscriptions {
			return dtm.Errorf(dtm.Conflict, "you have %d subscriptions; stop one first", n).Coded("subscription.most", n)
		}
		if s.Channel == dtm.ChannelWebhook {
			if err := t.addHook(ctx, &hook, kept); err != nil {
				return err
			}
		}
		s.Created, s.Changed, s.Begun = t.now, t.now, t.now
		if err := t.exec(`
			INSERT INTO subscription (operation, id, seq, owner, lang, channel, webhook, url, kind, subject, narrowed, rule, bound, pace, created, state, cause, changed, begun, slot, stop)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'active', '', $15, $15, '', $16)`,
			t.db.operation, s.ID, t.chain.Seq+1, s.Owner, string(s.Lang), s.Channel, s.Webhook, s.URL, s.Kind, s.Of, jsonText(s.Where), s.Rule, s.Bound, s.Pace, timeText(t.now), s.Stop); err != nil {
			return err
		}
		_, err := t.log(dtm.SubscriptionMade, s.ID, event.Actor(ctx), jsonText(map[string]any{"kind": s.Kind, "of": s.Of, "channel": s.Channel, "pace": s.Pace}))
		return err
	})
	return s, err
}

const subscriptionQuery = `
	SELECT id, owner, lang, channel, webhook, url, kind, subject, narrowed, rule, bound, pace, created, state, cause, changed, begun, slot, stop
	FROM subscription
	WHERE operation = $1`

func scanSubscription(scan func(...any) error) (dtm.Subscription, error) {
	var s dtm.Subscription
	var lang, narrowed, created, changed, begun string
	err := scan(&s.ID, &s.Owner, &lang, &s.Channel, &s.Webhook, &s.URL, &s.Kind, &s.Of, &narrowed, &s.Rule, &s.Bound, &s.Pace, &created, &s.State, &s.Cause, &changed, &begun, &s.Slot, &s.Stop)
	if err != nil {
		return s, err
	}
	s.Lang = dtm.Lang(lang)
	if err := json.Unmarshal([]byte(narrowed), &s.Where); err != nil {
		return s, err
	}
	for _, x := range []struct {
		text string
		into *time.Time
	}{{created, &s.Created}, {changed, &s.Changed}, {begun, &s.Begun}} {
		if *x.into, err = textTime(x.text); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Subscriptions lists those of an owner, "" of all, newest first.
func (db *DB) Subscriptions(ctx context.Context, owner string) ([]dtm.Subscription, error) {
	const op = "store.Subscriptions"
	rows, err := db.read.QueryContext(ctx, subscriptionQuery+` AND (owner = $2 OR $2 = '') AND (state <> 'stopped' OR changed > $3)
		ORDER BY seq DESC`, db.operation, owner, timeText(db.now().Add(-stoppedShown)))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Subscription
	for rows.Next() {
		s, err := scanSubscription(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		s.Stop = ""
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}

func noSubscription() error {
	return dtm.Errorf(dtm.NotFound, "there is no such subscription").Coded("subscription.unknown")
}

func (db *DB) oneSubscription(ctx context.Context, op, where, value string) (dtm.Subscription, error) {
	s, err := scanSubscription(db.read.QueryRowContext(ctx, subscriptionQuery+where, db.operation, value).Scan)
	if err == sql.ErrNoRows {
		return s, noSubscription()
	}
	return s, failure(op, err)
}

// Subscription returns one: NotFound.
func (db *DB) Subscription(ctx context.Context, id string) (dtm.Subscription, error) {
	return db.oneSubscription(ctx, "store.Subscription", ` AND id = $2`, id)
}

// SubscriptionByToken finds one by its token of stopping: NotFound.
func (db *DB) SubscriptionByToken(ctx context.Context, token string) (dtm.Subscription, error) {
	return db.oneSubscription(ctx, "store.SubscriptionByToken", ` AND stop = $2`, token)
}

// subscription reads one within a transaction: NotFound.
func (t *tx) subscription(id string) (dtm.Subscription, error) {
	st, err := t.stmt(t.ctx, subscriptionQuery+` AND id = $2`)
	if err != nil {
		return dtm.Subscription{}, err
	}
	s, err := scanSubscription(st.QueryRowContext(t.ctx, t.db.operation, id).Scan)
	if err == sql.ErrNoRows {
		return s, noSubscription()
	}
	return s, err
}

func stoppedAlready() error {
	return dtm.Errorf(dtm.Conflict, "this subscription was stopped; make another one").Coded("subscription.stopped")
}

// rest has a subscription rest, and its webhook with it.
func (t *tx) rest(s dtm.Subscription, cause, actor string) error {
	if err := t.exec(`
		UPDATE subscription
		SET state = 'paused', cause = $3, changed = $4
		WHERE operation = $1 AND id = $2`, t.db.operation, s.ID, cause, timeText(t.now)); err != nil {
		return err
	}
	if s.Webhook != "" {
		if err := t.exec(`
			UPDATE webhook
			SET paused = $3
			WHERE operation = $1 AND id = $2 AND paused IS NULL`, t.db.operation, s.Webhook, timeText(t.now)); err != nil {
			return err
		}
	}
	_, err := t.log(dtm.SubscriptionPaused, s.ID, actor, jsonText(map[string]any{"cause": cause}))
	return err
}

// PauseSubscription has it rest: NotFound; Conflict when it was stopped.
func (db *DB) PauseSubscription(ctx context.Context, id, cause string) error {
	return db.update(ctx, "store.PauseSubscription", func(t *tx) error {
		s, err := t.subscription(id)
		switch {
		case err != nil:
			return err
		case s.State == dtm.SubscriptionEnded:
			return stoppedAlready()
		case s.State == dtm.SubscriptionAtRest:
			return nil
		}
		return t.rest(s, cause, event.Actor(ctx))
	})
}

// ResumeSubscription ends a rest; what waits is due at once: NotFound; Conflict when it
// was stopped.
func (db *DB) ResumeSubscription(ctx context.Context, id string) error {
	return db.update(ctx, "store.ResumeSubscription", func(t *tx) error {
		s, err := t.subscription(id)
		switch {
		case err != nil:
			return err
		case s.State == dtm.SubscriptionEnded:
			return stoppedAlready()
		case s.State == dtm.SubscriptionActive:
			return nil
		}
		if s.Webhook != "" {
			return t.resumeHook(ctx, s.Webhook)
		}
		return t.wake(ctx, s.ID)
	})
}

// wake makes a resting subscription active.
func (t *tx) wake(ctx context.Context, id string) error {
	if err := t.exec(`
		UPDATE subscription
		SET state = 'active', cause = '', changed = $3, begun = $3
		WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now)); err != nil {
		return err
	}
	if err := t.exec(`
		UPDATE subscription_message
		SET next = $3, created = $3, attempts = 0
		WHERE operation = $1 AND subscription = $2 AND done IS NULL`, t.db.operation, id, timeText(t.now)); err != nil {
		return err
	}
	_, err := t.log(dtm.SubscriptionResumed, id, event.Actor(ctx), "{}")
	return err
}

// StopSubscription ends it with all that waits: NotFound.
func (db *DB) StopSubscription(ctx context.Context, id string) error {
	return db.update(ctx, "store.StopSubscription", func(t *tx) error {
		s, err := t.subscription(id)
		if err != nil || s.State == dtm.SubscriptionEnded {
			return err
		}
		if s.Webhook != "" {
			if err := t.exec(`
				DELETE FROM webhook
				WHERE operation = $1 AND id = $2`, t.db.operation, s.Webhook); err != nil {
				return err
			}
		}
		return t.endSubscription(ctx, s.ID)
	})
}

// problemStopped is written to messages that were not sent when their subscription was
// stopped.
const problemStopped = "stopped"

func (t *tx) endSubscription(ctx context.Context, id string) error {
	if err := t.exec(`
		UPDATE subscription
		SET state = 'stopped', cause = '', changed = $3
		WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now)); err != nil {
		return err
	}
	if err := t.exec(`
		UPDATE subscription_message
		SET done = $3, problem = '`+problemStopped+`'
		WHERE operation = $1 AND subscription = $2 AND done IS NULL`, t.db.operation, id, timeText(t.now)); err != nil {
		return err
	}
	_, err := t.log(dtm.SubscriptionStopped, id, event.Actor(ctx), "{}")
	return err
}

// toldBy finds the subscription that a webhook tells; "" when it is of none.
func (t *tx) toldBy(webhook string) (id string, err error) {
	_, err = t.row(`
		SELECT id
		FROM subscription
		WHERE operation = $1 AND webhook = $2 AND state <> 'stopped'`, []any{t.db.operation, webhook}, &id)
	return id, err
}

const messageQuery = `
	SELECT m.id, m.subscription, m.trial, m.news, m.created, m.attempts, m.next, m.tried, m.done, m.status, m.problem, m.bounced
	FROM subscription_message m`

func scanMessage(scan func(...any) error) (dtm.SubscriptionMessage, error) {
	var m dtm.SubscriptionMessage
	var news, created, next string
	var tried, done sql.NullString
	err := scan(&m.ID, &m.Subscription, &m.Trial, &news, &created, &m.Attempts, &next, &tried, &done, &m.Status, &m.Problem, &m.Bounced)
	if err == nil {
		err = json.Unmarshal([]byte(news), &m.News)
	}
	if err == nil {
		m.Created, err = textTime(created)
	}
	if err == nil {
		m.Next, err = textTime(next)
	}
	if err == nil {
		m.Tried, err = optionalTime(tried)
	}
	if err == nil {
		m.Done, err = optionalTime(done)
	}
	return m, err
}

func (db *DB) messages(ctx context.Context, op, rest string, args ...any) ([]dtm.SubscriptionMessage, error) {
	rows, err := db.read.QueryContext(ctx, messageQuery+rest, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.SubscriptionMessage
	for rows.Next() {
		m, err := scanMessage(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, m)
	}
	return list, failure(op, rows.Err())
}

// SubscriptionMessages lists those of a subscription, newest first.
func (db *DB) SubscriptionMessages(ctx context.Context, id string, limit int) ([]dtm.SubscriptionMessage, error) {
	return db.messages(ctx, "store.SubscriptionMessages", `
	WHERE m.operation = $1 AND m.subscription = $2
	ORDER BY m.seq DESC
	LIMIT $3`, db.operation, id, limit)
}

// Message returns one: NotFound.
func (db *DB) Message(ctx context.Context, id string) (dtm.SubscriptionMessage, error) {
	list, err := db.messages(ctx, "store.Message", `
	WHERE m.operation = $1 AND m.id = $2`, db.operation, id)
	if err == nil && len(list) == 0 {
		err = dtm.Errorf(dtm.NotFound, "there is no such message").Coded("subscription.message.unknown")
	}
	if err != nil {
		return dtm.SubscriptionMessage{}, err
	}
	return list[0], nil
}

// DueMessages lists those to be sent by e-mail by now, oldest first.
func (db *DB) DueMessages(ctx context.Context, now time.Time, limit int) ([]dtm.SubscriptionMessage, error) {
	return db.messages(ctx, "store.DueMessages", `
	JOIN subscription s ON s.operation = m.operation AND s.id = m.subscription
	WHERE m.operation = $1 AND m.done IS NULL AND (m.next <= $2 OR m.next > $4) AND s.state = 'active' AND s.channel = 'email'
	ORDER BY m.seq
	LIMIT $3`, db.operation, timeText(now), limit, timeText(now.Add(aheadFor)))
}

// QueueMessage keeps a message with the news that the subscription was not told yet.
func (db *DB) QueueMessage(ctx context.Context, m dtm.SubscriptionMessage, slot string) (queued bool, err error) {
	const op = "store.QueueMessage"
	id, err := uuid.NewRandomFromReader(db.rand) // nothing of it can be guessed: who reports a bounce must have it
	if err != nil {
		return false, failure(op, fmt.Errorf("randomness: %w", err))
	}
	m.ID = id.String()
	err = db.update(ctx, op, func(t *tx) error {
		s, err := t.subscription(m.Subscription)
		if err != nil || s.State != dtm.SubscriptionActive {
			return err
		}
		if slot != "" {
			n, err := t.change(`
				UPDATE subscription
				SET slot = $3
				WHERE operation = $1 AND id = $2 AND slot <> $3`, t.db.operation, s.ID, slot)
			if err != nil || n == 0 {
				return err
			}
		}
		var fresh []dtm.News
		for _, x := range m.News {
			if m.Trial {
				fresh = m.News
				break
			}
			n, err := t.change(`
				INSERT INTO subscription_told (operation, subscription, thing, message)
				VALUES ($1, $2, $3, $4)
				ON CONFLICT (operation, subscription, thing) DO NOTHING`, t.db.operation, s.ID, x.Key, m.ID)
			if err != nil {
				return err
			}
			if n > 0 {
				fresh = append(fresh, x)
			}
		}
		if len(fresh) == 0 && !m.Trial {
			return nil
		}
		seq, err := t.log(dtm.SubscriptionDue, s.ID, event.Actor(ctx), jsonText(map[string]any{"message": m.ID, "news": len(fresh), "trial": m.Trial}))
		if err != nil {
			return err
		}
		if err := t.exec(`
			INSERT INTO subscription_message (operation, id, subscription, seq, trial, news, created, attempts, next, status, problem, bounced)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7, 0, '', 0)`,
			t.db.operation, m.ID, s.ID, seq, m.Trial, listText(fresh), timeText(t.now)); err != nil {
			return err
		}
		queued = true
		if s.Webhook == "" {
			return nil
		}
		return t.addDelivery(dtm.Delivery{ID: s.Webhook + "-" + m.ID, Webhook: s.Webhook, Event: seq, Name: dtm.SubscriptionMessageName, Subject: m.ID, Created: t.now, Next: t.now})
	})
	return queued && err == nil, err
}

// ClaimMessage notes an attempt before it is made.
func (db *DB) ClaimMessage(ctx context.Context, id string, next time.Time) (s dtm.Subscription, ok bool, err error) {
	err = db.update(ctx, "store.ClaimMessage", func(t *tx) error {
		var of string
		found, err := t.row(`
			SELECT subscription
			FROM subscription_message
			WHERE operation = $1 AND id = $2 AND done IS NULL`, []any{t.db.operation, id}, &of)
		if err != nil || !found {
			return err
		}
		if s, err = t.subscription(of); err != nil || s.State != dtm.SubscriptionActive {
			return err
		}
		ok = true
		return t.exec(`
			UPDATE subscription_message
			SET attempts = attempts + 1, tried = $3, next = $4
			WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now), timeText(next))
	})
	return s, ok && err == nil, err
}

// MessageTried records how an attempt went.
func (db *DB) MessageTried(ctx context.Context, m dtm.SubscriptionMessage) error {
	return db.update(ctx, "store.MessageTried", func(t *tx) error { return t.tried(m) })
}

func (t *tx) tried(m dtm.SubscriptionMessage) error {
	var done any
	if m.Done != nil {
		done = timeText(*m.Done)
	}
	n, err := t.change(`
		UPDATE subscription_message
		SET next = $3, done = $4, status = $5, problem = $6, bounced = $7
		WHERE operation = $1 AND id = $2 AND bounced = 0`, t.db.operation, m.ID, timeText(m.Next), done, m.Status, m.Problem, m.Bounced)
	switch {
	case err != nil || n == 0 || m.Done == nil:
		return err
	case m.Bounced:
		return t.bounced(m)
	case m.Problem == "":
		_, err := t.log(dtm.SubscriptionSent, m.Subscription, event.System, jsonText(map[string]any{"message": m.ID, "status": m.Status}))
		return err
	}
	return nil
}

// bounced logs that a message came back, and has the subscription rest when as many did
// in a row.
func (t *tx) bounced(m dtm.SubscriptionMessage) error {
	if _, err := t.log(dtm.SubscriptionBounced, m.Subscription, event.System, jsonText(map[string]any{"message": m.ID, "status": m.Status})); err != nil {
		return err
	}
	s, err := t.subscription(m.Subscription)
	if err != nil || s.State != dtm.SubscriptionActive {
		return err
	}
	var n int
	if _, err := t.row(`
		SELECT coalesce(sum(bounced), 0)
		FROM (
		  SELECT bounced
		  FROM subscription_message
		  WHERE operation = $1 AND subscription = $2 AND done IS NOT NULL AND created >= $3
		  ORDER BY seq DESC
		  LIMIT $4) latest`, []any{t.db.operation, s.ID, timeText(s.Begun), dtm.BouncesToPause}, &n); err != nil {
		return err
	}
	if n < dtm.BouncesToPause {
		return nil
	}
	return t.rest(s, "bounced", event.System)
}

// MessageBounced records that a message that was sent came back: NotFound.
func (db *DB) MessageBounced(ctx context.Context, id, problem string) error {
	m, err := db.Message(ctx, id)
	if err != nil {
		return err
	}
	return db.update(ctx, "store.MessageBounced", func(t *tx) error {
		n, err := t.change(`
			UPDATE subscription_message
			SET bounced = 1, problem = $3, done = coalesce(done, $4)
			WHERE operation = $1 AND id = $2 AND bounced = 0`, t.db.operation, id, problem, timeText(t.now))
		if err != nil || n == 0 {
			return err
		}
		return t.bounced(m)
	})
}

// messageDelivered writes to a message what the sender of webhooks made of it.
func (t *tx) messageDelivered(d dtm.Delivery) error {
	var of string
	found, err := t.row(`
		SELECT subscription
		FROM subscription_message
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, d.Subject}, &of)
	if err != nil || !found {
		return err
	}
	tried := d.Next
	if d.Tried != nil {
		tried = *d.Tried
	}
	if err := t.exec(`
		UPDATE subscription_message
		SET attempts = $3, tried = $4
		WHERE operation = $1 AND id = $2`, t.db.operation, d.Subject, d.Attempts, timeText(tried)); err != nil {
		return err
	}
	return t.tried(dtm.SubscriptionMessage{ID: d.Subject, Subscription: of, Next: d.Next, Done: d.Done, Status: d.Status, Problem: d.Problem})
}
