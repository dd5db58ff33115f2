package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"dtm"
	"dtm/event"
)

var _ dtm.Drafts = (*DB)(nil)

func noDraft(form string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "form %q has no draft; send one first", form).Coded("draft.unknown", form)
}

// SaveDraft sets the draft of a form. A file that was added before stays.
func (db *DB) SaveDraft(ctx context.Context, f dtm.Form) (dtm.Draft, error) {
	if f.ID == "" {
		return dtm.Draft{}, dtm.Errorf(dtm.Invalid, "the form has no id; give it one in the settings sheet (form_id)").Coded("form.no_id")
	}
	var secret [48]byte
	if _, err := io.ReadFull(db.rand, secret[:]); err != nil {
		return dtm.Draft{}, failure("sqlite.SaveDraft", fmt.Errorf("randomness: %w", err))
	}
	token := base64.RawURLEncoding.EncodeToString(secret[:])
	err := db.update(ctx, "sqlite.SaveDraft", func(t *tx) error {
		if err := t.exec(`
			INSERT INTO draft (operation, form, version, title, hash, xform, source, source_name, token, created, updated)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
			ON CONFLICT (operation, form) DO UPDATE
			SET version = $3, title = $4, hash = $5, xform = $6, source = $7, source_name = $8, updated = $10`,
			t.db.operation, f.ID, f.Version, f.Title, f.Hash, blob(f.XForm), blob(f.Source), f.SourceName, token, timeText(t.now)); err != nil {
			return err
		}
		for _, m := range f.Media {
			if err := t.draftMedia(f.ID, m); err != nil {
				return err
			}
		}
		_, err := t.log(dtm.DraftSaved, f.ID, event.Actor(ctx), jsonText(map[string]any{"version": f.Version, "hash": f.Hash}))
		return err
	})
	if err != nil {
		return dtm.Draft{}, err
	}
	return db.Draft(ctx, f.ID)
}

func (t *tx) draftMedia(form string, m dtm.Media) error {
	return t.exec(`
		INSERT INTO draft_media (operation, form, name, type, hash, data)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (operation, form, name) DO UPDATE SET type = $4, hash = $5, data = $6`,
		t.db.operation, form, m.Name, m.Type, m.Hash, blob(m.Data))
}

// Draft returns a form's draft with its files: NotFound.
func (db *DB) Draft(ctx context.Context, form string) (dtm.Draft, error) {
	d, err := db.draft(ctx, `form = $2`, form)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Draft{}, noDraft(form)
	}
	return d, failure("sqlite.Draft", err)
}

// DraftByToken finds the draft that a phone tries: Forbidden.
func (db *DB) DraftByToken(ctx context.Context, token string) (dtm.Draft, error) {
	d, err := db.draft(ctx, `token = $2`, token)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Draft{}, dtm.Errorf(dtm.Forbidden, "this draft is no longer there; scan the code again").Coded("draft.gone")
	}
	return d, failure("sqlite.DraftByToken", err)
}

func (db *DB) draft(ctx context.Context, condition, value string) (dtm.Draft, error) {
	var d dtm.Draft
	var created, updated string
	err := db.read.QueryRowContext(ctx, `
		SELECT form, version, title, hash, xform, source, source_name, token, created, updated
		FROM draft
		WHERE operation = $1 AND `+condition, db.operation, value).
		Scan(&d.ID, &d.Version, &d.Title, &d.Hash, &d.XForm, &d.Source, &d.SourceName, &d.Token, &created, &updated)
	if err == nil {
		d.Created, err = textTime(created)
	}
	if err == nil {
		d.Updated, err = textTime(updated)
	}
	if err != nil {
		return d, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT name, type, hash, data
		FROM draft_media
		WHERE operation = $1 AND form = $2
		ORDER BY name`, db.operation, d.ID)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	for rows.Next() {
		var m dtm.Media
		if err := rows.Scan(&m.Name, &m.Type, &m.Hash, &m.Data); err != nil {
			return d, err
		}
		d.Media = append(d.Media, m)
	}
	return d, rows.Err()
}

// DraftMedia sets or removes a file of a draft: NotFound.
func (db *DB) DraftMedia(ctx context.Context, form, name string, m *dtm.Media) error {
	return db.update(ctx, "sqlite.DraftMedia", func(t *tx) error {
		found, err := t.row(`
			SELECT 1
			FROM draft
			WHERE operation = $1 AND form = $2`, []any{t.db.operation, form}, new(int))
		if err != nil {
			return err
		}
		if !found {
			return noDraft(form)
		}
		if m != nil {
			kept := *m
			kept.Name = name
			err = t.draftMedia(form, kept)
		} else {
			var n int64
			n, err = t.change(`
				DELETE FROM draft_media
				WHERE operation = $1 AND form = $2 AND name = $3`, t.db.operation, form, name)
			if err == nil && n == 0 {
				return dtm.Errorf(dtm.NotFound, "the draft of %q has no file %q", form, name).Coded("draft.media", form, name)
			}
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DraftSaved, form, event.Actor(ctx), jsonText(map[string]any{"file": name}))
		return err
	})
}

// DeleteDraft forgets a draft with its files: NotFound.
func (db *DB) DeleteDraft(ctx context.Context, form string) error {
	return db.update(ctx, "sqlite.DeleteDraft", func(t *tx) error {
		if err := t.exec(`
			DELETE FROM draft_media
			WHERE operation = $1 AND form = $2`, t.db.operation, form); err != nil {
			return err
		}
		n, err := t.change(`
			DELETE FROM draft
			WHERE operation = $1 AND form = $2`, t.db.operation, form)
		if err != nil {
			return err
		}
		if n == 0 {
			return noDraft(form)
		}
		_, err = t.log(dtm.DraftDeleted, form, event.Actor(ctx), "{}")
		return err
	})
}
