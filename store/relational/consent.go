package relational

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
	"dtm/refer"
)

var (
	_ dtm.Consents = (*DB)(nil)
	_ dtm.Cases    = (*DB)(nil)
)

// GiveConsent records a consent.
func (db *DB) GiveConsent(ctx context.Context, c dtm.Consent) (dtm.Consent, error) {
	const op = "store.GiveConsent"
	p, err := db.Person(ctx, c.Person)
	if err != nil {
		return c, err
	}
	if c.ID == "" {
		id, err := uuid.NewV7FromReader(db.rand)
		if err != nil {
			return c, failure(op, err)
		}
		c.ID = id.String()
	}
	if c.Actor == "" {
		c.Actor = event.Actor(ctx)
	}
	if c.Of == dtm.ConsentVitalInterest {
		c.Second = "" // nobody names the second person: they confirm by themselves
	}
	if err := refer.CheckConsent(c, p.Age == "0-4" || p.Age == "5-17"); err != nil {
		return c, err
	}
	var reason []byte
	if c.Reason != "" {
		key, err := db.keyOf(ctx, c.Person)
		if err == nil {
			reason, err = key.Seal("consent|reason|"+db.operation+"|"+c.ID, []byte(c.Reason))
		}
		if err != nil {
			return c, failure(op, err)
		}
	}
	err = db.update(ctx, op, func(t *tx) error {
		if c.Given.IsZero() {
			c.Given = t.now
		}
		return t.giveConsent(c, reason, event.Actor(ctx))
	})
	return c, err
}

// giveConsent writes a consent that is not there yet. Without a sealed reason a
// best-interest one is still owed its reason.
func (t *tx) giveConsent(c dtm.Consent, reason []byte, actor string) error {
	n, err := t.change(`
		INSERT INTO consent (operation, id, seq, person, recipient, groups, wording, lang, how, whose, assent, reason, second, actor, given)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (operation, id) DO NOTHING`,
		t.db.operation, c.ID, t.chain.Seq+1, c.Person, c.Recipient, strings.Join(c.Groups, " "), c.Wording, c.Lang, c.How, c.Of, c.Assent, reason, c.Second, c.Actor, timeText(c.Given))
	if err != nil || n == 0 {
		return err
	}
	name := dtm.ConsentGiven
	if c.Waits() {
		name = dtm.ConsentAsked
	}
	_, err = t.log(name, c.Person, actor, jsonText(struct {
		ID        string   `json:"id"`
		Recipient string   `json:"recipient"`
		Groups    []string `json:"groups"`
		Of        string   `json:"of"`
		Second    string   `json:"second,omitempty"`
	}{c.ID, c.Recipient, c.Groups, c.Of, c.Second}))
	return err
}

// AskOverride asks to pass a referral on that names nobody.
func (db *DB) AskOverride(ctx context.Context, referral, why string) (dtm.Consent, error) {
	const op = "store.AskOverride"
	r, err := db.Referral(ctx, referral)
	if err != nil {
		return dtm.Consent{}, err
	}
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return dtm.Consent{}, failure(op, err)
	}
	c := dtm.Consent{ID: id.String(), Person: dtm.OverrideOf(referral), Recipient: refer.ForProgramme(r.Programme), Groups: []string{dtm.GroupNeed}, Wording: "-", Lang: "und",
		How: dtm.ConsentWitnessed, Of: dtm.ConsentVitalInterest, Reason: strings.TrimSpace(why), Actor: event.Actor(ctx)}
	if err := refer.CheckConsent(c, false); err != nil {
		return c, err
	}
	key, err := db.keys.make(ctx, db.operation, c.Person)
	if err != nil {
		return c, failure(op, err)
	}
	reason, err := key.Seal("consent|reason|"+db.operation+"|"+c.ID, []byte(c.Reason))
	if err != nil {
		return c, failure(op, err)
	}
	err = db.update(ctx, op, func(t *tx) error {
		c.Given = t.now
		return t.giveConsent(c, reason, c.Actor)
	})
	return c, err
}

