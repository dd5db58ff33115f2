package relational

import (
	"context"

	"dtm"
	"dtm/event"
)

var _ dtm.FormStates = (*DB)(nil)

// SetFormState opens or closes a form: NotFound, Invalid.
func (db *DB) SetFormState(ctx context.Context, id, state string) error {
	if state != dtm.FormOpen && state != dtm.FormClosing && state != dtm.FormClosed {
		return dtm.Errorf(dtm.Invalid, "a form is open, closing or closed, not %q", state).Coded("form.state", state)
	}
	return db.update(ctx, "store.SetFormState", func(t *tx) error {
		known, err := t.row(`
			SELECT 1
			FROM form
			WHERE operation = $1 AND id = $2
			LIMIT 1`, []any{t.db.operation, id}, new(int))
		if err != nil {
			return err
		}
		if !known {
			return dtm.Errorf(dtm.NotFound, "there is no form %q", id).Coded("form.unknown", id)
		}
		was := dtm.FormOpen
		if _, err := t.row(`
			SELECT state
			FROM form_state
			WHERE operation = $1 AND form = $2`, []any{t.db.operation, id}, &was); err != nil || was == state {
			return err
		}
		err = t.exec(`
			INSERT INTO form_state (operation, form, state)
			VALUES ($1, $2, $3)
			ON CONFLICT (operation, form) DO UPDATE SET state = $3`, t.db.operation, id, state)
		if err != nil {
			return err
		}
		_, err = t.log(dtm.FormStateSet, id, event.Actor(ctx), jsonText(map[string]any{"state": state}))
		return err
	})
}

// FormStates returns the states that were set, by form.
func (db *DB) FormStates(ctx context.Context) (map[string]string, error) {
	const op = "store.FormStates"
	rows, err := db.read.QueryContext(ctx, `
		SELECT form, state
		FROM form_state
		WHERE operation = $1`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var form, state string
		if err := rows.Scan(&form, &state); err != nil {
			return nil, failure(op, err)
		}
		out[form] = state
	}
	return out, failure(op, rows.Err())
}
