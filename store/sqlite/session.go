package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"dtm"
)

var _ dtm.Sessions = (*DB)(nil)

// AddSession begins a session and forgets those that have expired.
func (db *DB) AddSession(ctx context.Context, token string, s dtm.Session) error {
	return db.update(ctx, "sqlite.AddSession", func(t *tx) error {
		if err := t.exec(`
			DELETE FROM session
			WHERE operation = $1 AND expires <= $2`, t.db.operation, timeText(t.now)); err != nil {
			return err
		}
		if err := t.exec(`
			INSERT INTO session (operation, token_hash, email, csrf, created, expires)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			t.db.operation, tokenHash(token), s.Email, s.CSRF, timeText(s.Created), timeText(s.Expires)); err != nil {
			return err
		}
		_, err := t.log(dtm.SignedIn, s.Email, "user:"+s.Email, "{}")
		return err
	})
}

// Session finds a session: Unauthenticated when there is none or it has expired.
func (db *DB) Session(ctx context.Context, token string) (dtm.Session, error) {
	var s dtm.Session
	var created, expires string
	err := db.read.QueryRowContext(ctx, `
		SELECT email, csrf, created, expires
		FROM session
		WHERE operation = $1 AND token_hash = $2`, db.operation, tokenHash(token)).Scan(&s.Email, &s.CSRF, &created, &expires)
	if err == nil {
		s.Created, err = textTime(created)
	}
	if err == nil {
		s.Expires, err = textTime(expires)
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.Expires.After(db.now()) {
		return dtm.Session{}, dtm.Errorf(dtm.Unauthenticated, "the session has ended; sign in again").Coded("session.ended")
	}
	return s, failure("sqlite.Session", err)
}

// EndSession forgets a session.
func (db *DB) EndSession(ctx context.Context, token string) error {
	return db.update(ctx, "sqlite.EndSession", func(t *tx) error {
		return t.exec(`
			DELETE FROM session
			WHERE operation = $1 AND token_hash = $2`, t.db.operation, tokenHash(token))
	})
}
