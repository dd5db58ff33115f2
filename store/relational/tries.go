package relational

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dtm"
)

var (
	_ dtm.Tries = (*DB)(nil)
	_ dtm.Spent = (*DB)(nil)
)

const triesQuery = `
	SELECT failures, failed, succeeded, until
	FROM tries
	WHERE operation = $1 AND key_hash = $2`

// triedTexts are the times of a row.
type triedTexts struct{ failed, succeeded, until string }

func (x triedTexts) of(failures int) (t dtm.Tried, err error) {
	t.Failures = failures
	for _, at := range []struct {
		text string
		into *time.Time
	}{{x.failed, &t.Last}, {x.succeeded, &t.Right}, {x.until, &t.Until}} {
		if err == nil && at.text != "" {
			*at.into, err = textTime(at.text)
		}
	}
	return t, err
}

// Tries returns what is known under the keys.
func (db *DB) Tries(ctx context.Context, keys []string) (map[string]dtm.Tried, error) {
	known := map[string]dtm.Tried{}
	for _, k := range keys {
		var failures int
		var at triedTexts
		err := db.read.QueryRowContext(ctx, triesQuery, db.operation, tokenHash(k)).Scan(&failures, &at.failed, &at.succeeded, &at.until)
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			known[k], err = at.of(failures)
		}
		if err != nil {
			return nil, failure("store.Tries", err)
		}
	}
	return known, nil
}

// CountTries lets decide change what is known under the keys, and forgets what is over.
// Writers of a store come one after the other, those of other servers too.
func (db *DB) CountTries(ctx context.Context, keys []string, decide func(map[string]dtm.Tried) map[string]dtm.Tried) error {
	return db.update(ctx, "store.CountTries", func(t *tx) error {
		known := map[string]dtm.Tried{}
		for _, k := range keys {
			var failures int
			var at triedTexts
			_, err := t.row(triesQuery, []any{t.db.operation, tokenHash(k)}, &failures, &at.failed, &at.succeeded, &at.until)
			if err == nil {
				known[k], err = at.of(failures)
			}
			if err != nil {
				return err
			}
		}
		if err := t.exec(`
			DELETE FROM tries
			WHERE operation = $1 AND until <= $2`, t.db.operation, timeText(t.now)); err != nil {
			return err
		}
		for k, x := range decide(known) {
			if err := t.exec(`
				DELETE FROM tries
				WHERE operation = $1 AND key_hash = $2`, t.db.operation, tokenHash(k)); err != nil {
				return err
			}
			if x == (dtm.Tried{}) {
				continue
			}
			if err := t.exec(`
				INSERT INTO tries (operation, key_hash, failures, failed, succeeded, until)
				VALUES ($1, $2, $3, $4, $5, $6)`, t.db.operation, tokenHash(k), x.Failures, instantText(x.Last), instantText(x.Right), timeText(x.Until)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Spend uses a token up.
func (db *DB) Spend(ctx context.Context, token string, until time.Time) error {
	return db.update(ctx, "store.Spend", func(t *tx) error {
		if err := t.exec(`
			DELETE FROM spent
			WHERE operation = $1 AND until <= $2`, t.db.operation, timeText(t.now)); err != nil {
			return err
		}
		n, err := t.change(`
			INSERT INTO spent (operation, token_hash, until)
			VALUES ($1, $2, $3)
			ON CONFLICT (operation, token_hash) DO NOTHING`, t.db.operation, tokenHash(token), timeText(until))
		if err == nil && n == 0 {
			err = dtm.Errorf(dtm.Conflict, "this was used already")
		}
		return err
	})
}