// ConfirmConsent has a second person confirm vital interest.
func (db *DB) ConfirmConsent(ctx context.Context, id string) (dtm.Consent, error) {
	actor := event.Actor(ctx)
	var c dtm.Consent
	err := db.update(ctx, "store.ConfirmConsent", func(t *tx) error {
		c = dtm.Consent{ID: id}
		var withdrawn sql.NullString
		found, err := t.row(`
			SELECT person, recipient, whose, second, actor, withdrawn
			FROM consent
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &c.Person, &c.Recipient, &c.Of, &c.Second, &c.Actor, &withdrawn)
		switch {
		case err != nil:
			return err
		case !found:
			return dtm.Errorf(dtm.NotFound, "there is no such consent").Coded("consent.unknown")
		case withdrawn.Valid || !c.Waits():
			return dtm.Errorf(dtm.Conflict, "there is nothing to confirm: it was confirmed or withdrawn").Coded("consent.confirmed")
		case c.Actor == actor:
			return dtm.Errorf(dtm.Forbidden, "the second person is somebody else").Coded("referral.second")
		}
		if err := t.exec(`
			UPDATE consent
			SET second = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, id, actor); err != nil {
			return err
		}
		c.Second = actor
		_, err = t.log(dtm.ConsentConfirmed, c.Person, actor, jsonText(struct {
			ID    string `json:"id"`
			Asked string `json:"asked"`
		}{id, c.Actor}))
		return err
	})
	return c, err
}

