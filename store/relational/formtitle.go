package relational

import (
	"context"
	"database/sql"
	"encoding/json"

	"dtm"
)

// titleText is how titles are kept; none are an empty object.
func titleText(t dtm.Text) string {
	if len(t) == 0 {
		return "{}"
	}
	return jsonText(t)
}

// textTitles reads what titleText wrote; NULL and an empty object are none.
func textTitles(s sql.NullString) (dtm.Text, error) {
	if s.String == "" || s.String == "{}" {
		return nil, nil
	}
	var t dtm.Text
	err := json.Unmarshal([]byte(s.String), &t)
	return t, err
}

// TitleForms gives forms and drafts that were kept before titles were kept by
// language theirs. read takes a workbook and its name; what it cannot read has none.
func (db *DB) TitleForms(ctx context.Context, read func(name string, source []byte) dtm.Text) error {
	const op = "store.TitleForms"
	type old struct{ table, id, version, titles string }
	var list []old
	for _, q := range [][2]string{{"form", `
		SELECT id, version, source_name, source
		FROM form
		WHERE operation = $1 AND titles IS NULL`}, {"draft", `
		SELECT form, version, source_name, source
		FROM draft
		WHERE operation = $1 AND titles IS NULL`}} {
		rows, err := db.read.QueryContext(ctx, q[1], db.operation)
		if err != nil {
			return failure(op, err)
		}
		for rows.Next() {
			o := old{table: q[0]}
			var name string
			var source []byte
			if err := rows.Scan(&o.id, &o.version, &name, &source); err != nil {
				rows.Close()
				return failure(op, err)
			}
			var t dtm.Text
			if name != "" {
				t = read(name, source)
			}
			o.titles = titleText(t)
			list = append(list, o)
		}
		if err := rows.Close(); err != nil {
			return failure(op, err)
		}
		if err := rows.Err(); err != nil {
			return failure(op, err)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return db.update(ctx, op, func(t *tx) error {
		for _, o := range list {
			statement := `
				UPDATE form
				SET titles = $4
				WHERE operation = $1 AND id = $2 AND version = $3 AND titles IS NULL`
			if o.table == "draft" {
				statement = `
				UPDATE draft
				SET titles = $4
				WHERE operation = $1 AND form = $2 AND version = $3 AND titles IS NULL`
			}
			if err := t.exec(statement, db.operation, o.id, o.version, o.titles); err != nil {
				return err
			}
		}
		return nil
	})
}
