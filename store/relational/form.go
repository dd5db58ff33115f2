package relational

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"dtm"
	"dtm/event"
)

// Publish adds a version. The same content again adds nothing; other content, files
// or titles under the same id and version are a Conflict.
func (db *DB) Publish(ctx context.Context, f dtm.Form) error {
	if f.ID == "" {
		return dtm.Errorf(dtm.Invalid, "the form has no id; give it one in the settings sheet (form_id)").Coded("form.no_id")
	}
	return db.update(ctx, "store.Publish", func(t *tx) error { return t.publish(ctx, f) })
}

func (t *tx) publish(ctx context.Context, f dtm.Form) error {
	var hash string
	var xform []byte
	var titles sql.NullString
	found, err := t.row(`
			SELECT hash, xform, titles
			FROM form
			WHERE operation = $1 AND id = $2 AND version = $3`, []any{t.db.operation, f.ID, f.Version}, &hash, &xform, &titles)
	if err != nil {
		return err
	}
	if found {
		same, err := t.sameMedia(f)
		if err != nil {
			return err
		}
		if hash == f.Hash && bytes.Equal(xform, f.XForm) && same && (!titles.Valid || titles.String == titleText(f.Titles)) {
			return nil
		}
		return dtm.Errorf(dtm.Conflict,
			"form %s has a version %q with other content; give the changed form another version", f.ID, f.Version).
			Coded("form.conflict", f.ID, f.Version)
	}
	at := f.Published
	if at.IsZero() {
		at = t.now
	}
	err = t.exec(`
			INSERT INTO form (operation, id, version, seq, title, titles, hash, published, xform, source, source_name)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		t.db.operation, f.ID, f.Version, t.chain.Seq+1, f.Title, titleText(f.Titles), f.Hash, timeText(at), blob(f.XForm), blob(f.Source), f.SourceName)
	if err != nil {
		return err
	}
	for _, m := range f.Media {
		err := t.exec(`
				INSERT INTO form_media (operation, form, version, name, type, hash, data)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			t.db.operation, f.ID, f.Version, m.Name, m.Type, m.Hash, blob(m.Data))
		if unique(err) {
			return dtm.Errorf(dtm.Invalid, "form %s: two attachments are named %q; keep one", f.ID, m.Name).
				Coded("form.media_twice", f.ID, m.Name)
		}
		if err != nil {
			return err
		}
	}
	_, err = t.log(dtm.FormPublished, f.ID, event.Actor(ctx), jsonText(struct {
		Version string `json:"version"`
		Hash    string `json:"hash"`
	}{f.Version, f.Hash}))
	return err
}

// sameMedia tells whether the stored version has f's attachments.
func (t *tx) sameMedia(f dtm.Form) (bool, error) {
	var n int
	if _, err := t.row(`
		SELECT count(*)
		FROM form_media
		WHERE operation = $1 AND form = $2 AND version = $3`, []any{t.db.operation, f.ID, f.Version}, &n); err != nil {
		return false, err
	}
	if n != len(f.Media) {
		return false, nil
	}
	for _, m := range f.Media {
		var data []byte
		found, err := t.row(`
			SELECT data
			FROM form_media
			WHERE operation = $1 AND form = $2 AND version = $3 AND name = $4`,
			[]any{t.db.operation, f.ID, f.Version, m.Name}, &data)
		if err != nil || !found || !bytes.Equal(data, m.Data) {
			return false, err
		}
	}
	return true, nil
}

