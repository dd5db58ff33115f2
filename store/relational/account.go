package relational

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"dtm"
	"dtm/event"
)

var _ dtm.Accounts = (*DB)(nil)

func address(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Invite records an invitation; those of the same address are void then.
func (db *DB) Invite(ctx context.Context, token string, i dtm.Invitation) error {
	i.Email = address(i.Email)
	if !strings.Contains(i.Email, "@") {
		return dtm.Errorf(dtm.Invalid, "%q is not an e-mail address", i.Email).Coded("user.email", i.Email)
	}
	return db.update(ctx, "store.Invite", func(t *tx) error {
		var role, partner, desk string
		found, err := t.row(`
			SELECT role, partner, desk
			FROM staff
			WHERE operation = $1 AND email = $2`, []any{t.db.operation, i.Email}, &role, &partner, &desk)
		name := dtm.UserInvited
		switch {
		case err != nil:
			return err
		case i.Kind == dtm.InviteReset && !found:
			return noUser(i.Email)
		case i.Kind == dtm.InviteReset:
			i.Role, i.Partner, i.Desk, name = role, partner, desk, dtm.UserReset
		case found:
			return dtm.Errorf(dtm.Conflict, "there is a user %s already", i.Email).Coded("user.taken", i.Email)
		}
		if err := known(i.Role); err != nil {
			return err
		}
		if err := t.exec(`
			DELETE FROM invitation
			WHERE operation = $1 AND (email = $2 OR expires <= $3)`, t.db.operation, i.Email, timeText(t.now)); err != nil {
			return err
		}
		if err := t.exec(`
			INSERT INTO invitation (operation, token_hash, kind, email, role, partner, desk, inviter, created, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			t.db.operation, tokenHash(token), i.Kind, i.Email, i.Role, i.Partner, i.Desk, event.Actor(ctx), timeText(t.now), timeText(t.now.Add(dtm.InviteFor))); err != nil {
			return err
		}
		_, err = t.log(name, i.Email, event.Actor(ctx), rightsOf(dtm.User{Role: i.Role, Partner: i.Partner, Desk: i.Desk}))
		return err
	})
}

const invitationQuery = `
	SELECT kind, email, role, partner, desk, inviter, created, expires
	FROM invitation
	WHERE operation = $1 AND token_hash = $2 AND expires > $3`

func scanInvitation(scan func(...any) error) (dtm.Invitation, error) {
	var i dtm.Invitation
	var created, expires string
	err := scan(&i.Kind, &i.Email, &i.Role, &i.Partner, &i.Desk, &i.Inviter, &created, &expires)
	if err == nil {
		i.Created, err = textTime(created)
	}
	if err == nil {
		i.Expires, err = textTime(expires)
	}
	return i, err
}

func noInvitation() *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "this invitation was used or is over; ask for a new one").Coded("invitation.over")
}

// Invitation finds one that can still be used.
func (db *DB) Invitation(ctx context.Context, token string) (dtm.Invitation, error) {
	i, err := scanInvitation(db.read.QueryRowContext(ctx, invitationQuery, db.operation, tokenHash(token), timeText(db.now())).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Invitation{}, noInvitation()
	}
	return i, failure("store.Invitation", err)
}

// Accept uses an invitation up.
func (db *DB) Accept(ctx context.Context, token, passwordHash string) (dtm.User, error) {
	var u dtm.User
	err := db.update(ctx, "store.Accept", func(t *tx) error {
		var found bool
		i, err := scanInvitation(func(dest ...any) (err error) {
			found, err = t.row(invitationQuery, []any{t.db.operation, tokenHash(token), timeText(t.now)}, dest...)
			if err == nil && !found {
				err = noInvitation()
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := t.exec(`
			DELETE FROM invitation
			WHERE operation = $1 AND token_hash = $2`, t.db.operation, tokenHash(token)); err != nil {
			return err
		}
		u = dtm.User{Email: i.Email, Role: i.Role, Partner: i.Partner, Desk: i.Desk, Created: t.now}
		if i.Kind == dtm.InviteReset {
			return t.setPassword(event.WithActor(ctx, "user:"+i.Email), i.Email, passwordHash, "")
		}
		err = t.exec(`
			INSERT INTO staff (operation, email, role, partner, desk, password_hash, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, u.Email, u.Role, u.Partner, u.Desk, passwordHash, timeText(t.now))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "there is a user %s already", u.Email).Coded("user.taken", u.Email)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.UserAdded, u.Email, i.Inviter, rightsOf(u))
		return err
	})
	return u, err
}

