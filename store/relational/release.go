package relational

import (
	"context"
	"encoding/json"

	"dtm"
	"dtm/event"
)

var _ dtm.Releases = (*DB)(nil)

// released is the detail of the entries about a release: with them the chain holds
// its hash.
type released struct {
	SHA256 string `json:"sha256"`
	Reason string `json:"reason,omitempty"`
}

// AddRelease keeps a proposal: Conflict.
func (db *DB) AddRelease(ctx context.Context, r dtm.FrozenRelease) (dtm.FrozenRelease, error) {
	r.Number = dtm.ReleaseNumber(r.Month, r.N)
	r.Creator, r.State = event.Actor(ctx), dtm.StateProposed
	err := db.update(ctx, "store.AddRelease", func(t *tx) error {
		var other int
		found, err := t.row(`
			SELECT r.n
			FROM release r
			WHERE r.operation = $1 AND r.month = $2 AND (r.n = $3 OR NOT EXISTS (
				SELECT 1
				FROM release_state s
				WHERE s.operation = r.operation AND s.month = r.month AND s.n = r.n AND s.state <> 'proposed'))
			ORDER BY r.n DESC
			LIMIT 1`, []any{t.db.operation, r.Month.String(), r.N}, &other)
		if err != nil {
			return err
		}
		if found {
			number := dtm.ReleaseNumber(r.Month, other)
			return dtm.Errorf(dtm.Conflict, "release %s is there already; approve it or withdraw it first", number).Coded("release.pending", number)
		}
		r.Created, r.Logged = t.now, t.chain.Seq+1
		if err := t.exec(`
			INSERT INTO release (operation, month, n, seq, loaded, loaded_hash, loaded_at, created, creator, note, program, manifest, manifest_hash, parts)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			t.db.operation, r.Month.String(), r.N, r.Logged, r.Seq, r.Hash, timeText(r.At), timeText(r.Created), r.Creator, r.Note, r.Program,
			blob(r.Manifest), r.ManifestHash, jsonText(r.Parts)); err != nil {
			return err
		}
		return t.releaseState(r, dtm.ReleaseProposed, r.Creator, "")
	})
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	return r, nil
}

// releaseState records the state that r has got.
func (t *tx) releaseState(r dtm.FrozenRelease, name, actor, reason string) error {
	if err := t.exec(`
		INSERT INTO release_state (operation, month, n, seq, state, at, actor, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.db.operation, r.Month.String(), r.N, t.chain.Seq+1, r.State, timeText(t.now), actor, reason); err != nil {
		return err
	}
	_, err := t.log(name, r.Number, actor, jsonText(released{r.ManifestHash, reason}))
	return err
}

// PublishRelease makes a proposal public.
func (db *DB) PublishRelease(ctx context.Context, m dtm.Month, n int) (dtm.FrozenRelease, error) {
	actor := event.Actor(ctx)
	return db.decideRelease(ctx, "store.PublishRelease", m, n, func(t *tx, r dtm.FrozenRelease) error {
		if err := r.Approvable(actor); err != nil {
			return err
		}
		r.State = dtm.StatePublished
		return t.releaseState(r, dtm.ReleasePublished, actor, "")
	})
}

// WithdrawRelease takes a release back.
func (db *DB) WithdrawRelease(ctx context.Context, m dtm.Month, n int, reason string) (dtm.FrozenRelease, error) {
	return db.decideRelease(ctx, "store.WithdrawRelease", m, n, func(t *tx, r dtm.FrozenRelease) error {
		if err := r.Withdrawable(reason); err != nil {
			return err
		}
		r.State = dtm.StateWithdrawn
		return t.releaseState(r, dtm.ReleaseWithdrawn, event.Actor(ctx), reason)
	})
}

// decideRelease gives decide what it needs of the release as it stands when it is
// the writer's turn, and returns it as it is after.
func (db *DB) decideRelease(ctx context.Context, op string, m dtm.Month, n int, decide func(*tx, dtm.FrozenRelease) error) (dtm.FrozenRelease, error) {
	err := db.update(ctx, op, func(t *tx) error {
		r := dtm.FrozenRelease{Month: m, N: n, Release: dtm.Release{Number: dtm.ReleaseNumber(m, n)}}
		found, err := t.row(`
			SELECT r.creator, r.manifest_hash, s.state
			FROM release r
			JOIN release_state s ON s.operation = r.operation AND s.month = r.month AND s.n = r.n
			WHERE r.operation = $1 AND r.month = $2 AND r.n = $3
			ORDER BY s.seq DESC
			LIMIT 1`, []any{t.db.operation, m.String(), n}, &r.Creator, &r.ManifestHash, &r.State)
		if err != nil {
			return err
		}
		if !found {
			return noRelease(r.Number)
		}
		return decide(t, r)
	})
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	return db.FrozenRelease(ctx, m, n)
}

func noRelease(number string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no release %s", number).Coded("release.unknown", number)
}

// FrozenRelease returns one: NotFound.
func (db *DB) FrozenRelease(ctx context.Context, m dtm.Month, n int) (dtm.FrozenRelease, error) {
	list, err := db.releases(ctx, "store.FrozenRelease", `r.manifest, r.parts`, `AND r.month = $2 AND r.n = $3`, m.String(), n)
	if err == nil && len(list) == 0 {
		err = noRelease(dtm.ReleaseNumber(m, n))
	}
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	return list[0], nil
}

// FrozenReleases lists all: latest month first, in a month latest number first.
func (db *DB) FrozenReleases(ctx context.Context) ([]dtm.FrozenRelease, error) {
	return db.releases(ctx, "store.FrozenReleases", `x'', '{}'`, ``)
}

func (db *DB) releases(ctx context.Context, op, content, where string, args ...any) ([]dtm.FrozenRelease, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.month, r.n, r.seq, r.loaded, r.loaded_hash, r.loaded_at, r.created, r.creator, r.note, r.program, r.manifest_hash, `+content+`,
			s.state, s.at, s.actor, s.reason
		FROM release r
		JOIN release_state s ON s.operation = r.operation AND s.month = r.month AND s.n = r.n
		WHERE r.operation = $1 `+where+`
		ORDER BY r.month DESC, r.n DESC, s.seq`, append([]any{db.operation}, args...)...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.FrozenRelease
	for rows.Next() {
		var r dtm.FrozenRelease
		var month, loaded, created, parts, at, actor, reason string
		err := rows.Scan(&month, &r.N, &r.Logged, &r.Seq, &r.Hash, &loaded, &created, &r.Creator, &r.Note, &r.Program, &r.ManifestHash, &r.Manifest, &parts,
			&r.State, &at, &actor, &reason)
		if err == nil {
			r.Month, err = dtm.ParseMonth(month)
		}
		if err == nil {
			r.At, err = textTime(loaded)
		}
		if err == nil {
			r.Created, err = textTime(created)
		}
		if err == nil {
			err = json.Unmarshal([]byte(parts), &r.Parts)
		}
		when, e := textTime(at)
		if err == nil {
			err = e
		}
		if err != nil {
			return nil, failure(op, err)
		}
		r.Number = dtm.ReleaseNumber(r.Month, r.N)
		if last := len(list) - 1; last < 0 || list[last].Number != r.Number {
			list = append(list, r)
		}
		known := &list[len(list)-1]
		switch known.State = r.State; r.State {
		case dtm.StatePublished:
			known.Published, known.Approver = &when, actor
		case dtm.StateWithdrawn:
			known.Withdrawn, known.Withdrew, known.Reason = &when, actor, reason
		}
	}
	return list, failure(op, rows.Err())
}
