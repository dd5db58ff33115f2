package relational

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
	"dtm/seal"
)

// sealedAnswers are those of a submission that its form seals: the whole of it as it was
// sent, under the key of the person that it is about.
type sealedAnswers struct {
	person    string
	mark      []byte // keyed digest of what was sent
	sealed    []byte
	forgotten bool // the person was erased, or the time to keep the original is over
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
	p, key, err := db.sealedAs(ctx, r)
	if err != nil {
		return err
	}
	if p.forgotten { // a phone that sends it again brings nobody back
		r.XML, r.private = public, p
		return nil
	}
	p.mark = marks.Mark(string(r.XML))
	if p.sealed, err = key.Seal(sealedPlace(db.operation, r.ID, p.mark), r.XML); err != nil {
		return err
	}
	r.XML, r.private = public, p
	return nil
}

// sealedAs tells whose key a submission is sealed with: an edit, and the same submission
// again, are about the person of the first. Of one that was forgotten nothing personal is
// kept any more; that it was is left in a row without content.
func (db *DB) sealedAs(ctx context.Context, r *receiving) (*sealedAnswers, seal.Key, error) {
	p := &sealedAnswers{}
	var left int
	err := db.read.QueryRowContext(ctx, `
		SELECT person, length(sealed)
		FROM submission_sealed
		WHERE operation = $1 AND (submission = $2 OR submission = $3 AND $3 <> '')
		ORDER BY submission = $2 DESC, length(sealed)
		LIMIT 1`, db.operation, r.ID, r.Deprecates).Scan(&p.person, &left)
	if errors.Is(err, sql.ErrNoRows) {
		id, err := uuid.NewV7FromReader(db.rand)
		if err != nil {
			return nil, seal.Key{}, err
		}
		p.person = id.String()
		key, err := db.keys.make(ctx, db.operation, p.person)
		return p, key, err
	}
	if err == nil && left == 0 {
		return &sealedAnswers{person: p.person, mark: []byte{}, sealed: []byte{}, forgotten: true}, seal.Key{}, nil
	}
	var key seal.Key
	if err == nil {
		key, err = db.keys.get(ctx, db.operation, p.person)
	}
	if err == nil || dtm.KindOf(err) != dtm.Gone {
		return p, key, err
	}
	// The key is gone: of somebody erased whom a restored backup still knows, or of
	// somebody who had not agreed, and of whom an edit may say that they have.
	switch _, err := db.Person(ctx, p.person); {
	case err == nil:
		return &sealedAnswers{person: p.person, mark: []byte{}, sealed: []byte{}, forgotten: true}, seal.Key{}, nil
	case dtm.KindOf(err) != dtm.NotFound:
		return nil, seal.Key{}, err
	}
	key, err = db.keys.make(ctx, db.operation, p.person)
	return p, key, err
}

// forgetOriginals removes what submissions held as they were sent, and leaves rows without
// content, by which they are known when a phone sends them again. Which is a condition
// over submission_sealed.
func (t *tx) forgetOriginals(which string, args ...any) (int64, error) {
	if err := t.exec(`
		INSERT INTO submission_sealed (operation, submission, hash, person, mark, sealed)
		SELECT DISTINCT operation, submission, '', person, substr(mark, 1, 0), substr(mark, 1, 0)
		FROM submission_sealed
		WHERE length(sealed) > 0 AND `+which+`
		ON CONFLICT (operation, submission, mark) DO NOTHING`, args...); err != nil {
		return 0, err
	}
	return t.change(`
		DELETE FROM submission_sealed
		WHERE length(sealed) > 0 AND `+which, args...)
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

// sealedBefore tells whether the same submission with the same sealed answers is there;
// of one that was forgotten nobody can tell any more.
func (r *receiving) sealedBefore(t *tx) (bool, error) {
	if r.private.forgotten {
		return true, nil
	}
	return t.row(`
		SELECT 1
		FROM submission_sealed
		WHERE operation = $1 AND submission = $2 AND mark = $3`, []any{t.db.operation, r.ID, r.private.mark}, new(int))
}

// apart is what tells a refused submission from others under its id.
func (r *receiving) apart() string {
	if r.private == nil || r.private.forgotten {
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
	if err != nil || len(sealed) == 0 {
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
