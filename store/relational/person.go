package relational

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
	"dtm/refer"
	"dtm/seal"
)

var _ dtm.Persons = (*DB)(nil)

// sealedPerson is a person ready to be written.
type sealedPerson struct {
	dtm.Person
	sealed map[string][]byte
	marks  []storedMark
}

type storedMark struct {
	kind string
	mark []byte
}

// fieldPlace binds a sealed cell to its table, column, row and field: it opens nowhere
// else.
func fieldPlace(operation, person, field string) string {
	return "person_field|sealed|" + operation + "|" + person + "|" + field + "|1"
}

// sealPerson seals the fields under the person's key, which is made durable first.
func (db *DB) sealPerson(ctx context.Context, p dtm.Person) (sealedPerson, error) {
	out := sealedPerson{Person: p, sealed: map[string][]byte{}}
	if out.ID == "" {
		id, err := uuid.NewV7FromReader(db.rand)
		if err != nil {
			return out, err
		}
		out.ID = id.String()
	}
	key, err := db.keys.make(ctx, db.operation, out.ID)
	if err != nil {
		return out, err
	}
	for name, value := range p.Fields {
		if dtm.GroupOfField(name) == "" {
			return out, dtm.Errorf(dtm.Invalid, "the register has no field %q", name).Coded("person.field", name)
		}
		if value = strings.TrimSpace(value); value == "" {
			continue
		}
		if out.sealed[name], err = key.Seal(fieldPlace(db.operation, out.ID, name), []byte(value)); err != nil {
			return out, err
		}
	}
	out.marks, err = db.marks(ctx, p.Fields)
	return out, err
}

func (db *DB) marks(ctx context.Context, fields map[string]string) (list []storedMark, err error) {
	index, err := db.secret(ctx, "register")
	for _, m := range refer.Marks(fields) {
		if err != nil {
			break
		}
		list = append(list, storedMark{m.Kind, index.Mark(m.Kind + "|" + m.Text)})
	}
	return list, err
}

// addPerson writes a person that is not there yet.
func (t *tx) addPerson(p sealedPerson, actor string) error {
	created := p.Created
	if created.IsZero() {
		created = t.now
	}
	n, err := t.change(`
		INSERT INTO person (operation, id, seq, created, sex, age, version)
		VALUES ($1, $2, $3, $4, $5, $6, 1)
		ON CONFLICT (operation, id) DO NOTHING`, t.db.operation, p.ID, t.chain.Seq+1, timeText(created), p.Sex, p.Age)
	if err != nil || n == 0 {
		return err
	}
	if err := t.putFields(p); err != nil {
		return err
	}
	_, err = t.log(dtm.PersonAdded, p.ID, actor, jsonText(fieldsDetail{Fields: fieldNames(p.sealed)}))
	return err
}

