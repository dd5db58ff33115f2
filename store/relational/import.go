package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/event"
)

var _ dtm.ImportRuns = (*DB)(nil)

// AddImport notes a file whose rows are stored.
func (db *DB) AddImport(ctx context.Context, file string, o dtm.Outcome) (dtm.Imported, error) {
	out := dtm.Imported{File: file, Actor: event.Actor(ctx), Outcome: o}
	err := db.update(ctx, "store.AddImport", func(t *tx) error {
		seq, err := t.log(dtm.ImportFinished, file, out.Actor, jsonText(map[string]any{"rows": o.Rows, "accepted": o.Accepted, "rejected": o.Rejected, "chunks": o.Chunks}))
		if err != nil {
			return err
		}
		out.Seq, out.At = seq, t.now
		return t.exec(`
			INSERT INTO import (operation, seq, file, actor, at, outcome)
			VALUES ($1, $2, $3, $4, $5, $6)`, t.db.operation, seq, file, out.Actor, timeText(t.now), jsonText(o))
	})
	return out, err
}

const importColumns = `
	SELECT i.seq, i.file, i.actor, i.at, i.outcome, coalesce(w.seq, 0), coalesce(w.actor, ''), coalesce(w.at, ''), coalesce(w.why, '')
	FROM import i
	LEFT JOIN import_withdrawal w ON w.operation = i.operation AND w.import = i.seq
	WHERE i.operation = $1`

func scanImport(scan func(...any) error) (dtm.Imported, error) {
	var i dtm.Imported
	var w dtm.Withdrawal
	var at, outcome, taken string
	err := scan(&i.Seq, &i.File, &i.Actor, &at, &outcome, &w.Seq, &w.Actor, &taken, &w.Why)
	if err == nil {
		i.At, err = textTime(at)
	}
	if err == nil {
		err = json.Unmarshal([]byte(outcome), &i.Outcome)
	}
	if err == nil && w.Seq > 0 {
		w.At, err = textTime(taken)
		i.Withdrawn = &w
	}
	return i, err
}

// ImportRuns lists the files that were imported, newest first.
func (db *DB) ImportRuns(ctx context.Context) ([]dtm.Imported, error) {
	const op = "store.ImportRuns"
	rows, err := db.read.QueryContext(ctx, importColumns+`
		ORDER BY i.seq DESC`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Imported
	for rows.Next() {
		i, err := scanImport(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, i)
	}
	return out, failure(op, rows.Err())
}

// ImportRun is one of them: NotFound.
func (db *DB) ImportRun(ctx context.Context, seq int64) (dtm.Imported, error) {
	i, err := scanImport(db.read.QueryRowContext(ctx, importColumns+` AND i.seq = $2`, db.operation, seq).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return i, dtm.Errorf(dtm.NotFound, "there is no import %d", seq).Coded("import.none")
	}
	return i, failure("store.ImportRun", err)
}

// WithdrawImport takes an import back.
func (db *DB) WithdrawImport(ctx context.Context, seq int64, why string) (dtm.Imported, error) {
	if strings.TrimSpace(why) == "" {
		return dtm.Imported{}, noReason()
	}
	i, err := db.ImportRun(ctx, seq)
	if err != nil {
		return i, err
	}
	err = db.update(ctx, "store.WithdrawImport", func(t *tx) error {
		var n int
		if _, err := t.row(`
			SELECT count(*)
			FROM import_withdrawal
			WHERE operation = $1 AND import = $2`, []any{t.db.operation, seq}, &n); err != nil {
			return err
		}
		if n > 0 {
			return dtm.Errorf(dtm.Conflict, "import %d was taken back before", seq).Coded("import.withdrawn")
		}
		gone, err := t.brought(seq, i.Chunks)
		if err != nil {
			return err
		}
		actor := event.Actor(ctx)
		at, err := t.log(dtm.ImportWithdrawn, strconv.FormatInt(seq, 10), actor, jsonText(map[string]any{"file": i.File, "chunks": gone}))
		if err != nil {
			return err
		}
		i.Withdrawn = &dtm.Withdrawal{Seq: at, Actor: actor, At: t.now, Why: why}
		if err := t.exec(`
			INSERT INTO import_withdrawal (operation, import, seq, actor, at, why)
			VALUES ($1, $2, $3, $4, $5, $6)`, t.db.operation, seq, at, actor, timeText(t.now), why); err != nil {
			return err
		}
		for _, hash := range gone {
			if err := t.exec(`
				INSERT INTO chunk_withdrawal (operation, hash, seq)
				VALUES ($1, $2, $3)`, t.db.operation, hash, at); err != nil {
				return err
			}
		}
		return nil
	})
	return i, err
}

// brought are the chunks of an import that no other import which stands has.
func (t *tx) brought(seq int64, chunks []string) ([]string, error) {
	s, err := t.stmt(t.ctx, importColumns)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, t.db.operation)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	kept := map[string]bool{}
	for rows.Next() {
		i, err := scanImport(rows.Scan)
		if err != nil {
			return nil, err
		}
		if i.Seq != seq && i.Withdrawn == nil {
			for _, h := range i.Chunks {
				kept[h] = true
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	gone := slices.Compact(slices.Sorted(slices.Values(chunks)))
	return slices.DeleteFunc(gone, func(h string) bool { return kept[h] }), nil
}

// WithdrawnChunks gives, of each chunk that was ever taken back, the last event that
// took it back, up to an event; 0: of all.
func (db *DB) WithdrawnChunks(ctx context.Context, upTo int64) (map[string]int64, error) {
	const op = "store.WithdrawnChunks"
	rows, err := db.read.QueryContext(ctx, `
		SELECT hash, max(seq)
		FROM chunk_withdrawal
		WHERE operation = $1 AND ($2 = 0 OR seq <= $2)
		GROUP BY hash`, db.operation, upTo)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var hash string
		var seq int64
		if err := rows.Scan(&hash, &seq); err != nil {
			return nil, failure(op, err)
		}
		out[hash] = seq
	}
	return out, failure(op, rows.Err())
}
