package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"dtm"
	"dtm/event"
)

var (
	_ dtm.Entities       = (*DB)(nil)
	_ dtm.EntityProgress = (*DB)(nil)
)

// xmlName is what a list or property may be called: it becomes an element.
var xmlName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_.-]*$`)

func badEntityName(name string) *dtm.Error {
	return dtm.Errorf(dtm.Invalid,
		"%q cannot be the name of an entity list or of a property: it begins with a letter, holds letters, digits, hyphens and underscores, and is not name, label or one that begins with two underscores",
		name).Coded("entity.name", name)
}

// propertyName tells whether a property may have the name.
func propertyName(s string) bool {
	return xmlName.MatchString(s) && !strings.HasPrefix(s, "__") && !strings.EqualFold(s, "name") && !strings.EqualFold(s, "label")
}

// DeclareEntityList adds the list if it is new and what it lacks of the
// properties and their forms: Invalid when a name cannot be one.
func (db *DB) DeclareEntityList(ctx context.Context, l dtm.EntityList) error {
	if !xmlName.MatchString(l.Name) || strings.HasPrefix(l.Name, "__") || strings.Contains(l.Name, ".") {
		return badEntityName(l.Name)
	}
	for _, p := range l.Properties {
		if !propertyName(p.Name) {
			return badEntityName(p.Name).At(l.Name)
		}
	}
	return db.update(ctx, "store.DeclareEntityList", func(t *tx) error {
		changed, err := t.change(`
			INSERT INTO entity_list (operation, name, seq, created, approval)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (operation, name) DO NOTHING`, t.db.operation, l.Name, t.chain.Seq+1, timeText(t.now), l.Approval)
		if err != nil {
			return err
		}
		added := []string{}
		for _, p := range l.Properties {
			n, err := t.change(`
				INSERT INTO entity_property (operation, list, name, place, added)
				SELECT $1, $2, $3, count(*), $4
				FROM entity_property
				WHERE operation = $1 AND list = $2
				ON CONFLICT (operation, list, name) DO NOTHING`, t.db.operation, l.Name, p.Name, timeText(t.now))
			if err != nil {
				return err
			}
			if n > 0 {
				added = append(added, p.Name)
			}
			changed += n
			for _, f := range p.Forms {
				n, err := t.change(`
					INSERT INTO entity_property_form (operation, list, property, form)
					VALUES ($1, $2, $3, $4)
					ON CONFLICT (operation, list, property, form) DO NOTHING`, t.db.operation, l.Name, p.Name, f)
				if err != nil {
					return err
				}
				changed += n
			}
		}
		if changed == 0 {
			return nil
		}
		seq, err := t.log(dtm.EntityListDeclared, l.Name, event.Actor(ctx), jsonText(map[string]any{"properties": added}))
		if err != nil {
			return err
		}
		// A new column changes what phones get of every entity.
		return t.exec(`
			UPDATE entity_list
			SET seq = $3
			WHERE operation = $1 AND name = $2`, t.db.operation, l.Name, seq)
	})
}

// entityListQuery is completed by a condition. The latest change is the entities'
// or the list's own.
const entityListQuery = `
	SELECT l.name, l.created, l.approval, l.seq,
	  (SELECT count(*) FROM entity e WHERE e.operation = l.operation AND e.list = l.name AND e.deleted IS NULL),
	  (SELECT count(*) FROM entity e WHERE e.operation = l.operation AND e.list = l.name AND e.deleted IS NULL AND e.conflict <> ''),
	  (SELECT coalesce(max(e.seq), 0) FROM entity e WHERE e.operation = l.operation AND e.list = l.name)
	FROM entity_list l
	WHERE l.operation = $1`

// scanEntityList reads a row of it; changed is the number of the latest change of its
// entities, 0 when there was none.
func scanEntityList(scan func(...any) error) (l dtm.EntityList, changed int64, err error) {
	var created string
	if err = scan(&l.Name, &created, &l.Approval, &l.Seq, &l.Count, &l.Conflicts, &changed); err == nil {
		l.Created, err = textTime(created)
	}
	return l, changed, err
}

// wholeEntityList adds what further queries say: after the rows of the first are read,
// since readers that each hold a connection and wait for a second one wait for ever.
func (db *DB) wholeEntityList(ctx context.Context, l dtm.EntityList, changed int64) (dtm.EntityList, error) {
	if changed > 0 {
		var at string
		err := db.read.QueryRowContext(ctx, `
			SELECT at
			FROM event
			WHERE operation = $1 AND seq = $2`, db.operation, changed).Scan(&at)
		if err != nil {
			return l, err
		}
		latest, err := textTime(at)
		if err != nil {
			return l, err
		}
		l.Latest = &latest
	}
	l.Seq = max(l.Seq, changed)
	var err error
	l.Properties, err = db.entityProperties(ctx, l.Name)
	return l, err
}

func (db *DB) entityProperties(ctx context.Context, list string) ([]dtm.EntityProperty, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT p.name, p.added, coalesce(f.form, '')
		FROM entity_property p
		LEFT JOIN entity_property_form f ON f.operation = p.operation AND f.list = p.list AND f.property = p.name
		WHERE p.operation = $1 AND p.list = $2
		ORDER BY p.place, p.name, f.form`, db.operation, list)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dtm.EntityProperty
	for rows.Next() {
		var name, added, form string
		if err := rows.Scan(&name, &added, &form); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].Name != name {
			at, err := textTime(added)
			if err != nil {
				return nil, err
			}
			out = append(out, dtm.EntityProperty{Name: name, Added: at})
		}
		if form != "" {
			p := &out[len(out)-1]
			p.Forms = append(p.Forms, form)
		}
	}
	return out, rows.Err()
}