// WithdrawConsent ends a consent and tells who had looked at what it covered.
func (db *DB) WithdrawConsent(ctx context.Context, id, why string) (saw []string, err error) {
	const op = "store.WithdrawConsent"
	if err := because(why); err != nil {
		return nil, err
	}
	var person, groups string
	err = db.update(ctx, op, func(t *tx) error {
		var withdrawn sql.NullString
		found, err := t.row(`
			SELECT person, groups, withdrawn
			FROM consent
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &person, &groups, &withdrawn)
		if err != nil {
			return err
		}
		if !found {
			return dtm.Errorf(dtm.NotFound, "there is no such consent").Coded("consent.unknown")
		}
		if withdrawn.Valid {
			return nil
		}
		if err := t.exec(`
			UPDATE consent
			SET withdrawn = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, id, timeText(t.now)); err != nil {
			return err
		}
		_, err = t.log(dtm.ConsentWithdrawn, person, event.Actor(ctx), jsonText(struct {
			ID string `json:"id"`
		}{id}))
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT DISTINCT actor, groups
		FROM person_read
		WHERE operation = $1 AND person = $2
		ORDER BY actor`, db.operation, person)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var actor, read string
		if err := rows.Scan(&actor, &read); err != nil {
			return nil, failure(op, err)
		}
		if !slices.Contains(saw, actor) && slices.ContainsFunc(strings.Fields(read), func(g string) bool { return slices.Contains(strings.Fields(groups), g) }) {
			saw = append(saw, actor)
		}
	}
	return saw, failure(op, rows.Err())
}

// ConsentsOf lists those of a person, oldest first.
func (db *DB) ConsentsOf(ctx context.Context, person string) ([]dtm.Consent, error) {
	const op = "store.ConsentsOf"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, person, recipient, groups, wording, lang, how, whose, assent, reason, second, actor, given, withdrawn
		FROM consent
		WHERE operation = $1 AND person IN (SELECT $2 UNION ALL SELECT id FROM person WHERE operation = $1 AND merged_into = $2)
		ORDER BY seq, id`, db.operation, person)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Consent
	var reasons [][]byte
	for rows.Next() {
		var c dtm.Consent
		var groups, given string
		var reason []byte
		var withdrawn sql.NullString
		err := rows.Scan(&c.ID, &c.Person, &c.Recipient, &groups, &c.Wording, &c.Lang, &c.How, &c.Of, &c.Assent, &reason, &c.Second, &c.Actor, &given, &withdrawn)
		if err == nil {
			c.Given, err = textTime(given)
		}
		if err == nil {
			c.Withdrawn, err = optionalTime(withdrawn)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		c.Groups = strings.Fields(groups)
		list, reasons = append(list, c), append(reasons, reason)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	for i := range list {
		if reasons[i] == nil {
			if list[i].Of == dtm.ConsentBestInterest {
				list[i].Reason = refer.BestInterestOwed
			}
			continue
		}
		// A person merged into this one has their own key.
		key, err := db.keyOf(ctx, list[i].Person)
		if dtm.KindOf(err) == dtm.Gone && err != nil {
			continue
		}
		var plain []byte
		if err == nil {
			plain, err = key.Open("consent|reason|"+db.operation+"|"+list[i].ID, reasons[i])
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list[i].Reason = string(plain)
	}
	return list, nil
}

// WaitingConsents lists those that wait for a second person, oldest first.
func (db *DB) WaitingConsents(ctx context.Context) ([]dtm.Consent, error) {
	const op = "store.WaitingConsents"
	rows, err := db.read.QueryContext(ctx, `
		SELECT c.id, c.person, c.recipient, c.whose, c.actor, c.given
		FROM consent c
		WHERE c.operation = $1 AND c.whose = 'vital_interest' AND c.second = '' AND c.withdrawn IS NULL
		  AND NOT EXISTS (SELECT 1 FROM person p WHERE p.operation = c.operation AND p.id = c.person AND p.erased IS NOT NULL)
		ORDER BY c.seq, c.id`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Consent
	for rows.Next() {
		var c dtm.Consent
		var given string
		err := rows.Scan(&c.ID, &c.Person, &c.Recipient, &c.Of, &c.Actor, &given)
		if err == nil {
			c.Given, err = textTime(given)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}

// AddCaseNote seals a note under the person's key.
func (db *DB) AddCaseNote(ctx context.Context, n dtm.CaseNote) (dtm.CaseNote, error) {
	const op = "store.AddCaseNote"
	if strings.TrimSpace(n.Words) == "" || !slices.Contains(dtm.FieldGroups, n.Group) {
		return n, dtm.Errorf(dtm.Invalid, "write the note, and say which group it belongs to").Coded("case_note.empty")
	}
	key, err := db.keyOf(ctx, n.Person)
	if err != nil {
		return n, failure(op, err)
	}
	id, err := uuid.NewV7FromReader(db.rand)
	if err != nil {
		return n, failure(op, err)
	}
	n.ID, n.Actor = id.String(), event.Actor(ctx)
	sealed, err := key.Seal(notePlace(db.operation, n.ID), []byte(n.Words))
	if err != nil {
		return n, failure(op, err)
	}
	err = db.update(ctx, op, func(t *tx) error {
		n.At = t.now
		seq, err := t.log(dtm.CaseNoteAdded, n.Person, n.Actor, jsonText(struct {
			Group    string `json:"group"`
			Referral string `json:"referral,omitempty"`
		}{n.Group, n.Referral}))
		if err != nil {
			return err
		}
		return t.exec(`
			INSERT INTO case_note (operation, id, seq, person, referral, field_group, desk, actor, at, sealed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, t.db.operation, n.ID, seq, n.Person, n.Referral, n.Group, n.Desk, n.Actor, timeText(n.At), sealed)
	})
	return n, err
}

func notePlace(operation, id string) string { return "case_note|sealed|" + operation + "|" + id }

// CaseNotes opens the notes of groups and records the read.
func (db *DB) CaseNotes(ctx context.Context, person string, groups []string, purpose string) ([]dtm.CaseNote, error) {
	const op = "store.CaseNotes"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, person, referral, field_group, desk, actor, at, sealed
		FROM case_note
		WHERE operation = $1 AND person IN (SELECT $2 UNION ALL SELECT id FROM person WHERE operation = $1 AND merged_into = $2)
		ORDER BY seq`, db.operation, person)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.CaseNote
	var sealed [][]byte
	for rows.Next() {
		var n dtm.CaseNote
		var at string
		var b []byte
		err := rows.Scan(&n.ID, &n.Person, &n.Referral, &n.Group, &n.Desk, &n.Actor, &at, &b)
		if err == nil {
			n.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		if slices.Contains(groups, n.Group) {
			list, sealed = append(list, n), append(sealed, b)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	for i := range list {
		key, err := db.keyOf(ctx, list[i].Person)
		var plain []byte
		if err == nil {
			plain, err = key.Open(notePlace(db.operation, list[i].ID), sealed[i])
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list[i].Words = string(plain)
	}
	err = db.update(ctx, op, func(t *tx) error { return t.personRead(person, []string{"notes"}, groups, purpose, event.Actor(ctx)) })
	return list, err
}

// DoReturnStep records a step of a return, in order.
func (db *DB) DoReturnStep(ctx context.Context, s dtm.ReturnStep) error {
	at := slices.Index(dtm.ReturnSteps, s.Step)
	if at < 0 || !slices.Contains([]string{"done", "not_needed", "refused"}, s.Outcome) || s.On.IsZero() {
		return dtm.Errorf(dtm.Invalid, "say which step, its day, and whether it was done, refused or not needed").Coded("return_step.invalid")
	}
	return db.update(ctx, "store.DoReturnStep", func(t *tx) error {
		r, err := t.referral(s.Referral)
		if err != nil {
			return err
		}
		if !r.State.TakesPlace() {
			return dtm.Errorf(dtm.Conflict, "steps are recorded while the return is accepted or under way").Coded("return_step.state")
		}
		if at > 0 {
			var before string
			found, err := t.row(`
				SELECT outcome
				FROM return_step
				WHERE operation = $1 AND referral = $2 AND step = $3`, []any{t.db.operation, s.Referral, dtm.ReturnSteps[at-1]}, &before)
			if err != nil {
				return err
			}
			if !found || before == "refused" {
				return dtm.Errorf(dtm.Conflict, "the step before it (%s) is not done", dtm.ReturnSteps[at-1]).Coded("return_step.order")
			}
		}
		seq, err := t.log(dtm.ReturnStepDone, s.Referral, event.Actor(ctx), jsonText(struct {
			Step    string `json:"step"`
			Outcome string `json:"outcome"`
		}{s.Step, s.Outcome}))
		if err != nil {
			return err
		}
		err = t.exec(`
			INSERT INTO return_step (operation, referral, step, seq, outcome, day, actor, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.db.operation, s.Referral, s.Step, seq, s.Outcome, s.On.Format("2006-01-02"), event.Actor(ctx), timeText(t.now))
		if unique(err) {
			return dtm.Errorf(dtm.Conflict, "this step is recorded already").Coded("return_step.twice")
		}
		return err
	})
}

// ReturnStepsOf lists the steps of a return as they were recorded.
func (db *DB) ReturnStepsOf(ctx context.Context, referral string) ([]dtm.ReturnStep, error) {
	const op = "store.ReturnStepsOf"
	rows, err := db.read.QueryContext(ctx, `
		SELECT step, outcome, day, actor, at
		FROM return_step
		WHERE operation = $1 AND referral = $2
		ORDER BY seq`, db.operation, referral)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.ReturnStep
	for rows.Next() {
		s := dtm.ReturnStep{Referral: referral}
		var day, at string
		err := rows.Scan(&s.Step, &s.Outcome, &day, &s.Actor, &at)
		if err == nil {
			s.At, err = textTime(at)
		}
		if err == nil {
			s.On, err = textTime(day + "T00:00:00.000Z")
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}

// opposite is how the other one of a link is called.
var opposite = map[string]string{"parent": "child", "child": "parent", "sibling": "sibling", "spouse": "spouse", "relative": "relative", "caregiver": "child"}

// LinkFamily ties two persons, seen from both.
func (db *DB) LinkFamily(ctx context.Context, l dtm.FamilyLink) error {
	back, ok := opposite[l.Relation]
	if !ok || l.Person == l.Other {
		return dtm.Errorf(dtm.Invalid, "say what the other person is to this one").Coded("family.relation")
	}
	return db.update(ctx, "store.LinkFamily", func(t *tx) error {
		for _, id := range []string{l.Person, l.Other} {
			if _, err := t.person(id); err != nil {
				return err
			}
		}
		seq, err := t.log(dtm.FamilyLinked, l.Person, event.Actor(ctx), jsonText(struct {
			Other string `json:"other"`
		}{l.Other}))
		if err != nil {
			return err
		}
		for _, x := range [][3]string{{l.Person, l.Other, l.Relation}, {l.Other, l.Person, back}} {
			err := t.exec(`
				INSERT INTO family (operation, person, other, seq, relation, actor, at)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (operation, person, other) DO UPDATE SET relation = $5, seq = $4, actor = $6, at = $7`, t.db.operation, x[0], x[1], seq, x[2], event.Actor(ctx), timeText(t.now))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// FamilyOf lists the links of a person.
func (db *DB) FamilyOf(ctx context.Context, person string) ([]dtm.FamilyLink, error) {
	const op = "store.FamilyOf"
	rows, err := db.read.QueryContext(ctx, `
		SELECT other, relation, actor, at
		FROM family
		WHERE operation = $1 AND person = $2
		ORDER BY seq`, db.operation, person)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.FamilyLink
	for rows.Next() {
		l := dtm.FamilyLink{Person: person}
		var at string
		err := rows.Scan(&l.Other, &l.Relation, &l.Actor, &at)
		if err == nil {
			l.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, l)
	}
	return list, failure(op, rows.Err())
}
