package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
)

var (
	_ dtm.Agreements = (*DB)(nil)
	_ dtm.Glasses    = (*DB)(nil)
)

// AddAgreement gives it an ID.
func (db *DB) AddAgreement(ctx context.Context, a dtm.Agreement) (dtm.Agreement, error) {
	const op = "store.AddAgreement"
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return a, failure(op, fmt.Errorf("randomness: %w", err))
	}
	a.ID, a.Author, a.Ended, a.EndedBy, a.Why = id.String(), event.Actor(ctx), nil, "", ""
	err = db.update(ctx, op, func(t *tx) error {
		a.Created = t.now
		if err := t.exec(`
			INSERT INTO agreement (operation, id, seq, partner, kind, purpose, basis, programmes, field_groups, areas, first_day, last_day, onward, contact, document, created, author)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			t.db.operation, a.ID, t.chain.Seq+1, a.Partner, a.Kind, a.Purpose, a.Basis, listText(a.Programmes), listText(a.Groups), listText(a.Areas),
			a.From.Format(time.DateOnly), a.To.Format(time.DateOnly), a.Onward, a.Contact, a.Document, timeText(a.Created), a.Author); err != nil {
			return err
		}
		_, err := t.log(dtm.AgreementAdded, a.ID, a.Author, jsonText(map[string]any{"partner": a.Partner, "kind": a.Kind, "programmes": a.Programmes, "groups": a.Groups, "areas": a.Areas,
			"from": a.From.Format(time.DateOnly), "to": a.To.Format(time.DateOnly), "onward": a.Onward, "document": a.Document}))
		return err
	})
	return a, err
}

// EndAgreement ends it now.
func (db *DB) EndAgreement(ctx context.Context, id, why string) error {
	return db.update(ctx, "store.EndAgreement", func(t *tx) error {
		var partner string
		var ended sql.NullString
		found, err := t.row(`
			SELECT partner, ended
			FROM agreement
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &partner, &ended)
		switch {
		case err != nil:
			return err
		case !found:
			return dtm.Errorf(dtm.NotFound, "there is no agreement %q", id).Coded("agreement.unknown")
		case ended.Valid:
			return dtm.Errorf(dtm.Conflict, "this agreement has ended already").Coded("agreement.over")
		}
		if err := t.exec(`
			UPDATE agreement
			SET ended = $3, ended_by = $4, why = $5
			WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now), event.Actor(ctx), why); err != nil {
			return err
		}
		_, err = t.log(dtm.AgreementEnded, id, event.Actor(ctx), jsonText(map[string]any{"partner": partner}))
		return err
	})
}

// Agreements lists those of a partner, "" of all, newest first.
func (db *DB) Agreements(ctx context.Context, partner string) ([]dtm.Agreement, error) {
	const op = "store.Agreements"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, partner, kind, purpose, basis, programmes, field_groups, areas, first_day, last_day, onward, contact, document, created, author, ended, ended_by, why
		FROM agreement
		WHERE operation = $1 AND ($2 = '' OR partner = $2)
		ORDER BY seq DESC`, db.operation, partner)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Agreement
	for rows.Next() {
		var a dtm.Agreement
		var programmes, groups, areas, from, to, created string
		var ended sql.NullString
		err := rows.Scan(&a.ID, &a.Partner, &a.Kind, &a.Purpose, &a.Basis, &programmes, &groups, &areas, &from, &to, &a.Onward, &a.Contact, &a.Document, &created, &a.Author, &ended, &a.EndedBy, &a.Why)
		for _, j := range []struct {
			text string
			into *[]string
		}{{programmes, &a.Programmes}, {groups, &a.Groups}, {areas, &a.Areas}} {
			if err == nil {
				err = json.Unmarshal([]byte(j.text), j.into)
			}
		}
		if err == nil {
			a.From, err = time.Parse(time.DateOnly, from)
		}
		if err == nil {
			a.To, err = time.Parse(time.DateOnly, to)
		}
		if err == nil {
			a.Created, err = textTime(created)
		}
		if err == nil {
			a.Ended, err = optionalTime(ended)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, a)
	}
	return list, failure(op, rows.Err())
}

// leastReason is how many letters a reason has at least.
const leastReason = 10

// BreakGlass gives access to one referral for three hours.
func (db *DB) BreakGlass(ctx context.Context, email, referral, reason string) (dtm.Glass, error) {
	const op = "store.BreakGlass"
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) < leastReason {
		return dtm.Glass{}, dtm.Errorf(dtm.Invalid, "say in words why it cannot wait; somebody reads it tomorrow").Coded("glass.reason")
	}
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return dtm.Glass{}, failure(op, fmt.Errorf("randomness: %w", err))
	}
	g := dtm.Glass{ID: id.String(), Email: address(email), Referral: referral, Reason: reason}
	r, err := db.Referral(ctx, referral)
	if err != nil {
		return g, err
	}
	if r.Person == "" {
		return g, dtm.Errorf(dtm.Conflict, "this referral names nobody: there is nothing to open").Coded("glass.nobody")
	}
	words, err := db.sealGlass(ctx, r.Person, "words", g.ID, reason)
	if err != nil {
		return g, failure(op, err)
	}
	err = db.update(ctx, op, func(t *tx) error {
		g.At, g.Until = t.now, t.now.Add(dtm.GlassFor)
		if err := t.exec(`
			INSERT INTO glass (operation, id, email, referral, reason, person, words, at, until)
			VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8)`, t.db.operation, g.ID, g.Email, g.Referral, r.Person, words, timeText(g.At), timeText(g.Until)); err != nil {
			return err
		}
		_, err = t.log(dtm.GlassBroken, referral, event.Actor(ctx), jsonText(map[string]string{"glass": g.ID}))
		return err
	})
	return g, err
}

