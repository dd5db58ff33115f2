package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
)

// AddDevice makes a device and its token: 64 URL-safe characters of which only
// the hash is stored, so that this is the one time it can be read. A name in use
// is a Conflict, because people tell devices apart by name.
func (db *DB) AddDevice(ctx context.Context, name, point string) (dtm.Device, string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return dtm.Device{}, "", dtm.Errorf(dtm.Invalid, "the device needs a name").Coded("device.no_name")
	}
	var secret [48]byte
	if _, err := io.ReadFull(db.rand, secret[:]); err != nil {
		return dtm.Device{}, "", failure("sqlite.AddDevice", fmt.Errorf("randomness: %w", err))
	}
	token := base64.RawURLEncoding.EncodeToString(secret[:])
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return dtm.Device{}, "", failure("sqlite.AddDevice", fmt.Errorf("randomness: %w", err))
	}
	d := dtm.Device{ID: id.String(), Name: name, Point: point}
	err = db.update(ctx, "sqlite.AddDevice", func(t *tx) error {
		d.Created = t.now
		err := t.exec(`
			INSERT INTO device (operation, id, name, point, token_hash, created)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			t.db.operation, d.ID, d.Name, d.Point, tokenHash(token), timeText(d.Created))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "a device named %q is in use; choose another name or revoke that one first", name).
				Coded("device.taken", name)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DeviceAdded, d.ID, event.Actor(ctx), jsonText(struct {
			Name  string `json:"name"`
			Point string `json:"point"`
		}{d.Name, d.Point}))
		return err
	})
	if err != nil {
		return dtm.Device{}, "", err
	}
	return d, token, nil
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// byTokenQuery is asked with every request of every phone, so it is prepared once.
const byTokenQuery = `
	SELECT id, name, point, created, revoked, last_seen
	FROM device
	WHERE operation = $1 AND token_hash = $2`

// DeviceByToken returns the device a token admits; Forbidden when the token is
// unknown or revoked.
func (db *DB) DeviceByToken(ctx context.Context, token string) (dtm.Device, error) {
	row := db.byToken.QueryRowContext(ctx, db.operation, tokenHash(token))
	d, err := scanDevice(row.Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return dtm.Device{}, dtm.Errorf(dtm.Forbidden,
			"this device is not known here; scan the code that the operation's office gives you").Coded("device.unknown")
	case err != nil:
		return dtm.Device{}, failure("sqlite.DeviceByToken", err)
	case d.Revoked != nil:
		return dtm.Device{}, dtm.Errorf(dtm.Forbidden,
			"this device was withdrawn; ask the operation's office for a new code").Coded("device.revoked")
	}
	db.sawDevice(d.ID)
	return d, nil
}

func scanDevice(scan func(...any) error) (dtm.Device, error) {
	var d dtm.Device
	var created string
	var revoked, seen sql.NullString
	err := scan(&d.ID, &d.Name, &d.Point, &created, &revoked, &seen)
	if err == nil {
		d.Created, err = textTime(created)
	}
	if err == nil {
		d.Revoked, err = optionalTime(revoked)
	}
	if err == nil {
		d.LastSeen, err = optionalTime(seen)
	}
	return d, err
}

// Devices lists all devices by name, revoked ones last.
func (db *DB) Devices(ctx context.Context) ([]dtm.Device, error) {
	const op = "sqlite.Devices"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, name, point, created, revoked, last_seen
		FROM device
		WHERE operation = $1
		ORDER BY revoked IS NOT NULL, name, created`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Device
	for rows.Next() {
		d, err := scanDevice(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, d)
	}
	return list, failure(op, rows.Err())
}

// RevokeDevice takes the id or the name of a device that is not revoked yet:
// NotFound. It holds from the next request on.
func (db *DB) RevokeDevice(ctx context.Context, id string) error {
	return db.update(ctx, "sqlite.RevokeDevice", func(t *tx) error {
		var key string
		found, err := t.row(`
			SELECT id
			FROM device
			WHERE operation = $1 AND revoked IS NULL AND (id = $2 OR name = $2)
			ORDER BY id = $2 DESC
			LIMIT 1`, []any{t.db.operation, id}, &key)
		if err != nil {
			return err
		}
		if !found {
			return dtm.Errorf(dtm.NotFound, "there is no device %q in use", id).Coded("device.none", id)
		}
		err = t.exec(`
			UPDATE device
			SET revoked = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, key, timeText(t.now))
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DeviceRevoked, key, event.Actor(ctx), "{}")
		return err
	})
}

// lastSeen remembers when each device's last_seen was written, so that a busy
// phone costs one write a minute and not one a request.
type lastSeen struct {
	mu sync.Mutex
	at map[string]time.Time
}

const seenEvery = time.Minute

// sawDevice notes that a device was here. Nobody waits for the note, and when
// the queue is full it is left out: the next request makes it.
func (db *DB) sawDevice(id string) {
	now := db.now()
	db.seen.mu.Lock()
	if last, ok := db.seen.at[id]; ok && now.Sub(last) < seenEvery && !now.Before(last) {
		db.seen.mu.Unlock()
		return
	}
	if db.seen.at == nil {
		db.seen.at = map[string]time.Time{}
	}
	db.seen.at[id] = now
	db.seen.mu.Unlock()

	db.senders.RLock()
	defer db.senders.RUnlock()
	select {
	case <-db.closing:
		return
	default:
	}
	j := &job{done: make(chan error, 1), fn: func(t *tx) error {
		return t.exec(`
			UPDATE device
			SET last_seen = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(now))
	}}
	select {
	case db.queue <- j:
	default:
	}
}