// EntityLists lists the lists by name.
func (db *DB) EntityLists(ctx context.Context) ([]dtm.EntityList, error) {
	const op = "store.EntityLists"
	rows, err := db.read.QueryContext(ctx, entityListQuery+`
		ORDER BY l.name`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.EntityList
	var changed []int64
	for rows.Next() {
		l, at, err := scanEntityList(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		out, changed = append(out, l), append(changed, at)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, failure(op, err)
	}
	for i := range out {
		if out[i], err = db.wholeEntityList(ctx, out[i], changed[i]); err != nil {
			return nil, failure(op, err)
		}
	}
	return out, nil
}

// EntityList returns one list: NotFound.
func (db *DB) EntityList(ctx context.Context, name string) (dtm.EntityList, error) {
	row := db.read.QueryRowContext(ctx, entityListQuery+` AND l.name = $2`, db.operation, name)
	l, changed, err := scanEntityList(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return l, noEntityList(name)
	}
	if err == nil {
		l, err = db.wholeEntityList(ctx, l, changed)
	}
	return l, failure("store.EntityList", err)
}

func noEntityList(name string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no entity list %q", name).Coded("entity.no_list", name)
}

const entityQuery = `
	SELECT e.list, e.id, e.created, e.creator, e.updated, e.deleted, e.conflict, e.seq, ` + versionColumns + `
	FROM entity e
	JOIN entity_version v ON v.operation = e.operation AND v.list = e.list AND v.id = e.id AND v.version = e.version
	WHERE e.operation = $1 AND e.list = $2`

const versionColumns = `
	v.version, v.at, v.actor, v.agent, v.label, v.data, v.received, v.base, v.trunk, v.branch, v.branch_base,
	v.conflict, v.conflicting, v.submission, v.source`

// scanVersion reads versionColumns after what is given in before.
func scanVersion(scan func(...any) error, before ...any) (dtm.EntityVersion, error) {
	var v dtm.EntityVersion
	var at, data, received, conflicting string
	err := scan(append(before, &v.Number, &at, &v.Actor, &v.Agent, &v.Label, &data, &received, &v.Base, &v.Trunk, &v.Branch,
		&v.BranchBase, &v.Conflict, &conflicting, &v.Submission, &v.Source)...)
	if err == nil {
		v.At, err = textTime(at)
	}
	for _, j := range []struct {
		text string
		into any
	}{{data, &v.Data}, {received, &v.Received}, {conflicting, &v.Conflicting}} {
		if err == nil {
			err = json.Unmarshal([]byte(j.text), j.into)
		}
	}
	return v, err
}

func scanEntity(scan func(...any) error) (dtm.Entity, error) {
	var e dtm.Entity
	var created string
	var updated, deleted sql.NullString
	var err error
	e.Current, err = scanVersion(scan, &e.List, &e.ID, &created, &e.Creator, &updated, &deleted, &e.Conflict, &e.Seq)
	if err == nil {
		e.Created, err = textTime(created)
	}
	if err == nil {
		e.Updated, err = optionalTime(updated)
	}
	if err == nil {
		e.Deleted, err = optionalTime(deleted)
	}
	return e, err
}

// scoped adds the condition of a scope; args already hold operation and list.
func scoped(s dtm.EntityScope, args []any) (string, []any) {
	where := ""
	for _, c := range []struct{ column, value string }{{"point", s.Point}, {"region", s.Region}} {
		if c.value != "" {
			args = append(args, c.value)
			where += " AND e." + c.column + " IN ('', $" + strconv.Itoa(len(args)) + ")"
		}
	}
	return where, args
}

// Entities lists by filter, oldest change first, with the number of all that match.
func (db *DB) Entities(ctx context.Context, f dtm.EntityFilter) ([]dtm.Entity, int, error) {
	const op = "store.Entities"
	args := []any{db.operation, f.List}
	where := ""
	if f.IDs != nil {
		ids, err := json.Marshal(f.IDs)
		if err != nil {
			return nil, 0, failure(op, err)
		}
		args = append(args, string(ids))
		where += " AND e.id IN (SELECT value FROM json_each($" + strconv.Itoa(len(args)) + "))"
	}
	if f.After > 0 {
		args = append(args, f.After)
		where += " AND e.seq > $" + strconv.Itoa(len(args))
	}
	if f.Deleted != nil {
		where += map[bool]string{true: " AND e.deleted IS NOT NULL", false: " AND e.deleted IS NULL"}[*f.Deleted]
	}
	if f.Conflict != nil {
		where += map[bool]string{true: " AND e.conflict <> ''", false: " AND e.conflict = ''"}[*f.Conflict]
	}
	if f.Scope != nil {
		var more string
		more, args = scoped(*f.Scope, args)
		where += more
	}
	// One transaction, so that the total is of the list.
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer t.Rollback()
	var total int
	if f.Limit > 0 || f.Offset > 0 {
		err := t.QueryRowContext(ctx, `
			SELECT count(*)
			FROM entity e
			WHERE e.operation = $1 AND e.list = $2`+where, args...).Scan(&total)
		if err != nil {
			return nil, 0, failure(op, err)
		}
	}
	limit := f.Limit
	if limit <= 0 {
		limit = math.MaxInt64
	}
	n := len(args)
	rows, err := t.QueryContext(ctx, entityQuery+where+`
		ORDER BY e.seq, e.id
		LIMIT $`+strconv.Itoa(n+1)+` OFFSET $`+strconv.Itoa(n+2), append(args, limit, max(0, f.Offset))...)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Entity
	for rows.Next() {
		e, err := scanEntity(rows.Scan)
		if err != nil {
			return nil, 0, failure(op, err)
		}
		out = append(out, e)
	}
	if f.Limit <= 0 && f.Offset <= 0 {
		total = len(out)
	}
	return out, total, failure(op, rows.Err())
}

// EntityState tells the state of what is not deleted in a list and scope. Seq
// grows with every change of what is in the scope, and Count falls with what
// leaves it, so that two equal states hold the same.
func (db *DB) EntityState(ctx context.Context, list string, s dtm.EntityScope) (dtm.EntityState, error) {
	where, args := scoped(s, []any{db.operation, list})
	var st dtm.EntityState
	var own sql.NullInt64
	err := db.read.QueryRowContext(ctx, `
		SELECT count(*), coalesce(max(e.seq), 0), (SELECT seq FROM entity_list WHERE operation = $1 AND name = $2)
		FROM entity e
		WHERE e.operation = $1 AND e.list = $2 AND e.deleted IS NULL`+where, args...).Scan(&st.Count, &st.Seq, &own)
	if err == nil && !own.Valid {
		return st, noEntityList(list)
	}
	st.Seq = max(st.Seq, own.Int64)
	return st, failure("store.EntityState", err)
}

// Entity returns one, deleted or not: NotFound.
func (db *DB) Entity(ctx context.Context, list, id string) (dtm.Entity, error) {
	row := db.read.QueryRowContext(ctx, entityQuery+` AND e.id = $3`, db.operation, list, id)
	e, err := scanEntity(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return e, dtm.Errorf(dtm.NotFound, "the list %q has no entity %q", list, id).Coded("entity.unknown", list, id)
	}
	return e, failure("store.Entity", err)
}

// EntityVersions returns all versions of an entity, oldest first; none is no error.
func (db *DB) EntityVersions(ctx context.Context, list, id string) ([]dtm.EntityVersion, error) {
	const op = "store.EntityVersions"
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+versionColumns+`
		FROM entity_version v
		WHERE v.operation = $1 AND v.list = $2 AND v.id = $3
		ORDER BY v.version`, db.operation, list, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.EntityVersion
	for rows.Next() {
		v, err := scanVersion(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, v)
	}
	return out, failure(op, rows.Err())
}

// ChangeEntities makes all changes or none: Conflict with code "entity.stale" when
// an entity is not at the version that its change expects.
func (db *DB) ChangeEntities(ctx context.Context, w dtm.EntityWork) error {
	for _, c := range w.Changes {
		if c.Version == nil {
			continue
		}
		for p := range c.Version.Data {
			if !propertyName(p) {
				return badEntityName(p).At(c.List)
			}
		}
	}
	return db.update(ctx, "store.ChangeEntities", func(t *tx) error {
		for _, c := range w.Changes {
			if err := t.changeEntity(c, event.Actor(ctx)); err != nil {
				return err
			}
		}
		for _, h := range w.Hold {
			if err := t.holdEntity(h, event.Actor(ctx)); err != nil {
				return err
			}
		}
		for _, h := range w.Release {
			err := t.exec(`
				DELETE FROM entity_held
				WHERE operation = $1 AND list = $2 AND id = $3 AND submission = $4`, t.db.operation, h.List, h.ID, h.Submission)
			if err != nil {
				return err
			}
		}
		for _, r := range w.Refuse {
			_, err := t.log(dtm.EntityRefused, r.Submission, event.Actor(ctx),
				jsonText(map[string]any{"list": r.List, "entity": r.ID, "code": r.Code}))
			if err != nil {
				return err
			}
		}
		if w.Done == 0 {
			return nil
		}
		return t.exec(`
			INSERT INTO entity_done (operation, seq)
			VALUES ($1, $2)
			ON CONFLICT (operation) DO UPDATE SET seq = $2`, t.db.operation, w.Done)
	})
}

// changed is the detail of the entry that records a step of an entity.
type changed struct {
	List       string `json:"list"`
	Version    int    `json:"version"`
	Conflict   string `json:"conflict,omitempty"`
	Submission string `json:"submission,omitempty"`
	Source     string `json:"source,omitempty"`
}

func (t *tx) changeEntity(c dtm.EntityChange, actor string) error {
	var current int
	var wasDeleted sql.NullString
	found, err := t.row(`
		SELECT version, deleted
		FROM entity
		WHERE operation = $1 AND list = $2 AND id = $3`, []any{t.db.operation, c.List, c.ID}, &current, &wasDeleted)
	if err != nil {
		return err
	}
	if current != c.After {
		return dtm.Errorf(dtm.Conflict, "entity %q of %q is at version %d, not %d; read it again", c.ID, c.List, current, c.After).
			Coded("entity.stale", c.List, c.ID, current, c.After)
	}
	name, number, who := dtm.EntityUpdated, current, actor
	detail := changed{List: c.List, Conflict: c.Conflict}
	if v := c.Version; v != nil {
		number = current + 1
		detail.Submission, detail.Source = v.Submission, v.Source
		if v.Actor != "" {
			who = v.Actor
		}
	}
	switch {
	case !found:
		if c.Version == nil {
			return dtm.Errorf(dtm.NotFound, "the list %q has no entity %q", c.List, c.ID).Coded("entity.unknown", c.List, c.ID)
		}
		name = dtm.EntityCreated
	case c.Deleted && !wasDeleted.Valid:
		name = dtm.EntityDeleted
	}
	detail.Version = number
	seq, err := t.log(name, c.ID, who, jsonText(detail))
	if err != nil {
		return err
	}
	var deleted, updated any
	if c.Deleted {
		deleted = timeText(t.now)
	}
	if !found {
		var known bool
		if known, err = t.row(`
			SELECT 1
			FROM entity_list
			WHERE operation = $1 AND name = $2`, []any{t.db.operation, c.List}, new(int)); err == nil && !known {
			err = noEntityList(c.List)
		}
		if err == nil {
			err = t.exec(`
				INSERT INTO entity (operation, list, id, seq, version, created, creator, updated, deleted, conflict, point, region)
				VALUES ($1, $2, $3, $4, 1, $5, $6, NULL, $7, $8, $9, $10)`,
				t.db.operation, c.List, c.ID, seq, timeText(t.now), who, deleted, c.Conflict,
				c.Version.Data["point"], c.Version.Data["region"])
		}
	} else {
		if c.Version != nil {
			updated = timeText(t.now)
		}
		err = t.exec(`
			UPDATE entity
			SET seq = $4, version = $5, updated = coalesce($6, updated), conflict = $7,
			  deleted = CASE WHEN CAST($8 AS TEXT) IS NULL THEN NULL ELSE coalesce(deleted, $8) END
			WHERE operation = $1 AND list = $2 AND id = $3`,
			t.db.operation, c.List, c.ID, seq, number, updated, c.Conflict, deleted)
		if err == nil && c.Version != nil {
			err = t.exec(`
				UPDATE entity
				SET point = $4, region = $5
				WHERE operation = $1 AND list = $2 AND id = $3`,
				t.db.operation, c.List, c.ID, c.Version.Data["point"], c.Version.Data["region"])
		}
	}
	if err != nil || c.Version == nil {
		return err
	}
	return t.addVersion(c, number, who)
}

func (t *tx) addVersion(c dtm.EntityChange, number int, actor string) error {
	v := c.Version
	at := v.At
	if at.IsZero() {
		at = t.now
	}
	return t.exec(`
		INSERT INTO entity_version (operation, list, id, version, at, actor, agent, label, data, received, base, trunk, branch,
		  branch_base, conflict, conflicting, submission, source)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		t.db.operation, c.List, c.ID, number, timeText(at), actor, v.Agent, v.Label, mapText(v.Data), mapText(v.Received),
		v.Base, v.Trunk, v.Branch, v.BranchBase, v.Conflict, listText(v.Conflicting), v.Submission, v.Source)
}

// mapText writes a map; an absent one as an empty one.
func mapText(m map[string]string) string {
	if m == nil {
		return "{}"
	}
	return jsonText(m)
}

func (t *tx) holdEntity(h dtm.HeldEntity, actor string) error {
	n, err := t.change(`
		INSERT INTO entity_held (operation, list, id, submission, branch, base, trunk, since, label, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (operation, list, id, submission) DO NOTHING`,
		t.db.operation, h.List, h.ID, h.Submission, h.Branch, h.Base, h.Trunk, timeText(h.Since), h.Label, mapText(h.Data))
	if err != nil || n == 0 {
		return err
	}
	_, err = t.log(dtm.EntityHeld, h.ID, actor, jsonText(map[string]any{"list": h.List, "submission": h.Submission, "base": h.Base}))
	return err
}

// EntitiesDone returns the position in the log up to which submissions have been
// followed.
func (db *DB) EntitiesDone(ctx context.Context) (int64, error) {
	var seq int64
	err := db.read.QueryRowContext(ctx, `
		SELECT seq
		FROM entity_done
		WHERE operation = $1`, db.operation).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seq, failure("store.EntitiesDone", err)
}

// HeldEntities lists held updates, oldest first; of one entity when id is set.
func (db *DB) HeldEntities(ctx context.Context, list, id string) ([]dtm.HeldEntity, error) {
	const op = "store.HeldEntities"
	rows, err := db.read.QueryContext(ctx, `
		SELECT list, id, submission, branch, base, trunk, since, label, data
		FROM entity_held
		WHERE operation = $1 AND ($3 = '' OR list = $2 AND id = $3)
		ORDER BY since, base, submission`, db.operation, list, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.HeldEntity
	for rows.Next() {
		var h dtm.HeldEntity
		var since, data string
		err := rows.Scan(&h.List, &h.ID, &h.Submission, &h.Branch, &h.Base, &h.Trunk, &since, &h.Label, &data)
		if err == nil {
			h.Since, err = textTime(since)
		}
		if err == nil {
			err = json.Unmarshal([]byte(data), &h.Data)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, h)
	}
	return out, failure(op, rows.Err())
}

// FromSubmission tells whether a version of an entity of the list comes from the
// submission.
func (db *DB) FromSubmission(ctx context.Context, list, submission string) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, `
		SELECT count(*)
		FROM entity_version
		WHERE operation = $1 AND submission = $3 AND submission <> '' AND list = $2`, db.operation, list, submission).Scan(&n)
	return n > 0, failure("store.FromSubmission", err)
}