// sealGlass seals what is said about access in an emergency under the person's key.
func (db *DB) sealGlass(ctx context.Context, person, column, id, text string) ([]byte, error) {
	key, err := db.keyOf(ctx, person)
	if err != nil {
		return nil, err
	}
	return key.Seal(glassPlace(db.operation, column, id), []byte(text))
}

func glassPlace(operation, column, id string) string {
	return "glass|" + column + "|" + operation + "|" + id
}

// openGlass is the other way; "" when the person was erased since.
func (db *DB) openGlass(ctx context.Context, person, column, id string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	key, err := db.keyOf(ctx, person)
	if err != nil && dtm.KindOf(err) == dtm.Gone {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	plain, err := key.Open(glassPlace(db.operation, column, id), sealed)
	return string(plain), err
}

const glassQuery = `
	SELECT g.id, g.email, g.referral, g.words, g.at, g.until, g.reviewer, g.reviewed, g.needed, g.said, g.person
	FROM glass g
	WHERE g.operation = $1`

func (db *DB) glasses(ctx context.Context, op, query string, args ...any) ([]dtm.Glass, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	type sealedGlass struct {
		dtm.Glass
		person      string
		words, said []byte
	}
	var found []sealedGlass
	for rows.Next() {
		var g sealedGlass
		var at, until string
		var reviewed sql.NullString
		err := rows.Scan(&g.ID, &g.Email, &g.Referral, &g.words, &at, &until, &g.Reviewer, &reviewed, &g.Right, &g.said, &g.person)
		if err == nil {
			g.At, err = textTime(at)
		}
		if err == nil {
			g.Until, err = textTime(until)
		}
		if err == nil {
			g.Reviewed, err = optionalTime(reviewed)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		found = append(found, g)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	var list []dtm.Glass
	for _, g := range found {
		if g.Reason, err = db.openGlass(ctx, g.person, "words", g.ID, g.words); err == nil {
			g.Verdict, err = db.openGlass(ctx, g.person, "said", g.ID, g.said)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, g.Glass)
	}
	return list, nil
}

// BrokenGlass lists those of a user that are open now. One broken by a clock that stood
// ahead is not: it would be for as long as that.
func (db *DB) BrokenGlass(ctx context.Context, email string) ([]dtm.Glass, error) {
	return db.glasses(ctx, "store.BrokenGlass", glassQuery+` AND g.email = $2 AND g.until > $3 AND g.at <= $4
		ORDER BY g.at DESC`, db.operation, address(email), timeText(db.now()), timeText(db.now().Add(dtm.ClockSkew)))
}

// GlassToReview lists those that nobody has judged and then those judged since a time.
func (db *DB) GlassToReview(ctx context.Context, since time.Time) ([]dtm.Glass, error) {
	return db.glasses(ctx, "store.GlassToReview", glassQuery+` AND (g.reviewed IS NULL OR g.reviewed >= $2)
		ORDER BY g.reviewed IS NOT NULL, g.at DESC`, db.operation, timeText(since))
}

// ReviewGlass judges one.
func (db *DB) ReviewGlass(ctx context.Context, id string, right bool, verdict string) error {
	const op = "store.ReviewGlass"
	var person string
	err := db.read.QueryRowContext(ctx, `
		SELECT person
		FROM glass
		WHERE operation = $1 AND id = $2`, db.operation, id).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Errorf(dtm.NotFound, "there is no such entry").Coded("glass.unknown")
	}
	if err != nil {
		return failure(op, err)
	}
	var said []byte
	if verdict = strings.TrimSpace(verdict); verdict != "" {
		// Of somebody who was erased since, only the judgement is kept, without words.
		if said, err = db.sealGlass(ctx, person, "said", id, verdict); err != nil && dtm.KindOf(err) != dtm.Gone {
			return failure(op, err)
		}
	}
	return db.update(ctx, op, func(t *tx) error {
		var email, referral string
		var reviewed sql.NullString
		found, err := t.row(`
			SELECT email, referral, reviewed
			FROM glass
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &email, &referral, &reviewed)
		switch {
		case err != nil:
			return err
		case !found:
			return dtm.Errorf(dtm.NotFound, "there is no such entry").Coded("glass.unknown")
		case reviewed.Valid:
			return dtm.Errorf(dtm.Conflict, "somebody has judged this already").Coded("glass.judged")
		case event.Actor(ctx) == "user:"+email:
			return dtm.Errorf(dtm.Forbidden, "nobody judges their own").Coded("glass.own")
		}
		if err := t.exec(`
			UPDATE glass
			SET reviewer = $3, reviewed = $4, needed = $5, said = $6
			WHERE operation = $1 AND id = $2`, t.db.operation, id, event.Actor(ctx), timeText(t.now), right, said); err != nil {
			return err
		}
		_, err = t.log(dtm.GlassReviewed, referral, event.Actor(ctx), jsonText(map[string]any{"glass": id, "right": right}))
		return err
	})
}
