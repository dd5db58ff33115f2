package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Desks = (*DB)(nil)

// deskEntry is what the directory says of a desk, in one column: no query asks for it.
type deskEntry struct {
	Area      string   `json:"area,omitempty"`
	Name      dtm.Text `json:"name"`
	Address   dtm.Text `json:"address,omitempty"`
	Phone     string   `json:"phone,omitempty"`
	Lat       float64  `json:"lat,omitempty"`
	Lon       float64  `json:"lon,omitempty"`
	Located   bool     `json:"located,omitempty"`
	Services  []string `json:"services,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Open      dtm.Plan `json:"open"`
	MinAge    int      `json:"min_age,omitempty"`
	MaxAge    int      `json:"max_age,omitempty"`
	Sex       string   `json:"sex,omitempty"`
	Consulate bool     `json:"consulate,omitempty"`
	Closed    bool     `json:"closed,omitempty"`
}

const deskColumns = `code, programme, partner, entry, capacity, taken, paused, until, verified, version`

func scanDesk(scan func(...any) error) (dtm.Desk, error) {
	var d dtm.Desk
	var entry, verified string
	var until sql.NullString
	err := scan(&d.Code, &d.Programme, &d.Partner, &entry, &d.Capacity, &d.Taken, &d.Paused, &until, &verified, &d.Version)
	var e deskEntry
	if err == nil {
		err = json.Unmarshal([]byte(entry), &e)
	}
	if err == nil {
		d.Until, err = optionalTime(until)
	}
	if err == nil && verified != "" {
		d.Verified, err = textTime(verified)
	}
	d.Area, d.Name, d.Address, d.Phone, d.Lat, d.Lon, d.Located, d.Services, d.Languages, d.Open = e.Area, e.Name, e.Address, e.Phone, e.Lat, e.Lon, e.Located, e.Services, e.Languages, e.Open
	d.MinAge, d.MaxAge, d.Sex, d.Consulate, d.Closed = e.MinAge, e.MaxAge, e.Sex, e.Consulate, e.Closed
	return d, err
}

// Desks lists the directory by code.
func (db *DB) Desks(ctx context.Context) ([]dtm.Desk, error) {
	const op = "store.Desks"
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+deskColumns+`
		FROM desk
		WHERE operation = $1
		ORDER BY code`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Desk
	for rows.Next() {
		d, err := scanDesk(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, d)
	}
	return list, failure(op, rows.Err())
}

func noDesk(code string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no desk %q; `dtm desk list` lists them", code).Coded("desk.unknown", code)
}

const deskQuery = `
	SELECT ` + deskColumns + `
	FROM desk
	WHERE operation = $1 AND code = $2`

// Desk returns one: NotFound.
func (db *DB) Desk(ctx context.Context, code string) (dtm.Desk, error) {
	d, err := scanDesk(db.read.QueryRowContext(ctx, deskQuery, db.operation, code).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return d, noDesk(code)
	}
	return d, failure("store.Desk", err)
}

func (t *tx) desk(code string) (dtm.Desk, error) {
	s, err := t.stmt(t.ctx, deskQuery)
	if err != nil {
		return dtm.Desk{}, err
	}
	d, err := scanDesk(s.QueryRowContext(t.ctx, t.db.operation, code).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return d, noDesk(code)
	}
	return d, err
}

// SetDesk adds a desk or changes its entry.
func (db *DB) SetDesk(ctx context.Context, d dtm.Desk) (dtm.Desk, error) {
	if d.Code == "" || strings.Trim(d.Code, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || d.Programme == "" || d.Partner == "" || d.Capacity < dtm.NoLimit {
		return d, dtm.Errorf(dtm.Invalid, "a desk has a code of small letters, figures and hyphens, a programme, an agency and a number of places").Coded("desk.invalid")
	}
	err := db.update(ctx, "store.SetDesk", func(t *tx) error {
		was, err := t.desk(d.Code)
		if dtm.KindOf(err) == dtm.NotFound && err != nil {
			was, err = dtm.Desk{}, nil
		}
		if err != nil {
			return err
		}
		if was.Version != d.Version {
			return dtm.Errorf(dtm.Conflict, "somebody changed the desk %s meanwhile; look at it again", d.Code).Coded("desk.stale")
		}
		entry := jsonText(deskEntry{d.Area, d.Name, d.Address, d.Phone, d.Lat, d.Lon, d.Located, d.Services, d.Languages, d.Open, d.MinAge, d.MaxAge, d.Sex, d.Consulate, d.Closed})
		verified := ""
		if !d.Verified.IsZero() {
			verified = timeText(d.Verified)
		}
		err = t.exec(`
			INSERT INTO desk (operation, code, programme, partner, entry, capacity, verified, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
			ON CONFLICT (operation, code) DO UPDATE
			SET programme = $3, partner = $4, entry = $5, version = desk.version + 1`,
			t.db.operation, d.Code, d.Programme, d.Partner, entry, d.Capacity, verified)
		if err != nil {
			return err
		}
		if _, err = t.log(dtm.DeskSet, d.Code, event.Actor(ctx), jsonText(struct {
			Programme string `json:"programme"`
			Partner   string `json:"partner"`
			Closed    bool   `json:"closed,omitempty"`
			Consulate bool   `json:"consulate,omitempty"`
		}{d.Programme, d.Partner, d.Closed, d.Consulate})); err != nil {
			return err
		}
		d, err = t.desk(d.Code)
		return err
	})
	return d, err
}

// SetCapacity is the desk's own word on its places and pause.
func (db *DB) SetCapacity(ctx context.Context, code string, capacity int, paused string, until *time.Time) (dtm.Desk, error) {
	var d dtm.Desk
	if capacity < dtm.NoLimit {
		return d, dtm.Errorf(dtm.Invalid, "places are a number from 0 on").Coded("desk.capacity")
	}
	err := db.update(ctx, "store.SetCapacity", func(t *tx) error {
		var end any
		if until != nil && paused != "" {
			end = timeText(*until)
		}
		n, err := t.change(`
			UPDATE desk
			SET capacity = $3, paused = $4, until = $5, verified = $6, version = version + 1
			WHERE operation = $1 AND code = $2`, t.db.operation, code, capacity, paused, end, timeText(t.now))
		if err == nil && n == 0 {
			return noDesk(code)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DeskCapacity, code, event.Actor(ctx), jsonText(struct {
			Capacity int  `json:"capacity"`
			Paused   bool `json:"paused,omitempty"`
		}{capacity, paused != ""}))
		if err == nil {
			d, err = t.desk(code)
		}
		return err
	})
	return d, err
}

// VerifyDesk notes that the entry is right.
func (db *DB) VerifyDesk(ctx context.Context, code string) error {
	return db.update(ctx, "store.VerifyDesk", func(t *tx) error {
		n, err := t.change(`
			UPDATE desk
			SET verified = $3
			WHERE operation = $1 AND code = $2`, t.db.operation, code, timeText(t.now))
		if err == nil && n == 0 {
			return noDesk(code)
		}
		if err == nil {
			_, err = t.log(dtm.DeskVerified, code, event.Actor(ctx), "{}")
		}
		return err
	})
}

// takePlace takes one of a desk's places: Conflict when there is none left. Looking and
// taking are one statement.
func (t *tx) takePlace(code string) error {
	n, err := t.change(`
		UPDATE desk
		SET taken = taken + 1
		WHERE operation = $1 AND code = $2 AND (capacity < 0 OR taken < capacity)`, t.db.operation, code)
	if err == nil && n == 0 {
		return dtm.Errorf(dtm.Conflict, "the desk has no place left; make room first, or reject for want of capacity").Coded("referral.full")
	}
	return err
}

func (t *tx) givePlace(code string) error {
	return t.exec(`
		UPDATE desk
		SET taken = CASE WHEN taken > 0 THEN taken - 1 ELSE 0 END
		WHERE operation = $1 AND code = $2`, t.db.operation, code)
}
