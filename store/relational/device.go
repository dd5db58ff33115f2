package relational

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

var _ dtm.DeviceCare = (*DB)(nil)

// AddDevice is NewDevice without a language.
func (db *DB) AddDevice(ctx context.Context, name, point string) (dtm.Device, string, error) {
	return db.NewDevice(ctx, dtm.Device{Name: name, Point: point})
}

// NewDevice makes a device and its token, of which only the hash is stored, so that
// this is the one time it can be read. A name in use is a Conflict, because people
// tell devices apart by name.
func (db *DB) NewDevice(ctx context.Context, d dtm.Device) (dtm.Device, string, error) {
	d = dtm.Device{Name: strings.TrimSpace(d.Name), Point: d.Point, Lang: d.Lang}
	if d.Name == "" {
		return dtm.Device{}, "", dtm.Errorf(dtm.Invalid, "the device needs a name").Coded("device.no_name")
	}
	token, err := db.token("store.NewDevice")
	if err != nil {
		return dtm.Device{}, "", err
	}
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return dtm.Device{}, "", failure("store.NewDevice", fmt.Errorf("randomness: %w", err))
	}
	d.ID = id.String()
	err = db.update(ctx, "store.NewDevice", func(t *tx) error {
		d.Created = t.now
		err := t.exec(`
			INSERT INTO device (operation, id, name, point, lang, token_hash, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			t.db.operation, d.ID, d.Name, d.Point, string(d.Lang), tokenHash(token), timeText(d.Created))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "a device named %q is in use; choose another name or revoke that one first", d.Name).
				Coded("device.taken", d.Name)
		}
		if err != nil {
			return err
		}
		seq, err := t.log(dtm.DeviceAdded, d.ID, event.Actor(ctx), jsonText(struct {
			Name  string `json:"name"`
			Point string `json:"point"`
		}{d.Name, d.Point}))
		if err != nil {
			return err
		}
		return t.post(d.ID, d.Point, seq)
	})
	if err != nil {
		return dtm.Device{}, "", err
	}
	return d, token, nil
}

// token makes 64 URL-safe characters.
func (db *DB) token(op string) (string, error) {
	var secret [48]byte
	if _, err := io.ReadFull(db.rand, secret[:]); err != nil {
		return "", failure(op, fmt.Errorf("randomness: %w", err))
	}
	return base64.RawURLEncoding.EncodeToString(secret[:]), nil
}

// post notes where a device is from the event seq on.
func (t *tx) post(device, point string, seq int64) error {
	return t.exec(`
		INSERT INTO device_post (operation, device, seq, point, at)
		VALUES ($1, $2, $3, $4, $5)`, t.db.operation, device, seq, point, timeText(t.now))
}

// inUse finds a device that is not revoked by id or name: NotFound.
func (t *tx) inUse(id string) (key, point string, err error) {
	found, err := t.row(`
		SELECT id, point
		FROM device
		WHERE operation = $1 AND revoked IS NULL AND (id = $2 OR name = $2)
		ORDER BY id = $2 DESC
		LIMIT 1`, []any{t.db.operation, id}, &key, &point)
	if err == nil && !found {
		err = noDevice(id)
	}
	return key, point, err
}

func noDevice(id string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no device %q in use", id).Coded("device.none", id)
}

// MoveDevice has a device be at another point from now on: NotFound.
func (db *DB) MoveDevice(ctx context.Context, id, point string) error {
	return db.update(ctx, "store.MoveDevice", func(t *tx) error {
		key, was, err := t.inUse(id)
		if err != nil || was == point {
			return err
		}
		if err := t.exec(`
			UPDATE device
			SET point = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, key, point); err != nil {
			return err
		}
		seq, err := t.log(dtm.DeviceMoved, key, event.Actor(ctx), jsonText(struct {
			From string `json:"from"`
			To   string `json:"to"`
		}{was, point}))
		if err != nil {
			return err
		}
		return t.post(key, point, seq)
	})
}

