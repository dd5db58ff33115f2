package relational

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
)

var (
	_ dtm.Webhooks     = (*DB)(nil)
	_ dtm.WebhookQueue = (*DB)(nil)
)

// AddWebhook returns the webhook with its id and secret.
func (db *DB) AddWebhook(ctx context.Context, w dtm.Webhook) (dtm.Webhook, error) {
	const op = "store.AddWebhook"
	kept, err := db.newHook(ctx, op, &w)
	if err != nil {
		return dtm.Webhook{}, err
	}
	if err := db.update(ctx, op, func(t *tx) error { return t.addHook(ctx, &w, kept) }); err != nil {
		return dtm.Webhook{}, err
	}
	return w, nil
}

// newHook gives a webhook its id and secret, and the secret as it is kept.
func (db *DB) newHook(ctx context.Context, op string, w *dtm.Webhook) (kept string, err error) {
	var secret [32]byte
	if _, err := io.ReadFull(db.rand, secret[:]); err != nil {
		return "", failure(op, fmt.Errorf("randomness: %w", err))
	}
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return "", failure(op, fmt.Errorf("randomness: %w", err))
	}
	w.ID, w.Secret, w.Paused, w.Cause = id.String(), base64.RawURLEncoding.EncodeToString(secret[:]), nil, ""
	if len(w.Events) == 0 {
		w.Events = []string{dtm.SubmissionReceived}
	}
	return db.sealHook(ctx, w.ID, w.Secret)
}

func (t *tx) addHook(ctx context.Context, w *dtm.Webhook, kept string) error {
	w.Created, w.Since = t.now, t.chain.Seq+1
	err := t.exec(`
		INSERT INTO webhook (operation, id, seq, url, forms, events, allow, secret, created, cause)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')`,
		t.db.operation, w.ID, w.Since, w.URL, listText(w.Forms), listText(w.Events), listText(w.Allow), kept, timeText(w.Created))
	if err != nil {
		return err
	}
	// The address may hold a secret of the other side.
	_, err = t.log(dtm.WebhookAdded, w.ID, event.Actor(ctx), jsonText(map[string]any{"forms": w.Forms, "events": w.Events}))
	return err
}

// sealedHook begins the secret of a webhook that is sealed; others are of a store
// without keys, or older than sealing.
const sealedHook = "sealed:"

func hookPlace(operation, id string) string { return "webhook|" + operation + "|" + id }

func (db *DB) sealHook(ctx context.Context, id, secret string) (string, error) {
	if db.keys == nil {
		return secret, nil
	}
	key, err := db.secret(ctx, "webhook")
	if err != nil {
		return "", err
	}
	b, err := key.Seal(hookPlace(db.operation, id), []byte(secret))
	return sealedHook + base64.StdEncoding.EncodeToString(b), err
}

func (db *DB) openHook(ctx context.Context, id, kept string) (string, error) {
	text, sealed := strings.CutPrefix(kept, sealedHook)
	if !sealed {
		return kept, nil
	}
	if db.keys == nil {
		return "", noKeys()
	}
	key, err := db.secret(ctx, "webhook")
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		b, err = key.Open(hookPlace(db.operation, id), b)
	}
	if err != nil {
		err = dtm.Errorf(dtm.Conflict, "the secret of webhook %s was sealed by another key, as after a restore without the keys: remove the webhook and add it again", id).Coded("webhook.secret", id)
	}
	return string(b), err
}

