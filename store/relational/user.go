package relational

import (
	"context"
	"database/sql"
	"errors"
	"slices"
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
	if err := known(u.Role); err != nil {
		return err
	}
	return db.update(ctx, "store.AddUser", func(t *tx) error {
		at := u.Created
		if at.IsZero() {
			at = t.now
		}
		err := t.exec(`
			INSERT INTO staff (operation, email, role, partner, desk, password_hash, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, u.Email, u.Role, u.Partner, u.Desk, passwordHash, timeText(at))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "there is a user %s already", u.Email).Coded("user.taken", u.Email)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.UserAdded, u.Email, event.Actor(ctx), rightsOf(u))
		return err
	})
}

// known refuses what is no role.
func known(role string) error {
	if !slices.Contains(dtm.StaffRoles, role) {
		return dtm.Errorf(dtm.Invalid, "%q is no role; use one of %s", role, strings.Join(dtm.StaffRoles, ", ")).Coded("user.role", role, strings.Join(dtm.StaffRoles, ", "))
	}
	return nil
}

// rightsOf says in the log what a user may do.
func rightsOf(u dtm.User) string {
	return jsonText(struct {
		Role    string `json:"role"`
		Partner string `json:"partner,omitempty"`
		Desk    string `json:"desk,omitempty"`
	}{u.Role, u.Partner, u.Desk})
}

// User returns a user and the hash of the password: NotFound.
func (db *DB) User(ctx context.Context, email string) (dtm.User, string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	var hash string
	row := db.read.QueryRowContext(ctx, `
		SELECT email, role, partner, desk, created, disabled, password_hash
		FROM staff
		WHERE operation = $1 AND email = $2`, db.operation, email)
	u, err := scanUser(func(dest ...any) error { return row.Scan(append(dest, &hash)...) })
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.User{}, "", noUser(email)
	}
	return u, hash, failure("store.User", err)
}

func noUser(email string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no user %s", email).Coded("user.unknown", email)
}

func scanUser(scan func(...any) error) (dtm.User, error) {
	var u dtm.User
	var created string
	var disabled sql.NullString
	err := scan(&u.Email, &u.Role, &u.Partner, &u.Desk, &created, &disabled)
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
	const op = "store.Users"
	rows, err := db.read.QueryContext(ctx, `
		SELECT email, role, partner, desk, created, disabled
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
	return db.update(ctx, "store.DisableUser", func(t *tx) error {
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