// SetPassword replaces the hash and ends all sessions but one.
func (db *DB) SetPassword(ctx context.Context, email, passwordHash, exceptSession string) error {
	return db.update(ctx, "store.SetPassword", func(t *tx) error { return t.setPassword(ctx, address(email), passwordHash, exceptSession) })
}

func (t *tx) setPassword(ctx context.Context, email, passwordHash, exceptSession string) error {
	n, err := t.change(`
		UPDATE staff
		SET password_hash = $3
		WHERE operation = $1 AND email = $2`, t.db.operation, email, passwordHash)
	if err == nil && n == 0 {
		err = noUser(email)
	}
	if err != nil {
		return err
	}
	if _, err := t.log(dtm.PasswordChanged, email, event.Actor(ctx), "{}"); err != nil {
		return err
	}
	return t.endSessions(ctx, email, "", exceptSession)
}

// ChangeUser replaces role, partner and desk, and ends the user's sessions.
func (db *DB) ChangeUser(ctx context.Context, u dtm.User) error {
	if err := known(u.Role); err != nil {
		return err
	}
	u.Email = address(u.Email)
	return db.update(ctx, "store.ChangeUser", func(t *tx) error {
		n, err := t.change(`
			UPDATE staff
			SET role = $3, partner = $4, desk = $5
			WHERE operation = $1 AND email = $2`, t.db.operation, u.Email, u.Role, u.Partner, u.Desk)
		if err == nil && n == 0 {
			err = noUser(u.Email)
		}
		if err != nil {
			return err
		}
		if _, err := t.log(dtm.UserChanged, u.Email, event.Actor(ctx), rightsOf(u)); err != nil {
			return err
		}
		return t.revoke(ctx, u.Email)
	})
}

// EnableUser opens a closed account again.
func (db *DB) EnableUser(ctx context.Context, email string) error {
	email = address(email)
	return db.update(ctx, "store.EnableUser", func(t *tx) error {
		n, err := t.change(`
			UPDATE staff
			SET disabled = NULL, sessions_after = $3
			WHERE operation = $1 AND email = $2`, t.db.operation, email, timeText(t.now))
		if err == nil && n == 0 {
			err = noUser(email)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.UserOpened, email, event.Actor(ctx), "{}")
		return err
	})
}

// RevokeSessions ends all of a user's sessions, those that are being begun too.
func (db *DB) RevokeSessions(ctx context.Context, email string) error {
	return db.update(ctx, "store.RevokeSessions", func(t *tx) error { return t.revoke(ctx, address(email)) })
}

func (t *tx) revoke(ctx context.Context, email string) error {
	if err := t.exec(`
		UPDATE staff
		SET sessions_after = $3
		WHERE operation = $1 AND email = $2`, t.db.operation, email, timeText(t.now)); err != nil {
		return err
	}
	return t.endSessions(ctx, email, "", "")
}

// Factors lists a user's second factors, oldest first.
func (db *DB) Factors(ctx context.Context, email string) ([]dtm.Factor, error) {
	const op = "store.Factors"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, kind, name, secret, step, created, used
		FROM factor
		WHERE operation = $1 AND email = $2
		ORDER BY created, id`, db.operation, address(email))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Factor
	for rows.Next() {
		var f dtm.Factor
		var created string
		var used sql.NullString
		err := rows.Scan(&f.ID, &f.Kind, &f.Name, &f.Secret, &f.Step, &created, &used)
		if err == nil {
			f.Created, err = textTime(created)
		}
		if err == nil {
			f.Used, err = optionalTime(used)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, f)
	}
	return list, failure(op, rows.Err())
}

// AddFactors adds some at once. Recovery codes replace those that were there.
func (db *DB) AddFactors(ctx context.Context, email string, list []dtm.Factor, exceptSession string) error {
	email = address(email)
	return db.update(ctx, "store.AddFactors", func(t *tx) error {
		kinds := map[string]int{}
		for _, f := range list {
			if f.Kind == dtm.FactorRecovery && kinds[f.Kind] == 0 {
				if err := t.exec(`
					DELETE FROM factor
					WHERE operation = $1 AND email = $2 AND kind = $3`, t.db.operation, email, f.Kind); err != nil {
					return err
				}
			}
			kinds[f.Kind]++
			if err := t.exec(`
				INSERT INTO factor (operation, email, id, kind, name, secret, step, created)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.db.operation, email, f.ID, f.Kind, f.Name, f.Secret, f.Step, timeText(t.now)); err != nil {
				return err
			}
		}
		if _, err := t.log(dtm.FactorAdded, email, event.Actor(ctx), jsonText(kinds)); err != nil {
			return err
		}
		return t.endSessions(ctx, email, "", exceptSession)
	})
}