// scanForms reads rows of id, version, title, titles, hash, published, source_name and
// xform, and closes them.
func scanForms(rows *sql.Rows) (list []dtm.Form, err error) {
	defer rows.Close()
	for rows.Next() {
		var f dtm.Form
		var at string
		var titles sql.NullString
		if err = rows.Scan(&f.ID, &f.Version, &f.Title, &titles, &f.Hash, &at, &f.SourceName, &f.XForm); err == nil {
			f.Titles, err = textTitles(titles)
		}
		if err == nil {
			f.Published, err = textTime(at)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// Forms lists the current version of every form by id, without Source and the
// data of its attachments.
func (db *DB) Forms(ctx context.Context) ([]dtm.Form, error) {
	const op = "store.Forms"
	rows, err := db.read.QueryContext(ctx, `
		SELECT f.id, f.version, f.title, f.titles, f.hash, f.published, f.source_name, f.xform
		FROM form f
		WHERE f.operation = $1
		  AND f.seq = (SELECT max(g.seq) FROM form g WHERE g.operation = f.operation AND g.id = f.id)
		ORDER BY f.id`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	list, err := scanForms(rows)
	if err != nil {
		return nil, failure(op, err)
	}
	for i, f := range list {
		if list[i].Media, err = db.media(ctx, f.ID, f.Version, false); err != nil {
			return nil, failure(op, err)
		}
	}
	return list, nil
}

var _ dtm.FormHistory = (*DB)(nil)

// FormVersions returns every version of a form, newest first: NotFound.
func (db *DB) FormVersions(ctx context.Context, form string) ([]dtm.FormVersion, error) {
	const op = "store.FormVersions"
	rows, err := db.read.QueryContext(ctx, `
		SELECT f.version, f.seq, f.title, f.titles, f.hash, f.published, f.source_name, e.actor, coalesce(s.n, 0), s.last
		FROM form f
		JOIN event e ON e.operation = f.operation AND e.seq = f.seq
		LEFT JOIN (SELECT version, CAST(sum(n) AS BIGINT) AS n, max(last) AS last
		           FROM `+tallied+` y
		           WHERE form = $2
		           GROUP BY version) s ON s.version = f.version
		WHERE f.operation = $1 AND f.id = $2
		ORDER BY f.seq DESC`, db.operation, form)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.FormVersion
	for rows.Next() {
		v := dtm.FormVersion{Form: dtm.Form{ID: form}}
		var at string
		var titles, last sql.NullString
		err := rows.Scan(&v.Version, &v.Seq, &v.Title, &titles, &v.Hash, &at, &v.SourceName, &v.By, &v.Submissions, &last)
		if err == nil {
			v.Titles, err = textTitles(titles)
		}
		if err == nil {
			v.Published, err = textTime(at)
		}
		if err == nil && last.Valid {
			v.Last, err = textTime(last.String)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	if len(list) == 0 {
		return nil, db.noForm(ctx, form, "")
	}
	return list, nil
}

// Form returns one version whole, the current one when version is "": NotFound.
func (db *DB) Form(ctx context.Context, id, version string) (dtm.Form, error) {
	const op = "store.Form"
	f := dtm.Form{ID: id}
	var at string
	var titles sql.NullString
	err := db.read.QueryRowContext(ctx, `
		SELECT version, title, titles, hash, published, xform, source, source_name
		FROM form
		WHERE operation = $1 AND id = $2 AND ($3 = '' OR version = $3)
		ORDER BY seq DESC
		LIMIT 1`, db.operation, id, version).
		Scan(&f.Version, &f.Title, &titles, &f.Hash, &at, &f.XForm, &f.Source, &f.SourceName)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Form{}, db.noForm(ctx, id, version)
	}
	if err == nil {
		f.Titles, err = textTitles(titles)
	}
	if err == nil {
		f.Published, err = textTime(at)
	}
	if err == nil {
		f.Media, err = db.media(ctx, id, f.Version, true)
	}
	if err != nil {
		return dtm.Form{}, failure(op, err)
	}
	return f, nil
}

// noForm tells an unknown form from an unknown version of a known one.
func (db *DB) noForm(ctx context.Context, id, version string) error {
	var current string
	err := db.read.QueryRowContext(ctx, `
		SELECT version
		FROM form
		WHERE operation = $1 AND id = $2
		ORDER BY seq DESC
		LIMIT 1`, db.operation, id).Scan(&current)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return dtm.Errorf(dtm.NotFound, "there is no form %q; publish it first", id).Coded("form.unknown", id)
	case err != nil:
		return failure("store.Form", err)
	}
	return dtm.Errorf(dtm.NotFound, "form %q has no version %q; the current one is %q", id, version, current).
		Coded("form.version_unknown", id, version, current)
}

func (db *DB) media(ctx context.Context, form, version string, withData bool) ([]dtm.Media, error) {
	data := `NULL`
	if withData {
		data = `data`
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT name, type, hash, `+data+`
		FROM form_media
		WHERE operation = $1 AND form = $2 AND version = $3
		ORDER BY name`, db.operation, form, version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []dtm.Media
	for rows.Next() {
		var m dtm.Media
		if err := rows.Scan(&m.Name, &m.Type, &m.Hash, &m.Data); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