type fieldsDetail struct {
	Fields  []string `json:"fields,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
}

func fieldNames[T any](m map[string]T) (names []string) {
	for _, f := range dtm.PersonFields {
		if _, ok := m[f.Name]; ok {
			names = append(names, f.Name)
		}
	}
	return names
}

func (t *tx) putFields(p sealedPerson) error {
	for _, f := range dtm.PersonFields {
		sealed, ok := p.sealed[f.Name]
		if !ok {
			continue
		}
		err := t.exec(`
			INSERT INTO person_field (operation, person, field, sealed)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (operation, person, field) DO UPDATE SET sealed = $4`, t.db.operation, p.ID, f.Name, sealed)
		if err != nil {
			return err
		}
	}
	for _, m := range p.marks {
		err := t.exec(`
			INSERT INTO person_mark (operation, kind, mark, person)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (operation, kind, mark, person) DO NOTHING`, t.db.operation, m.kind, m.mark, p.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// AddPerson stores a person.
func (db *DB) AddPerson(ctx context.Context, p dtm.Person) (dtm.Person, error) {
	const op = "store.AddPerson"
	s, err := db.sealPerson(ctx, p)
	if err != nil {
		return p, failure(op, err)
	}
	if err := db.update(ctx, op, func(t *tx) error { return t.addPerson(s, event.Actor(ctx)) }); err != nil {
		return p, err
	}
	return db.Person(ctx, s.ID)
}

const personQuery = `
	SELECT id, created, sex, age, merged_into, restricted, erased, version
	FROM person
	WHERE operation = $1 AND id = $2`

func scanPerson(scan func(...any) error) (dtm.Person, error) {
	var p dtm.Person
	var created string
	var erased sql.NullString
	err := scan(&p.ID, &created, &p.Sex, &p.Age, &p.MergedInto, &p.Restricted, &erased, &p.Version)
	if err == nil {
		p.Created, err = textTime(created)
	}
	if err == nil {
		p.Erased, err = optionalTime(erased)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return p, dtm.Errorf(dtm.NotFound, "there is no such person").Coded("person.unknown")
	}
	return p, err
}

// Person returns one without fields: NotFound.
func (db *DB) Person(ctx context.Context, id string) (dtm.Person, error) {
	p, err := scanPerson(db.read.QueryRowContext(ctx, personQuery, db.operation, id).Scan)
	return p, failure("store.Person", err)
}

// sealedFields reads the sealed cells of a person.
func (db *DB) sealedFields(ctx context.Context, id string) (map[string][]byte, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT field, sealed
		FROM person_field
		WHERE operation = $1 AND person = $2`, db.operation, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var name string
		var sealed []byte
		if err := rows.Scan(&name, &sealed); err != nil {
			return nil, err
		}
		out[name] = sealed
	}
	return out, rows.Err()
}

// openFields opens the cells of the wanted fields.
func (db *DB) openFields(ctx context.Context, id string, want func(field string) bool) (map[string]string, error) {
	cells, err := db.sealedFields(ctx, id)
	if err != nil {
		return nil, err
	}
	key, err := db.keys.get(ctx, db.operation, id)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, sealed := range cells {
		if !want(name) {
			continue
		}
		plain, err := key.Open(fieldPlace(db.operation, id, name), sealed)
		if err != nil {
			return nil, err
		}
		out[name] = string(plain)
	}
	return out, nil
}

// OpenPerson opens fields and records the read before they are given.
func (db *DB) OpenPerson(ctx context.Context, id string, groups []string, purpose string) (dtm.Person, error) {
	const op = "store.OpenPerson"
	p, err := db.Person(ctx, id)
	if err != nil {
		return p, err
	}
	fields, err := db.openFields(ctx, id, func(f string) bool { return slices.Contains(groups, dtm.GroupOfField(f)) })
	if err != nil {
		return p, failure(op, err)
	}
	if err := db.update(ctx, op, func(t *tx) error { return t.personRead(id, fieldNames(fields), groups, purpose, event.Actor(ctx)) }); err != nil {
		return p, err
	}
	p.Fields = fields
	return p, nil
}