// UseFactor notes a use.
func (db *DB) UseFactor(ctx context.Context, email, id string, step int64, secret []byte) error {
	email = address(email)
	return db.update(ctx, "store.UseFactor", func(t *tx) error {
		var kind string
		var last int64
		found, err := t.row(`
			SELECT kind, step
			FROM factor
			WHERE operation = $1 AND email = $2 AND id = $3`, []any{t.db.operation, email, id}, &kind, &last)
		switch {
		case err != nil:
			return err
		case !found:
			return noFactor()
		case kind == dtm.FactorTOTP && step <= last:
			return dtm.Errorf(dtm.Conflict, "this code was used already; wait for the next one").Coded("second.used")
		case kind == dtm.FactorRecovery:
			err = t.exec(`
				DELETE FROM factor
				WHERE operation = $1 AND email = $2 AND id = $3`, t.db.operation, email, id)
		default:
			err = t.exec(`
				UPDATE factor
				SET step = $4, used = $5, secret = coalesce($6, secret)
				WHERE operation = $1 AND email = $2 AND id = $3`, t.db.operation, email, id, step, timeText(t.now), secret)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.FactorUsed, email, event.Actor(ctx), jsonText(map[string]string{"kind": kind}))
		return err
	})
}

func noFactor() *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no such second factor").Coded("second.unknown")
}

// RemoveFactor removes one, with "" all.
func (db *DB) RemoveFactor(ctx context.Context, email, id, exceptSession string) error {
	email = address(email)
	return db.update(ctx, "store.RemoveFactor", func(t *tx) error {
		n, err := t.change(`
			DELETE FROM factor
			WHERE operation = $1 AND email = $2 AND ($3 = '' OR id = $3)`, t.db.operation, email, id)
		if err == nil && n == 0 {
			err = noFactor()
		}
		if err != nil {
			return err
		}
		name := dtm.FactorRemoved
		if id == "" {
			name = dtm.SecondFactorReset
		}
		if _, err := t.log(name, email, event.Actor(ctx), jsonText(map[string]int64{"factors": n})); err != nil {
			return err
		}
		return t.endSessions(ctx, email, "", exceptSession)
	})
}

// IdentityOf is the account that an identity elsewhere is linked to.
func (db *DB) IdentityOf(ctx context.Context, issuer, subject string) (string, error) {
	var email string
	err := db.read.QueryRowContext(ctx, `
		SELECT email
		FROM identity
		WHERE operation = $1 AND issuer = $2 AND subject = $3`, db.operation, issuer, subject).Scan(&email)
	if errors.Is(err, sql.ErrNoRows) {
		return "", dtm.Errorf(dtm.NotFound, "this identity belongs to no account here").Coded("signon.unknown")
	}
	return email, failure("store.IdentityOf", err)
}

// LinkIdentity links an identity elsewhere to an account.
func (db *DB) LinkIdentity(ctx context.Context, issuer, subject, email string) error {
	email = address(email)
	return db.update(ctx, "store.LinkIdentity", func(t *tx) error {
		err := t.exec(`
			INSERT INTO identity (operation, issuer, subject, email, created)
			VALUES ($1, $2, $3, $4, $5)`, t.db.operation, issuer, subject, email, timeText(t.now))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "this identity is linked already").Coded("signon.taken")
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.IdentityLinked, email, event.Actor(ctx), jsonText(map[string]string{"issuer": issuer}))
		return err
	})
}

// HasSealed tells whether anything here was sealed by the key that lies apart.
func (db *DB) HasSealed(ctx context.Context) (bool, error) {
	var has bool
	err := db.read.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM factor WHERE operation = $1) OR EXISTS (SELECT 1 FROM person_field WHERE operation = $1)
		  OR EXISTS (SELECT 1 FROM submission_sealed WHERE operation = $1 AND length(sealed) > 0) OR EXISTS (SELECT 1 FROM webhook WHERE operation = $1 AND secret LIKE 'sealed:%')`, db.operation).Scan(&has)
	if err == nil && !has && db.keys != nil {
		err = db.keys.DB.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM key WHERE operation = $1)`, db.operation).Scan(&has)
	}
	return has, failure("store.HasSealed", err)
}