// sealHooks seals the secrets of webhooks that were added before there were keys.
func (db *DB) sealHooks(ctx context.Context) error {
	list, err := db.webhooks(ctx, "store.sealHooks", webhookQuery)
	if err != nil {
		return err
	}
	for _, w := range list {
		if strings.HasPrefix(w.Secret, sealedHook) {
			continue
		}
		kept, err := db.sealHook(ctx, w.ID, w.Secret)
		if err == nil {
			err = db.update(ctx, "store.sealHooks", func(t *tx) error {
				return t.exec(`
					UPDATE webhook
					SET secret = $3
					WHERE operation = $1 AND id = $2`, t.db.operation, w.ID, kept)
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const webhookQuery = `
	SELECT w.id, w.url, w.forms, w.events, w.allow, w.secret, w.created, w.seq, w.paused, w.cause,
	  (SELECT count(*) FROM webhook_delivery d WHERE d.operation = w.operation AND d.webhook = w.id AND d.done IS NULL)
	FROM webhook w
	WHERE w.operation = $1`

func (db *DB) webhooks(ctx context.Context, op, query string) ([]dtm.Webhook, error) {
	rows, err := db.read.QueryContext(ctx, query, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Webhook
	for rows.Next() {
		var w dtm.Webhook
		var forms, events, allow, created string
		var paused sql.NullString
		err := rows.Scan(&w.ID, &w.URL, &forms, &events, &allow, &w.Secret, &created, &w.Since, &paused, &w.Cause, &w.Waiting)
		for _, j := range []struct {
			text string
			into *[]string
		}{{forms, &w.Forms}, {events, &w.Events}, {allow, &w.Allow}} {
			if err == nil {
				err = json.Unmarshal([]byte(j.text), j.into)
			}
		}
		if err == nil {
			w.Created, err = textTime(created)
		}
		if err == nil {
			w.Paused, err = optionalTime(paused)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, w)
	}
	return list, failure(op, rows.Err())
}

// Webhooks lists them, oldest first, without secrets.
func (db *DB) Webhooks(ctx context.Context) ([]dtm.Webhook, error) {
	const op = "store.Webhooks"
	list, err := db.webhooks(ctx, op, webhookQuery+`
		ORDER BY w.seq`)
	for i := range list {
		list[i].Secret = ""
		rows, err := db.read.QueryContext(ctx, deliveryQuery+` AND webhook = $2 AND tried IS NOT NULL
			ORDER BY tried DESC, event DESC
			LIMIT 1`, db.operation, list[i].ID)
		last, err := scanDeliveries(rows, err)
		if err != nil {
			return nil, failure(op, err)
		}
		if len(last) > 0 {
			list[i].Last = &last[0]
		}
	}
	return list, err
}

// Senders lists the webhooks, those that are paused too, with their secrets.
func (db *DB) Senders(ctx context.Context) ([]dtm.Webhook, error) {
	list, err := db.webhooks(ctx, "store.Senders", webhookQuery+`
		ORDER BY w.seq`)
	for i := range list {
		if err == nil {
			list[i].Secret, err = db.openHook(ctx, list[i].ID, list[i].Secret)
		}
	}
	return list, err
}

func noWebhook(id string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no webhook %q; `dtm webhook list` shows them", id).Coded("webhook.unknown", id)
}

// RemoveWebhook drops it with its log: NotFound.
func (db *DB) RemoveWebhook(ctx context.Context, id string) error {
	return db.update(ctx, "store.RemoveWebhook", func(t *tx) error {
		n, err := t.change(`
			DELETE FROM webhook
			WHERE operation = $1 AND id = $2`, t.db.operation, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return noWebhook(id)
		}
		if _, err = t.log(dtm.WebhookRemoved, id, event.Actor(ctx), "{}"); err != nil {
			return err
		}
		of, err := t.toldBy(id)
		if err != nil || of == "" {
			return err
		}
		return t.endSubscription(ctx, of)
	})
}

// ResumeWebhook ends a pause; what waits is due at once: NotFound.
func (db *DB) ResumeWebhook(ctx context.Context, id string) error {
	return db.update(ctx, "store.ResumeWebhook", func(t *tx) error { return t.resumeHook(ctx, id) })
}

func (t *tx) resumeHook(ctx context.Context, id string) error {
	var paused sql.NullString
	found, err := t.row(`
		SELECT paused
		FROM webhook
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &paused)
	switch {
	case err != nil:
		return err
	case !found:
		return noWebhook(id)
	case !paused.Valid:
		return nil
	}
	err = t.exec(`
		UPDATE webhook
		SET paused = NULL, cause = ''
		WHERE operation = $1 AND id = $2`, t.db.operation, id)
	if err != nil {
		return err
	}
	// The three days begin anew.
	err = t.exec(`
		UPDATE webhook_delivery
		SET next = $3, created = $3, attempts = 0
		WHERE operation = $1 AND webhook = $2 AND done IS NULL`, t.db.operation, id, timeText(t.now))
	if err != nil {
		return err
	}
	if _, err = t.log(dtm.WebhookResumed, id, event.Actor(ctx), "{}"); err != nil {
		return err
	}
	of, err := t.toldBy(id)
	if err != nil || of == "" {
		return err
	}
	return t.wake(ctx, of)
}

const deliveryQuery = `
	SELECT id, webhook, event, name, subject, created, attempts, next, tried, done, status, problem
	FROM webhook_delivery
	WHERE operation = $1`

func scanDeliveries(rows *sql.Rows, err error) ([]dtm.Delivery, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []dtm.Delivery
	for rows.Next() {
		var d dtm.Delivery
		var created, next string
		var tried, done sql.NullString
		err := rows.Scan(&d.ID, &d.Webhook, &d.Event, &d.Name, &d.Subject, &created, &d.Attempts, &next, &tried, &done, &d.Status, &d.Problem)
		if err == nil {
			d.Created, err = textTime(created)
		}
		if err == nil {
			d.Next, err = textTime(next)
		}
		if err == nil {
			d.Tried, err = optionalTime(tried)
		}
		if err == nil {
			d.Done, err = optionalTime(done)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Deliveries lists those of a webhook, newest first.
func (db *DB) Deliveries(ctx context.Context, webhook string, limit int) ([]dtm.Delivery, error) {
	rows, err := db.read.QueryContext(ctx, deliveryQuery+` AND webhook = $2
		ORDER BY event DESC
		LIMIT $3`, db.operation, webhook, limit)
	list, err := scanDeliveries(rows, err)
	return list, failure("store.Deliveries", err)
}

// aheadFor is longer than any pause between attempts: what is put off further was by a
// clock that stood ahead, and is due.
const aheadFor = 6 * time.Hour

// DueDeliveries lists deliveries of a webhook to be tried by now, oldest first.
func (db *DB) DueDeliveries(ctx context.Context, webhook string, now time.Time, limit int) ([]dtm.Delivery, error) {
	rows, err := db.read.QueryContext(ctx, deliveryQuery+` AND webhook = $2 AND done IS NULL AND (next <= $3 OR next > $5)
		ORDER BY event
		LIMIT $4`, db.operation, webhook, timeText(now), limit, timeText(now.Add(aheadFor)))
	list, err := scanDeliveries(rows, err)
	return list, failure("store.DueDeliveries", err)
}

// WebhooksDone returns the position in the log up to which deliveries are made.
func (db *DB) WebhooksDone(ctx context.Context) (int64, error) {
	var seq int64
	err := db.read.QueryRowContext(ctx, `
		SELECT seq
		FROM webhook_done
		WHERE operation = $1`, db.operation).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seq, failure("store.WebhooksDone", err)
}

// QueueDeliveries adds deliveries, each once, and moves the position. Those of a
// webhook that was removed meanwhile are left out.
func (db *DB) QueueDeliveries(ctx context.Context, list []dtm.Delivery, done int64) error {
	return db.update(ctx, "store.QueueDeliveries", func(t *tx) error {
		for _, d := range list {
			if err := t.addDelivery(d); err != nil {
				return err
			}
		}
		return t.exec(`
			INSERT INTO webhook_done (operation, seq)
			VALUES ($1, $2)
			ON CONFLICT (operation) DO UPDATE SET seq = CASE WHEN excluded.seq > webhook_done.seq THEN excluded.seq ELSE webhook_done.seq END`, t.db.operation, done)
	})
}

// addDelivery adds one, once, unless its webhook was removed.
func (t *tx) addDelivery(d dtm.Delivery) error {
	return t.exec(`
		INSERT INTO webhook_delivery (operation, webhook, event, id, name, subject, created, attempts, next, status, problem)
		SELECT operation, id, $3, $4, $5, $6, $7, 0, $8, 0, ''
		FROM webhook
		WHERE operation = $1 AND id = $2
		ON CONFLICT (operation, webhook, event) DO NOTHING`,
		t.db.operation, d.Webhook, d.Event, d.ID, d.Name, d.Subject, timeText(d.Created), timeText(d.Next))
}

// Delivered records an attempt; pause, when not "", pauses the webhook.
func (db *DB) Delivered(ctx context.Context, d dtm.Delivery, pause string) error {
	optional := func(t *time.Time) any {
		if t == nil {
			return nil
		}
		return timeText(*t)
	}
	return db.update(ctx, "store.Delivered", func(t *tx) error {
		err := t.exec(`
			UPDATE webhook_delivery
			SET attempts = $4, next = $5, tried = $6, done = $7, status = $8, problem = $9
			WHERE operation = $1 AND webhook = $2 AND event = $3`,
			t.db.operation, d.Webhook, d.Event, d.Attempts, timeText(d.Next), optional(d.Tried), optional(d.Done), d.Status, d.Problem)
		if err == nil && d.Name == dtm.SubscriptionMessageName {
			err = t.messageDelivered(d)
		}
		if err != nil || pause == "" {
			return err
		}
		n, err := t.change(`
			UPDATE webhook
			SET paused = $3, cause = $4
			WHERE operation = $1 AND id = $2 AND paused IS NULL`, t.db.operation, d.Webhook, timeText(t.now), pause)
		if err != nil || n == 0 {
			return err
		}
		if _, err = t.log(dtm.WebhookPaused, d.Webhook, event.System, jsonText(map[string]any{"status": d.Status})); err != nil {
			return err
		}
		of, err := t.toldBy(d.Webhook)
		if err != nil || of == "" {
			return err
		}
		s, err := t.subscription(of)
		if err != nil || s.State != dtm.SubscriptionActive {
			return err
		}
		return t.rest(s, "address", event.System)
	})
}

// ForgetDeliveries drops those that were done before a time.
func (db *DB) ForgetDeliveries(ctx context.Context, before time.Time) error {
	return db.update(ctx, "store.ForgetDeliveries", func(t *tx) error {
		return t.exec(`
			DELETE FROM webhook_delivery
			WHERE operation = $1 AND done IS NOT NULL AND done < $2`, t.db.operation, timeText(before))
	})
}
