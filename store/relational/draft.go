package relational

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

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
	token, err := db.token("store.SaveDraft")
	if err != nil {
		return dtm.Draft{}, err
	}
	err = db.update(ctx, "store.SaveDraft", func(t *tx) error {
		if err := t.exec(`
			INSERT INTO draft (operation, form, version, title, titles, hash, xform, source, source_name, token, created, updated, until)
			VALUES ($1, $2, $3, $4, $12, $5, $6, $7, $8, $9, $10, $10, $11)
			ON CONFLICT (operation, form) DO UPDATE
			SET version = $3, title = $4, titles = $12, hash = $5, xform = $6, source = $7, source_name = $8, updated = $10, until = $11`,
			t.db.operation, f.ID, f.Version, f.Title, f.Hash, blob(f.XForm), blob(f.Source), f.SourceName, token, timeText(t.now), timeText(trialEnd(t.now)), titleText(f.Titles)); err != nil {
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

// trialEnd is when a code that is made or kept now ends.
func trialEnd(now time.Time) time.Time { return now.AddDate(0, 0, dtm.DraftTrialDays) }

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
	return d, failure("store.Draft", err)
}

// DraftByToken finds the draft that a phone tries: Forbidden.
func (db *DB) DraftByToken(ctx context.Context, token string) (dtm.Draft, error) {
	d, err := db.draft(ctx, `token = $2`, token)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !db.now().Before(d.Until) {
		return dtm.Draft{}, dtm.Errorf(dtm.Forbidden, "this draft is no longer there; scan the code again").Coded("draft.gone")
	}
	return d, failure("store.DraftByToken", err)
}

func (db *DB) draft(ctx context.Context, condition, value string) (dtm.Draft, error) {
	var d dtm.Draft
	row := db.read.QueryRowContext(ctx, `
		SELECT form, version, title, titles, hash, source_name, token, created, updated, until,
		  (SELECT count(*) FROM trial r WHERE r.operation = d.operation AND r.form = d.form), xform, source
		FROM draft d
		WHERE operation = $1 AND `+condition, db.operation, value)
	if err := scanDraft(&d, row.Scan, &d.XForm, &d.Source); err != nil {
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

func scanDraft(d *dtm.Draft, scan func(...any) error, more ...any) error {
	var created, updated, until string
	var titles sql.NullString
	err := scan(append([]any{&d.ID, &d.Version, &d.Title, &titles, &d.Hash, &d.SourceName, &d.Token, &created, &updated, &until, &d.Trials}, more...)...)
	if err == nil {
		d.Titles, err = textTitles(titles)
	}
	if err == nil {
		d.Created, err = textTime(created)
	}
	if err == nil {
		d.Updated, err = textTime(updated)
	}
	if err == nil {
		d.Until, err = textTime(until)
	}
	return err
}

// Drafts lists all by form, without XForm, Source and Media.
func (db *DB) Drafts(ctx context.Context) ([]dtm.Draft, error) {
	const op = "store.Drafts"
	rows, err := db.read.QueryContext(ctx, `
		SELECT form, version, title, titles, hash, source_name, token, created, updated, until,
		  (SELECT count(*) FROM trial r WHERE r.operation = d.operation AND r.form = d.form)
		FROM draft d
		WHERE operation = $1
		ORDER BY form`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Draft
	for rows.Next() {
		var d dtm.Draft
		if err := scanDraft(&d, rows.Scan); err != nil {
			return nil, failure(op, err)
		}
		list = append(list, d)
	}
	return list, failure(op, rows.Err())
}

// DraftMedia sets or removes a file of a draft: NotFound.
func (db *DB) DraftMedia(ctx context.Context, form, name string, m *dtm.Media) error {
	return db.update(ctx, "store.DraftMedia", func(t *tx) error {
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

// DeleteDraft forgets a draft with its files and test records: NotFound.
func (db *DB) DeleteDraft(ctx context.Context, form string) error {
	return db.update(ctx, "store.DeleteDraft", func(t *tx) error {
		trials, err := t.forgetDraft(form)
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DraftDeleted, form, event.Actor(ctx), jsonText(map[string]any{"trials": trials}))
		return err
	})
}

// forgetDraft deletes a draft with all that is its own, and tells how many test
// records that were: NotFound.
func (t *tx) forgetDraft(form string) (trials int64, err error) {
	if err := t.exec(`
		DELETE FROM trial_media
		WHERE operation = $1 AND form = $2`, t.db.operation, form); err != nil {
		return 0, err
	}
	trials, err = t.change(`
		DELETE FROM trial
		WHERE operation = $1 AND form = $2`, t.db.operation, form)
	if err != nil {
		return 0, err
	}
	if err := t.exec(`
		DELETE FROM draft_media
		WHERE operation = $1 AND form = $2`, t.db.operation, form); err != nil {
		return 0, err
	}
	n, err := t.change(`
		DELETE FROM draft
		WHERE operation = $1 AND form = $2`, t.db.operation, form)
	if err == nil && n == 0 {
		err = noDraft(form)
	}
	return trials, err
}

// PublishDraft publishes f and forgets the draft of its id: NotFound.
func (db *DB) PublishDraft(ctx context.Context, f dtm.Form) error {
	return db.update(ctx, "store.PublishDraft", func(t *tx) error {
		if err := t.publish(ctx, f); err != nil {
			return err
		}
		trials, err := t.forgetDraft(f.ID)
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DraftDeleted, f.ID, event.Actor(ctx), jsonText(map[string]any{"published": f.Version, "trials": trials}))
		return err
	})
}

// RenewDraft gives a draft another token: NotFound.
func (db *DB) RenewDraft(ctx context.Context, form string) (dtm.Draft, error) {
	token, err := db.token("store.RenewDraft")
	if err != nil {
		return dtm.Draft{}, err
	}
	err = db.update(ctx, "store.RenewDraft", func(t *tx) error {
		n, err := t.change(`
			UPDATE draft
			SET token = $3, until = $4
			WHERE operation = $1 AND form = $2`, t.db.operation, form, token, timeText(trialEnd(t.now)))
		if err == nil && n == 0 {
			err = noDraft(form)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DraftRenewed, form, event.Actor(ctx), "{}")
		return err
	})
	if err != nil {
		return dtm.Draft{}, err
	}
	return db.Draft(ctx, form)
}

// EndDraft lets a draft's token end now: NotFound.
func (db *DB) EndDraft(ctx context.Context, form string) error {
	return db.update(ctx, "store.EndDraft", func(t *tx) error {
		n, err := t.change(`
			UPDATE draft
			SET until = $3
			WHERE operation = $1 AND form = $2`, t.db.operation, form, timeText(t.now))
		if err == nil && n == 0 {
			err = noDraft(form)
		}
		if err != nil {
			return err
		}
		_, err = t.log(dtm.DraftEnded, form, event.Actor(ctx), "{}")
		return err
	})
}

// ReceiveTrial keeps a test record: NotFound, Conflict.
func (db *DB) ReceiveTrial(ctx context.Context, form string, s dtm.Submission, files []dtm.Media) (dtm.Receipt, error) {
	var receipt dtm.Receipt
	err := db.update(ctx, "store.ReceiveTrial", func(t *tx) error {
		receipt = dtm.Receipt{}
		var xml []byte
		var attachments string
		again, err := t.row(`
			SELECT xml, attachments
			FROM trial
			WHERE operation = $1 AND form = $2 AND id = $3`, []any{t.db.operation, form, s.ID}, &xml, &attachments)
		if err != nil {
			return err
		}
		if again {
			if !bytes.Equal(xml, s.XML) {
				return dtm.Errorf(dtm.Conflict, "test record %s was sent before with other content", s.ID).Coded("trial.conflict", s.ID)
			}
			var kept []dtm.Attachment
			if err := json.Unmarshal([]byte(attachments), &kept); err != nil {
				return err
			}
			for _, a := range s.Attachments {
				if !slices.ContainsFunc(kept, func(b dtm.Attachment) bool { return a.Name == b.Name }) {
					kept = append(kept, a)
				}
			}
			if err := t.exec(`
				UPDATE trial
				SET attachments = $4
				WHERE operation = $1 AND form = $2 AND id = $3`, t.db.operation, form, s.ID, listText(kept)); err != nil {
				return err
			}
			return t.trialMedia(form, s.ID, files)
		}
		var newest int64
		found, err := t.row(`
			SELECT coalesce((SELECT max(number) FROM trial WHERE operation = $1 AND form = $2), 0)
			FROM draft
			WHERE operation = $1 AND form = $2`, []any{t.db.operation, form}, &newest)
		if err != nil {
			return err
		}
		if !found {
			return noDraft(form)
		}
		if err := t.exec(`
			INSERT INTO trial (operation, form, id, number, version, device_id, received, expected, attachments, xml)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			t.db.operation, form, s.ID, newest+1, s.Version, s.DeviceID, timeText(t.now), listText(s.Expected), listText(s.Attachments), blob(s.XML)); err != nil {
			return err
		}
		receipt.New = true
		if err := t.trialMedia(form, s.ID, files); err != nil {
			return err
		}
		oldest := newest + 1 - dtm.MaxTrials
		if err := t.exec(`
			DELETE FROM trial_media
			WHERE operation = $1 AND form = $2 AND id IN (
			  SELECT id
			  FROM trial
			  WHERE operation = $1 AND form = $2 AND number <= $3)`, t.db.operation, form, oldest); err != nil {
			return err
		}
		return t.exec(`
			DELETE FROM trial
			WHERE operation = $1 AND form = $2 AND number <= $3`, t.db.operation, form, oldest)
	})
	return receipt, err
}

// trialMedia keeps the files of a test record that are not there yet.
func (t *tx) trialMedia(form, id string, files []dtm.Media) error {
	for _, m := range files {
		if err := t.exec(`
			INSERT INTO trial_media (operation, form, id, name, type, hash, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (operation, form, id, name) DO NOTHING`,
			t.db.operation, form, id, m.Name, m.Type, m.Hash, blob(m.Data)); err != nil {
			return err
		}
	}
	return nil
}

// TrialMedia returns a file of a test record: NotFound.
func (db *DB) TrialMedia(ctx context.Context, form, id, name string) (dtm.Media, error) {
	m := dtm.Media{Name: name}
	err := db.read.QueryRowContext(ctx, `
		SELECT type, hash, data
		FROM trial_media
		WHERE operation = $1 AND form = $2 AND id = $3 AND name = $4`, db.operation, form, id, name).Scan(&m.Type, &m.Hash, &m.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return m, dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	return m, failure("store.TrialMedia", err)
}

// Trials returns the draft's test records, newest first.
func (db *DB) Trials(ctx context.Context, form string) ([]dtm.Submission, error) {
	const op = "store.Trials"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, version, device_id, received, expected, attachments, xml
		FROM trial
		WHERE operation = $1 AND form = $2
		ORDER BY number DESC`, db.operation, form)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Submission
	for rows.Next() {
		s := dtm.Submission{Form: form, State: stateReceived}
		var at, expected, attachments string
		err := rows.Scan(&s.ID, &s.Version, &s.DeviceID, &at, &expected, &attachments, &s.XML)
		if err == nil {
			s.Received, err = textTime(at)
		}
		if err == nil {
			err = json.Unmarshal([]byte(expected), &s.Expected)
		}
		if err == nil {
			err = json.Unmarshal([]byte(attachments), &s.Attachments)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}
