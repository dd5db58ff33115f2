package relational

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Sessions = (*DB)(nil)

// AddSession begins a session and forgets those that have expired.
func (db *DB) AddSession(ctx context.Context, token string, s dtm.Session) error {
	return db.update(ctx, "store.AddSession", func(t *tx) error {
		if err := t.exec(`
			DELETE FROM session
			WHERE operation = $1 AND expires <= $2`, t.db.operation, timeText(t.now)); err != nil {
			return err
		}
		if s.Kind == "" {
			s.Kind = dtm.SessionKindAPI
		}
		if err := t.exec(`
			INSERT INTO session (operation, token_hash, kind, email, csrf, agent, created, expires, seen, second, proved)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9, $10)`,
			t.db.operation, tokenHash(token), s.Kind, s.Email, s.CSRF, s.Agent, timeText(s.Created), timeText(s.Expires), instantText(s.Second), instantText(s.Proved)); err != nil {
			return err
		}
		_, err := t.log(dtm.SignedIn, s.Email, "user:"+s.Email, "{}")
		return err
	})
}

const sessionQuery = `
	SELECT s.token_hash, s.kind, s.email, s.csrf, s.agent, s.created, s.expires, s.seen, s.second, s.proved,
	  EXISTS (SELECT 1 FROM factor f WHERE f.operation = s.operation AND f.email = s.email)
	FROM session s
	LEFT JOIN staff u ON u.operation = s.operation AND u.email = s.email
	WHERE s.operation = $1 AND u.disabled IS NULL AND (u.sessions_after IS NULL OR s.created >= u.sessions_after)`

// instantText is timeText of a time that may not have come, "" then.
func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timeText(t)
}

func scanSession(scan func(...any) error) (dtm.Session, error) {
	var s dtm.Session
	var hash, created, expires, seen, second, proved string
	err := scan(&hash, &s.Kind, &s.Email, &s.CSRF, &s.Agent, &created, &expires, &seen, &second, &proved, &s.Armed)
	if err == nil {
		s.Created, err = textTime(created)
	}
	if err == nil {
		s.Expires, err = textTime(expires)
	}
	for _, x := range []struct {
		text string
		into *time.Time
	}{{seen, &s.Seen}, {second, &s.Second}, {proved, &s.Proved}} {
		if err == nil && x.text != "" {
			*x.into, err = textTime(x.text)
		}
	}
	s.ID = hash[:min(len(hash), sessionID)]
	return s, err
}

// sessionID is how much of the token's hash names a session: enough to tell one
// user's apart, and nothing that opens it.
const sessionID = 16

// Session finds a session: Unauthenticated when there is none or it has expired. One that
// begins in the future was begun by a clock that stood ahead: until then it would not end.
func (db *DB) Session(ctx context.Context, token string) (dtm.Session, error) {
	s, err := scanSession(db.read.QueryRowContext(ctx, sessionQuery+` AND s.token_hash = $2`, db.operation, tokenHash(token)).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (!s.Expires.After(db.now()) || s.Created.After(db.now().Add(dtm.ClockSkew))) {
		return dtm.Session{}, dtm.Errorf(dtm.Unauthenticated, "the session has ended; sign in again").Coded("session.ended")
	}
	return s, failure("store.Session", err)
}

// ProlongSession notes that a session was used now and moves its end.
func (db *DB) ProlongSession(ctx context.Context, token string, expires time.Time) error {
	return db.update(ctx, "store.ProlongSession", func(t *tx) error {
		return t.exec(`
			UPDATE session
			SET seen = $3, expires = $4
			WHERE operation = $1 AND token_hash = $2`, t.db.operation, tokenHash(token), timeText(t.now), timeText(expires))
	})
}

// ProveSession notes that the user has just proved again who they are.
func (db *DB) ProveSession(ctx context.Context, token string) error {
	return db.update(ctx, "store.ProveSession", func(t *tx) error {
		return t.exec(`
			UPDATE session
			SET proved = $3
			WHERE operation = $1 AND token_hash = $2`, t.db.operation, tokenHash(token), timeText(t.now))
	})
}

// SessionsOf lists those of a user that have not expired, newest first.
func (db *DB) SessionsOf(ctx context.Context, email string) ([]dtm.Session, error) {
	const op = "store.SessionsOf"
	rows, err := db.read.QueryContext(ctx, sessionQuery+` AND s.email = $2 AND s.expires > $3
		ORDER BY s.created DESC, s.token_hash`, db.operation, email, timeText(db.now()))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Session
	for rows.Next() {
		s, err := scanSession(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}

// EndSessions forgets one of a user's sessions, or all but one.
func (db *DB) EndSessions(ctx context.Context, email, id, except string) error {
	return db.update(ctx, "store.EndSessions", func(t *tx) error { return t.endSessions(ctx, email, id, except) })
}

func (t *tx) endSessions(ctx context.Context, email, id, except string) error {
	n, err := t.change(`
		DELETE FROM session
		WHERE operation = $1 AND email = $2
		  AND ($3 = '' OR substr(token_hash, 1, `+strconv.Itoa(sessionID)+`) = $3)
		  AND ($4 = '' OR substr(token_hash, 1, `+strconv.Itoa(sessionID)+`) <> $4)`, t.db.operation, email, id, except)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.log(dtm.SessionsEnded, email, event.Actor(ctx), jsonText(map[string]any{"sessions": n}))
	return err
}

// EndSession forgets a session.
func (db *DB) EndSession(ctx context.Context, token string) error {
	return db.update(ctx, "store.EndSession", func(t *tx) error {
		return t.exec(`
			DELETE FROM session
			WHERE operation = $1 AND token_hash = $2`, t.db.operation, tokenHash(token))
	})
}
