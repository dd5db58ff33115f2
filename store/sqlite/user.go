package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"dtm"
	"dtm/event"
)

// AddUser adds somebody who may sign in; Conflict when the address is taken.
func (db *DB) AddUser(ctx context.Context, u dtm.User, passwordHash string) error {
	u.Email = strings.ToLower(strings.TrimSpace(u.Email))
	if !strings.Contains(u.Email, "@") {
		return dtm.Errorf(dtm.Invalid, "%q is not an e-mail address", u.Email).Coded("user.email", u.Email)
	}
	switch u.Role {
	case dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator, dtm.RolePartner:
	default:
		return dtm.Errorf(dtm.Invalid, "%q is no role; use admin, manager, supervisor, enumerator or partner", u.Role).Coded("user.role", u.Role)
	}
	return db.update(ctx, "sqlite.AddUser", func(t *tx) error {
		at := u.Created
		if at.IsZero() {
			at = t.now
		}
		err := t.exec(`
			INSERT INTO staff (operation, email, role, password_hash, created)
			VALUES ($1, $2, $3, $4, $5)`, t.db.operation, u.Email, u.Role, passwordHash, timeText(at))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "there is a user %s already", u.Email).Coded("user.taken", u.Email)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.UserAdded, u.Email, event.Actor(ctx), jsonText(struct {
			Role string `json:"role"`
		}{u.Role}))
		return err
	})
}

// User returns a user and the hash of the password: NotFound.
func (db *DB) User(ctx context.Context, email string) (dtm.User, string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	var hash string
	row := db.read.QueryRowContext(ctx, `
		SELECT email, role, created, disabled, password_hash
		FROM staff
		WHERE operation = $1 AND email = $2`, db.operation, email)
	u, err := scanUser(func(dest ...any) error { return row.Scan(append(dest, &hash)...) })
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.User{}, "", noUser(email)
	}
	return u, hash, failure("sqlite.User", err)
}

func noUser(email string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no user %s", email).Coded("user.unknown", email)
}

func scanUser(scan func(...any) error) (dtm.User, error) {
	var u dtm.User
	var created string
	var disabled sql.NullString
	err := scan(&u.Email, &u.Role, &created, &disabled)
	if err == nil {
		u.Created, err = textTime(created)
	}
	if err == nil {
		u.Disabled, err = optionalTime(disabled)
	}
	return u, err
}

// Users lists everybody by address.
func (db *DB) Users(ctx context.Context) ([]dtm.User, error) {
	const op = "sqlite.Users"
	rows, err := db.read.QueryContext(ctx, `
		SELECT email, role, created, disabled
		FROM staff
		WHERE operation = $1
		ORDER BY email`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.User
	for rows.Next() {
		u, err := scanUser(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, u)
	}
	return list, failure(op, rows.Err())
}

// DisableUser ends a user's access from the next request on: NotFound. Disabling
// twice keeps the first date.
func (db *DB) DisableUser(ctx context.Context, email string) error {
	email = strings.ToLower(strings.TrimSpace(email))
	return db.update(ctx, "sqlite.DisableUser", func(t *tx) error {
		var disabled sql.NullString
		found, err := t.row(`
			SELECT disabled
			FROM staff
			WHERE operation = $1 AND email = $2`, []any{t.db.operation, email}, &disabled)
		switch {
		case err != nil:
			return err
		case !found:
			return noUser(email)
		case disabled.Valid:
			return nil
		}
		err = t.exec(`
			UPDATE staff
			SET disabled = $3
			WHERE operation = $1 AND email = $2`, t.db.operation, email, timeText(t.now))
		if err != nil {
			return err
		}
		_, err = t.log(dtm.UserDisabled, email, event.Actor(ctx), "{}")
		return err
	})
}