// RenewDevice gives a device another token: NotFound.
func (db *DB) RenewDevice(ctx context.Context, id string) (dtm.Device, string, error) {
	token, err := db.token("store.RenewDevice")
	if err != nil {
		return dtm.Device{}, "", err
	}
	var key string
	err = db.update(ctx, "store.RenewDevice", func(t *tx) error {
		if key, _, err = t.inUse(id); err != nil {
			return err
		}
		if err := t.exec(`
			UPDATE device
			SET token_hash = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, key, tokenHash(token)); err != nil {
			return err
		}
		_, err := t.log(dtm.DeviceRenewed, key, event.Actor(ctx), "{}")
		return err
	})
	if err != nil {
		return dtm.Device{}, "", err
	}
	d, err := db.Device(ctx, key)
	return d, token, err
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// byTokenQuery is asked for phones that admitted does not know.
const byTokenQuery = `
	SELECT id, name, point, lang, app, created, revoked, reason, last_seen
	FROM device
	WHERE operation = $1 AND token_hash = $2`

// DeviceByToken returns the device a token admits; Forbidden when the token is
// unknown or revoked.
func (db *DB) DeviceByToken(ctx context.Context, token string) (dtm.Device, error) {
	hash := tokenHash(token)
	d, cleared, known := db.admitted.find(hash)
	if known {
		db.sawDevice(d.ID)
		return d, nil
	}
	row := db.byToken.QueryRowContext(ctx, db.operation, hash)
	d, err := scanDevice(row.Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return dtm.Device{}, dtm.Errorf(dtm.Forbidden,
			"this device is not known here; scan the code that the operation's office gives you").Coded("device.unknown")
	case err != nil:
		return dtm.Device{}, failure("store.DeviceByToken", err)
	case d.Revoked != nil:
		return dtm.Device{}, dtm.Errorf(dtm.Forbidden,
			"this device was withdrawn; ask the operation's office for a new code").Coded("device.revoked")
	}
	if db.engine.Alone { // another process may withdraw it
		db.admitted.add(hash, d, cleared)
	}
	db.sawDevice(d.ID)
	return d, nil
}

func scanDevice(scan func(...any) error) (dtm.Device, error) {
	var d dtm.Device
	var created string
	var revoked, seen sql.NullString
	err := scan(&d.ID, &d.Name, &d.Point, &d.Lang, &d.App, &created, &revoked, &d.Reason, &seen)
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
	const op = "store.Devices"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, name, point, lang, app, created, revoked, reason, last_seen
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

// Device finds one by id, or by the name of one in use: NotFound.
func (db *DB) Device(ctx context.Context, id string) (dtm.Device, error) {
	row := db.read.QueryRowContext(ctx, `
		SELECT id, name, point, lang, app, created, revoked, reason, last_seen
		FROM device
		WHERE operation = $1 AND (id = $2 OR name = $2 AND revoked IS NULL)
		ORDER BY id = $2 DESC
		LIMIT 1`, db.operation, id)
	d, err := scanDevice(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Device{}, noDevice(id)
	}
	return d, failure("store.Device", err)
}

// RevokeDevice is WithdrawDevice without a reason.
func (db *DB) RevokeDevice(ctx context.Context, id string) error {
	return db.WithdrawDevice(ctx, id, "")
}

// WithdrawDevice takes the id or the name of a device that is not revoked yet:
// NotFound. It holds from the next request on.
func (db *DB) WithdrawDevice(ctx context.Context, id, reason string) error {
	return db.update(ctx, "store.WithdrawDevice", func(t *tx) error {
		key, _, err := t.inUse(id)
		if err != nil {
			return err
		}
		err = t.exec(`
			UPDATE device
			SET revoked = $3, reason = $4
			WHERE operation = $1 AND id = $2`, t.db.operation, key, timeText(t.now), reason)
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DeviceRevoked, key, event.Actor(ctx), "{}")
		return err
	})
}

// DevicePosts tells where a device was, newest first.
func (db *DB) DevicePosts(ctx context.Context, id string) ([]dtm.DevicePost, error) {
	const op = "store.DevicePosts"
	rows, err := db.read.QueryContext(ctx, `
		SELECT p.seq, p.point, p.at, e.actor
		FROM device_post p
		JOIN event e ON e.operation = p.operation AND e.seq = p.seq
		WHERE p.operation = $1 AND p.device = $2
		ORDER BY p.seq DESC`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.DevicePost
	for rows.Next() {
		var p dtm.DevicePost
		var at string
		err := rows.Scan(&p.Seq, &p.Point, &at, &p.By)
		if err == nil {
			p.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, p)
	}
	return list, failure(op, rows.Err())
}

// DeviceUses tells what came from a device, newest first.
func (db *DB) DeviceUses(ctx context.Context, id string) ([]dtm.DeviceUse, error) {
	const op = "store.DeviceUses"
	rows, err := db.read.QueryContext(ctx, `
		SELECT form, version, CAST(sum(n) AS BIGINT), max(last)
		FROM `+tallied+` y
		WHERE device = $2
		GROUP BY form, version
		ORDER BY max(seq) DESC`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.DeviceUse
	for rows.Next() {
		var u dtm.DeviceUse
		var last string
		err := rows.Scan(&u.Form, &u.Version, &u.Submissions, &last)
		if err == nil {
			u.Last, err = textTime(last)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, u)
	}
	return list, failure(op, rows.Err())
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

	db.note(`
		UPDATE device
		SET last_seen = $3
		WHERE operation = $1 AND id = $2`, db.operation, id, timeText(now))
}

// SawApp notes what a device was heard through, when it was another before.
func (db *DB) SawApp(id, app string) {
	db.note(`
		UPDATE device
		SET app = $3
		WHERE operation = $1 AND id = $2`, db.operation, id, app)
}

// note is a write that nobody waits for; when the queue is full it is left out.
func (db *DB) note(query string, args ...any) {
	db.senders.RLock()
	defer db.senders.RUnlock()
	select {
	case <-db.closing:
		return
	default:
	}
	select {
	case db.queue <- &job{done: make(chan error, 1), fn: func(t *tx) error { return t.exec(query, args...) }}:
	default:
	}
}
