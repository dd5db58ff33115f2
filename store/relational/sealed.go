package relational

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
)

// sealedAnswers are those of a submission that its form seals: the whole of it as it was
// sent, under the key of the person that it is about.
type sealedAnswers struct {
	person string
	mark   []byte // keyed digest of what was sent
	sealed []byte
}

// sealAnswers takes what is personal out of a submission before anything is written.
// From here on the submission is what everybody may read.
func (db *DB) sealAnswers(ctx context.Context, r *receiving) error {
	if db.redact == nil {
		return nil
	}
	public, private, err := db.redact(ctx, r.Form, r.Version, r.XML)
	if err != nil || !private {
		return err
	}
	marks, err := db.secret(ctx, "submission")
	if err != nil {
		return err
	}
	p := &sealedAnswers{mark: marks.Mark(string(r.XML))}
	// An edit, and the same submission again, are about the person of the first.
	err = db.read.QueryRowContext(ctx, `
		SELECT person
		FROM submission_sealed
		WHERE operation = $1 AND (submission = $2 OR submission = $3 AND $3 <> '')
		ORDER BY submission = $2 DESC
		LIMIT 1`, db.operation, r.ID, r.Deprecates).Scan(&p.person)
	if errors.Is(err, sql.ErrNoRows) {
		var id uuid.UUID
		if id, err = uuid.NewV7FromReader(db.rand); err == nil {
			p.person = id.String()
		}
	}
	if err != nil {
		return err
	}
	key, err := db.keys.make(ctx, db.operation, p.person)
	if err != nil {
		return err
	}
	if p.sealed, err = key.Seal(sealedPlace(db.operation, r.ID, p.mark), r.XML); err != nil {
		return err
	}
	r.XML, r.private = public, p
	return nil
}

func sealedPlace(operation, submission string, mark []byte) string {
	return "submission_sealed|sealed|" + operation + "|" + submission + "|" + hex.EncodeToString(mark)
}

func (r *receiving) keepSealed(t *tx) error {
	if r.private == nil {
		return nil
	}
	return t.later(`
		INSERT INTO submission_sealed (operation, submission, hash, person, mark, sealed)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (operation, submission, mark) DO NOTHING`, t.db.operation, r.ID, r.sum, r.private.person, r.private.mark, r.private.sealed)
}

// sealedBefore tells whether the same submission with the same sealed answers is there.
func (r *receiving) sealedBefore(t *tx) (bool, error) {
	return t.row(`
		SELECT 1
		FROM submission_sealed
		WHERE operation = $1 AND submission = $2 AND mark = $3`, []any{t.db.operation, r.ID, r.private.mark}, new(int))
}

// apart is what tells a refused submission from others under its id.
func (r *receiving) apart() string {
	if r.private == nil {
		return r.sum
	}
	return hex.EncodeToString(r.private.mark)
}

// SealedSubmission opens a submission as it was sent and records that it was.
func (db *DB) SealedSubmission(ctx context.Context, id, purpose string) (dtm.Submission, string, error) {
	const op = "store.SealedSubmission"
	s, err := db.Submission(ctx, id)
	if err != nil {
		return s, "", err
	}
	var person string
	var mark, sealed []byte
	err = db.read.QueryRowContext(ctx, `
		SELECT person, mark, sealed
		FROM submission_sealed
		WHERE operation = $1 AND submission = $2
		ORDER BY rowid
		LIMIT 1`, db.operation, id).Scan(&person, &mark, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return s, "", nil
	}
	if err != nil {
		return s, "", failure(op, err)
	}
	key, err := db.keys.get(ctx, db.operation, person)
	if err != nil {
		return s, person, failure(op, err)
	}
	if s.XML, err = key.Open(sealedPlace(db.operation, id, mark), sealed); err != nil {
		return s, person, failure(op, err)
	}
	if event.Actor(ctx) == event.System {
		return s, person, nil // the worker that opens referrals: its own event says so
	}
	err = db.update(ctx, op, func(t *tx) error {
		_, err := t.log(dtm.SubmissionOpened, id, event.Actor(ctx), jsonText(struct {
			Purpose string `json:"purpose"`
		}{purpose}))
		return err
	})
	return s, person, err
}
