package relational

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"dtm"
	"dtm/event"
)

var _ dtm.SavedViews = (*DB)(nil)

const (
	mostName  = 120
	mostQuery = 4000
)

// Views lists views of the owner and shared ones, by name.
func (db *DB) Views(ctx context.Context, owner string) ([]dtm.SavedView, error) {
	const op = "store.Views"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, owner, name, query, shared, changed
		FROM saved_view
		WHERE operation = $1 AND deleted IS NULL AND (owner = $2 OR shared = 1)
		ORDER BY owner <> $2, name, id`, db.operation, owner)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.SavedView
	for rows.Next() {
		var v dtm.SavedView
		var changed string
		if err := rows.Scan(&v.ID, &v.Owner, &v.Name, &v.Query, &v.Shared, &changed); err != nil {
			return nil, failure(op, err)
		}
		if v.Changed, err = textTime(changed); err != nil {
			return nil, failure(op, err)
		}
		out = append(out, v)
	}
	return out, failure(op, rows.Err())
}

// named checks what a view is called: Invalid, Conflict.
func (t *tx) named(owner, name string, except int64) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > mostName {
		return "", dtm.Errorf(dtm.Invalid, "a name has 1 to %d letters", mostName).Coded("view.name", mostName)
	}
	taken, err := t.row(`
		SELECT 1
		FROM saved_view
		WHERE operation = $1 AND owner = $2 AND name = $3 AND id <> $4 AND deleted IS NULL`, []any{t.db.operation, owner, name, except}, new(int))
	if err == nil && taken {
		err = dtm.Errorf(dtm.Conflict, "there is a view %q already; take another name", name).Coded("view.taken", name)
	}
	return name, err
}

// SaveView keeps a view: Invalid, Conflict.
func (db *DB) SaveView(ctx context.Context, v dtm.SavedView) (id int64, err error) {
	if len(v.Query) > mostQuery {
		return 0, dtm.Errorf(dtm.Invalid, "this question is too long to be kept").Coded("view.long")
	}
	return id, db.update(ctx, "store.SaveView", func(t *tx) error {
		name, err := t.named(v.Owner, v.Name, 0)
		if err != nil {
			return err
		}
		if _, err := t.row(`SELECT coalesce(max(id), 0) + 1 FROM saved_view WHERE operation = $1`, []any{t.db.operation}, &id); err != nil {
			return err
		}
		if err := t.exec(`
			INSERT INTO saved_view (operation, id, owner, name, query, shared, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, id, v.Owner, name, v.Query, v.Shared, timeText(t.now)); err != nil {
			return err
		}
		return t.noted(ctx, dtm.ViewSaved, id)
	})
}

func (t *tx) noted(ctx context.Context, name string, id int64) error {
	_, err := t.log(name, strconv.FormatInt(id, 10), event.Actor(ctx), "{}")
	return err
}

// owned fails with NotFound unless the view is the owner's, deleted or not.
func (t *tx) owned(owner string, id int64, deleted bool) error {
	is, err := t.row(`
		SELECT 1
		FROM saved_view
		WHERE operation = $1 AND owner = $2 AND id = $3 AND CASE WHEN deleted IS NULL THEN 0 ELSE 1 END = $4`, []any{t.db.operation, owner, id, deleted}, new(int))
	if err == nil && !is {
		err = dtm.Errorf(dtm.NotFound, "you have no such view").Coded("view.unknown")
	}
	return err
}

// RenameView gives a view another name and says who sees it: NotFound, Invalid,
// Conflict.
func (db *DB) RenameView(ctx context.Context, owner string, id int64, name string, shared bool) error {
	return db.update(ctx, "store.RenameView", func(t *tx) error {
		if err := t.owned(owner, id, false); err != nil {
			return err
		}
		name, err := t.named(owner, name, id)
		if err != nil {
			return err
		}
		if err := t.exec(`
			UPDATE saved_view SET name = $3, shared = $4, changed = $5
			WHERE operation = $1 AND id = $2`, t.db.operation, id, name, shared, timeText(t.now)); err != nil {
			return err
		}
		return t.noted(ctx, dtm.ViewRenamed, id)
	})
}

// DeleteView takes a view away: NotFound.
func (db *DB) DeleteView(ctx context.Context, owner string, id int64) error {
	return db.update(ctx, "store.DeleteView", func(t *tx) error {
		if err := t.owned(owner, id, false); err != nil {
			return err
		}
		if err := t.exec(`UPDATE saved_view SET deleted = $3 WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now)); err != nil {
			return err
		}
		return t.noted(ctx, dtm.ViewDeleted, id)
	})
}

// RestoreView brings a deleted view back: NotFound, Conflict when its name was taken
// meanwhile.
func (db *DB) RestoreView(ctx context.Context, owner string, id int64) error {
	return db.update(ctx, "store.RestoreView", func(t *tx) error {
		if err := t.owned(owner, id, true); err != nil {
			return err
		}
		var name string
		if _, err := t.row(`SELECT name FROM saved_view WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &name); err != nil {
			return err
		}
		if _, err := t.named(owner, name, id); err != nil {
			return err
		}
		if err := t.exec(`UPDATE saved_view SET deleted = NULL WHERE operation = $1 AND id = $2`, t.db.operation, id); err != nil {
			return err
		}
		return t.noted(ctx, dtm.ViewRestored, id)
	})
}