func (t *tx) personRead(id string, fields, groups []string, purpose, actor string) error {
	seq, err := t.log(dtm.PersonRead, id, actor, jsonText(fieldsDetail{Fields: fields, Groups: groups, Purpose: purpose}))
	if err != nil {
		return err
	}
	return t.exec(`
		INSERT INTO person_read (operation, person, seq, at, actor, groups, purpose)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, id, seq, timeText(t.now), actor, strings.Join(groups, " "), purpose)
}

// ChangePerson replaces fields.
func (db *DB) ChangePerson(ctx context.Context, id string, version int, fields map[string]string) (dtm.Person, error) {
	const op = "store.ChangePerson"
	all, err := db.openFields(ctx, id, func(string) bool { return true })
	if err != nil {
		return dtm.Person{}, failure(op, err)
	}
	var gone []string
	for name, value := range fields {
		if strings.TrimSpace(value) == "" {
			delete(all, name)
			gone = append(gone, name)
			continue
		}
		all[name] = value
	}
	s, err := db.sealPerson(ctx, dtm.Person{ID: id, Fields: all})
	if err != nil {
		return dtm.Person{}, failure(op, err)
	}
	var p dtm.Person
	err = db.update(ctx, op, func(t *tx) error {
		n, err := t.change(`
			UPDATE person
			SET version = version + 1
			WHERE operation = $1 AND id = $2 AND version = $3 AND erased IS NULL`, t.db.operation, id, version)
		if err == nil && n == 0 {
			return dtm.Errorf(dtm.Conflict, "somebody changed this person meanwhile; look again").Coded("person.stale")
		}
		if err != nil {
			return err
		}
		for _, name := range gone {
			if err := t.exec(`
				DELETE FROM person_field
				WHERE operation = $1 AND person = $2 AND field = $3`, t.db.operation, id, name); err != nil {
				return err
			}
		}
		if err := t.exec(`
			DELETE FROM person_mark
			WHERE operation = $1 AND person = $2`, t.db.operation, id); err != nil {
			return err
		}
		if err := t.putFields(s); err != nil {
			return err
		}
		_, err = t.log(dtm.PersonChanged, id, event.Actor(ctx), jsonText(fieldsDetail{Fields: fieldNames(fields)}))
		return err
	})
	if err != nil {
		return p, err
	}
	return db.Person(ctx, id)
}

// FindPersons asks the index. Every part of the name that was given must agree.
func (db *DB) FindPersons(ctx context.Context, s dtm.PersonSearch) ([]string, error) {
	const op = "store.FindPersons"
	marks, err := db.marks(ctx, map[string]string{"name": s.Name, "birth_year": s.BirthYear, "phone": s.Phone, "case_code": s.CaseCode})
	if err != nil {
		return nil, failure(op, err)
	}
	if err := db.update(ctx, op, func(t *tx) error {
		var kinds []string
		for _, m := range marks {
			if !slices.Contains(kinds, m.kind) {
				kinds = append(kinds, m.kind)
			}
		}
		_, err := t.log(dtm.PersonSearched, "register", event.Actor(ctx), jsonText(fieldsDetail{Fields: kinds}))
		return err
	}); err != nil {
		return nil, err
	}
	if len(marks) == 0 {
		return nil, nil
	}
	if s.Limit <= 0 {
		s.Limit = 20
	}
	query, args := `
		SELECT p.id
		FROM person_mark m0
		JOIN person p ON p.operation = m0.operation AND p.id = m0.person`, []any{db.operation}
	bind := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	where := ` WHERE m0.operation = $1 AND m0.kind = ` + bind(marks[0].kind) + ` AND m0.mark = ` + bind(marks[0].mark)
	for i, m := range marks[1:] {
		n := "m" + strconv.Itoa(i+1)
		query += ` JOIN person_mark ` + n + ` ON ` + n + `.operation = m0.operation AND ` + n + `.person = m0.person AND ` + n + `.kind = ` + bind(m.kind) + ` AND ` + n + `.mark = ` + bind(m.mark)
	}
	return db.texts(ctx, op, query+where+` AND p.merged_into = '' AND p.erased IS NULL ORDER BY p.created DESC, p.id LIMIT `+bind(s.Limit), args...)
}

// texts runs a query of one column.
func (db *DB) texts(ctx context.Context, op, query string, args ...any) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, failure(op, err)
		}
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}

// frequentMark is how many persons may share a part of a name for it to lead to
// candidates by itself: one that more have tells too little, and the newest of them are
// looked at.
const frequentMark = 2000

// Candidates lists who shares marks with a person: a telephone number or a case code, or
// at least two parts of the name, or one with the year of birth.
func (db *DB) Candidates(ctx context.Context, id string) ([]dtm.Candidate, error) {
	const op = "store.Candidates"
	type ownMark struct {
		kind   string
		mark   []byte
		shared int // by how many, counted up to frequentMark and one
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT m.kind, m.mark, (SELECT count(*) FROM (SELECT 1 FROM person_mark o WHERE o.operation = m.operation AND o.kind = m.kind AND o.mark = m.mark LIMIT $3) found)
		FROM person_mark m
		WHERE m.operation = $1 AND m.person = $2
		ORDER BY 3, m.kind, m.mark`, db.operation, id, frequentMark+1)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var own []ownMark
	for rows.Next() {
		var m ownMark
		if err := rows.Scan(&m.kind, &m.mark, &m.shared); err != nil {
			return nil, failure(op, err)
		}
		own = append(own, m)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	weight := map[string]int{"phone": 2, "case_code": 3, "birth_year": 1, "name": 1}
	type agreed struct {
		fields []string
		weight int
	}
	by := map[string]*agreed{}
	// The rarest mark comes first. Who shares two has one that is not the last: the others
	// need to be asked only of those who were found by then.
	for i, m := range own {
		query, args := `
			SELECT person
			FROM person_mark
			WHERE operation = $1 AND kind = $2 AND mark = $3`, []any{db.operation, m.kind, m.mark}
		if seeds := i == 0 || weight[m.kind] > 1 || i < len(own)-1 && m.shared <= frequentMark; seeds {
			query, args = query+` ORDER BY person DESC LIMIT $4`, append(args, frequentMark)
		} else {
			query, args = query+` AND person IN (SELECT value FROM json_each($4))`, append(args, listText(slices.Collect(maps.Keys(by))))
		}
		persons, err := db.texts(ctx, op, query, args...)
		if err != nil {
			return nil, err
		}
		for _, person := range persons {
			if person == id {
				continue
			}
			a := by[person]
			if a == nil {
				a = &agreed{}
				by[person] = a
			}
			if !slices.Contains(a.fields, m.kind) {
				a.fields = append(a.fields, m.kind)
			}
			a.weight += weight[m.kind]
		}
	}
	var likely []string
	for person, a := range by {
		if a.weight >= 2 {
			likely = append(likely, person)
		}
	}
	persons, err := db.texts(ctx, op, `
		SELECT p.id
		FROM person p
		WHERE p.operation = $1 AND p.id IN (SELECT value FROM json_each($2)) AND p.merged_into = '' AND p.erased IS NULL
		  AND NOT EXISTS (SELECT 1 FROM person_apart a
		                  WHERE a.operation = p.operation AND (a.a = $3 AND a.b = p.id OR a.a = p.id AND a.b = $3))`, db.operation, listText(likely), id)
	if err != nil {
		return nil, err
	}
	var list []dtm.Candidate
	for _, person := range persons {
		slices.Sort(by[person].fields)
		list = append(list, dtm.Candidate{Person: person, Agree: by[person].fields})
	}
	slices.SortFunc(list, func(a, b dtm.Candidate) int {
		return cmp.Or(cmp.Compare(by[b.Person].weight, by[a.Person].weight), cmp.Compare(a.Person, b.Person))
	})
	return list, nil
}

func because(why string) error {
	if strings.TrimSpace(why) == "" {
		return dtm.Errorf(dtm.Invalid, "say why").Coded("person.why")
	}
	return nil
}

// Merge makes one person a part of another: referrals, notes, consents and links go
// over to it. Its own fields stay under its own key, so that both can be erased.
func (db *DB) Merge(ctx context.Context, from, into, why string) error {
	if err := because(why); err != nil {
		return err
	}
	if from == into {
		return dtm.Errorf(dtm.Invalid, "this is one person already").Coded("person.same")
	}
	return db.update(ctx, "store.Merge", func(t *tx) error {
		for _, id := range []string{from, into} {
			p, err := t.person(id)
			if err != nil {
				return err
			}
			if p.MergedInto != "" || p.Erased != nil {
				return dtm.Errorf(dtm.Conflict, "one of them was merged or erased already").Coded("person.merged")
			}
		}
		for _, statement := range []string{
			`UPDATE person SET merged_into = $3, version = version + 1 WHERE operation = $1 AND id = $2`,
			`UPDATE referral SET person = $3 WHERE operation = $1 AND person = $2`,
			`DELETE FROM family WHERE operation = $1 AND (person = $2 AND other = $3 OR person = $3 AND other = $2)`,
			`UPDATE family SET person = $3 WHERE operation = $1 AND person = $2 AND NOT EXISTS (SELECT 1 FROM family f WHERE f.operation = $1 AND f.person = $3 AND f.other = family.other)`,
			`UPDATE family SET other = $3 WHERE operation = $1 AND other = $2 AND NOT EXISTS (SELECT 1 FROM family f WHERE f.operation = $1 AND f.person = family.person AND f.other = $3)`,
			`DELETE FROM person_mark WHERE operation = $1 AND person = $2 AND $3 <> ''`,
		} {
			if err := t.exec(statement, t.db.operation, from, into); err != nil {
				return err
			}
		}
		_, err := t.log(dtm.PersonMerged, into, event.Actor(ctx), jsonText(struct {
			From string `json:"from"`
		}{from}))
		return err
	})
}

func (t *tx) person(id string) (dtm.Person, error) {
	s, err := t.stmt(t.ctx, personQuery)
	if err != nil {
		return dtm.Person{}, err
	}
	return scanPerson(s.QueryRowContext(t.ctx, t.db.operation, id).Scan)
}

// NotSame remembers that two candidates are two persons.
func (db *DB) NotSame(ctx context.Context, a, b, why string) error {
	if err := because(why); err != nil {
		return err
	}
	if b < a {
		a, b = b, a
	}
	return db.update(ctx, "store.NotSame", func(t *tx) error {
		seq, err := t.log(dtm.PersonNotMerged, a, event.Actor(ctx), jsonText(struct {
			Other string `json:"other"`
		}{b}))
		if err != nil {
			return err
		}
		return t.exec(`
			INSERT INTO person_apart (operation, a, b, seq)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (operation, a, b) DO NOTHING`, t.db.operation, a, b, seq)
	})
}

// Pseudonym is the number by which an agency knows a person. It follows from a key of
// the agency's own; one that another person has by chance is passed over.
func (db *DB) Pseudonym(ctx context.Context, person, partner string) (string, error) {
	const op = "store.Pseudonym"
	key, err := db.secret(ctx, "agency:"+partner)
	if err != nil {
		return "", failure(op, err)
	}
	for n := 0; ; n++ {
		number := refer.Number(binary.BigEndian.Uint64(key.Mark(person + "|" + strconv.Itoa(n))))
		var owner string
		err := db.read.QueryRowContext(ctx, `
			SELECT person
			FROM person_number
			WHERE operation = $1 AND partner = $2 AND number = $3`, db.operation, partner, number).Scan(&owner)
		if err == nil && owner == person {
			return number, nil
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return "", failure(op, err)
		}
		err = db.update(ctx, op, func(t *tx) error {
			return t.exec(`
				INSERT INTO person_number (operation, partner, number, person)
				VALUES ($1, $2, $3, $4)
				ON CONFLICT (operation, partner, number) DO NOTHING`, db.operation, partner, number, person)
		})
		if err != nil {
			return "", err
		}
		n-- // read it back: somebody else may have been quicker
	}
}

// ErasePerson destroys the key of a person and of those merged into it. What is left
// says that there was somebody. The keys go first: what fails after them can be asked for
// again, and nothing can be read meanwhile.
func (db *DB) ErasePerson(ctx context.Context, id, why string) error {
	const op = "store.ErasePerson"
	if !slices.Contains(dtm.EraseReasons, why) {
		return dtm.Errorf(dtm.Invalid, "say why").Coded("person.why")
	}
	if _, err := db.Person(ctx, id); err != nil {
		return err
	}
	merged, err := db.MergedInto(ctx, id)
	if err != nil {
		return err
	}
	// Words from before the referral named the person are sealed for the referral.
	before, err := db.texts(ctx, op, `
		SELECT DISTINCT 'referral:' || r.id
		FROM referral r
		JOIN referral_step s ON s.operation = r.operation AND s.referral = r.id AND s.words IS NOT NULL
		WHERE r.operation = $1 AND r.person = $2`, db.operation, id)
	if err != nil {
		return err
	}
	for _, id := range append(append(before, merged...), id) {
		if err := db.keys.destroy(ctx, db.operation, id); err != nil {
			return failure(op, err)
		}
	}
	return db.update(ctx, op, func(t *tx) error {
		p, err := t.person(id)
		if err != nil || p.Erased != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE person SET erased = $3, restricted = 0, version = version + 1 WHERE operation = $1 AND (id = $2 OR merged_into = $2)`,
			`DELETE FROM person_mark WHERE operation = $1 AND person = $2 AND $3 <> ''`,
			`DELETE FROM person_field WHERE operation = $1 AND $3 <> '' AND person IN (SELECT id FROM person WHERE operation = $1 AND (id = $2 OR merged_into = $2))`,
			`DELETE FROM family WHERE operation = $1 AND $3 <> '' AND (person = $2 OR other = $2)`,
		} {
			if err := t.exec(statement, t.db.operation, id, timeText(t.now)); err != nil {
				return err
			}
		}
		if _, err := t.forgetOriginals(`operation = $1 AND person IN (SELECT id FROM person WHERE operation = $1 AND (id = $2 OR merged_into = $2))`, t.db.operation, id); err != nil {
			return err
		}
		_, err = t.log(dtm.PersonErased, id, event.Actor(ctx), jsonText(whyDetail{why}))
		return err
	})
}

type whyDetail struct {
	Why string `json:"why"`
}

// MergedInto lists who was found to be a person.
func (db *DB) MergedInto(ctx context.Context, id string) ([]string, error) {
	return db.texts(ctx, "store.MergedInto", `
		SELECT id
		FROM person
		WHERE operation = $1 AND merged_into = $2
		ORDER BY seq`, db.operation, id)
}

// RestrictPerson has nobody read on, or ends that.
func (db *DB) RestrictPerson(ctx context.Context, id string, on bool, why string) error {
	if !slices.Contains(dtm.RestrictReasons, why) {
		return dtm.Errorf(dtm.Invalid, "say why").Coded("person.why")
	}
	return db.update(ctx, "store.RestrictPerson", func(t *tx) error {
		p, err := t.person(id)
		switch {
		case err != nil:
			return err
		case p.Erased != nil:
			return dtm.Errorf(dtm.Gone, "the key of this person was destroyed: nothing of it can be read any more").Coded("person.erased")
		case p.Restricted == on:
			return nil
		}
		if err := t.exec(`
			UPDATE person
			SET restricted = $3, version = version + 1
			WHERE operation = $1 AND id = $2`, t.db.operation, id, on); err != nil {
			return err
		}
		name := dtm.PersonReleased
		if on {
			name = dtm.PersonRestricted
		}
		_, err = t.log(name, id, event.Actor(ctx), jsonText(whyDetail{why}))
		return err
	})
}

// ReadsOf lists who opened what of a person.
func (db *DB) ReadsOf(ctx context.Context, id string) ([]dtm.Opening, error) {
	const op = "store.ReadsOf"
	rows, err := db.read.QueryContext(ctx, `
		SELECT at, actor, groups, purpose
		FROM person_read
		WHERE operation = $1 AND person IN (SELECT id FROM person WHERE operation = $1 AND (id = $2 OR merged_into = $2))
		ORDER BY seq`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Opening
	for rows.Next() {
		var r dtm.Opening
		var at, groups string
		err := rows.Scan(&at, &r.Actor, &groups, &r.Purpose)
		if err == nil {
			r.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		r.Groups = strings.Fields(groups)
		list = append(list, r)
	}
	return list, failure(op, rows.Err())
}

// keyOf is the key of a person, for what is sealed beside their fields.
func (db *DB) keyOf(ctx context.Context, person string) (seal.Key, error) {
	return db.keys.get(ctx, db.operation, person)
}
