package relational

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
	"dtm/refer"
	"dtm/seal"
)

var (
	_ dtm.Referrals    = (*DB)(nil)
	_ dtm.ReferralWork = (*DB)(nil)
	_ dtm.Slips        = (*DB)(nil)
)

const referralColumns = `
	r.id, r.number, r.person, r.submission, r.device, r.point, r.programme, r.desk, r.state, r.version, r.reason, r.priority, r.guarded, r.escalation,
	r.captured, r.received, r.sent, r.acknowledged, r.answered, r.started, r.ended, r.changed, r.replaces, r.replaced_by, r.preview`

// figuredColumns are those that figures are made of. They are read as one text: a driver
// asks for each column of each row by itself, and that took half of the time.
var figuredColumns = []string{"device", "point", "programme", "desk", "state", "reason", "priority", "captured", "received", "sent", "acknowledged", "answered", "started", "ended"}

// figuredMark parts figuredColumns; no code and no time has it.
const figuredMark = "\x1f"

// figuredText is the expression of that text; mark is the bound parameter of figuredMark.
func figuredText(mark string) string {
	var list []string
	for _, c := range figuredColumns {
		list = append(list, "coalesce(r."+c+", '')")
	}
	return strings.Join(list, " || "+mark+" || ")
}

func scanFigured(scan func(...any) error) (dtm.Referral, error) {
	var r dtm.Referral
	var text string
	if err := scan(&text); err != nil {
		return r, err
	}
	v := strings.Split(text, figuredMark)
	if len(v) != len(figuredColumns) {
		return r, fmt.Errorf("a referral has %d parts, not %d", len(v), len(figuredColumns))
	}
	r.Device, r.Point, r.Programme, r.Desk, r.State, r.Reason, r.Priority = v[0], v[1], v[2], v[3], dtm.ReferralState(v[4]), v[5], dtm.Priority(v[6])
	var err error
	for i, into := range []*time.Time{&r.Captured, &r.Received} {
		if err == nil && v[7+i] != "" {
			*into, err = textTime(v[7+i])
		}
	}
	for i, into := range []**time.Time{&r.Sent, &r.Acknowledged, &r.Answered, &r.Started, &r.Ended} {
		if err == nil {
			*into, err = optionalTime(sql.NullString{String: v[9+i], Valid: v[9+i] != ""})
		}
	}
	return r, err
}

// preview is how the column holds it.
type preview struct {
	Sex     string   `json:"sex,omitempty"`
	Age     string   `json:"age,omitempty"`
	Needs   []string `json:"needs,omitempty"`
	Lang    string   `json:"lang,omitempty"`
	Alone   bool     `json:"alone,omitempty"`
	Contact string   `json:"contact,omitempty"`
	SeenAt  string   `json:"seen_at,omitempty"`
}

func scanReferral(scan func(...any) error) (dtm.Referral, error) {
	var r dtm.Referral
	var captured, received, changed, view string
	var sent, acknowledged, answered, started, ended sql.NullString
	err := scan(&r.ID, &r.Number, &r.Person, &r.Submission, &r.Device, &r.Point, &r.Programme, &r.Desk, &r.State, &r.Version, &r.Reason, &r.Priority, &r.Guarded, &r.Escalation,
		&captured, &received, &sent, &acknowledged, &answered, &started, &ended, &changed, &r.Replaces, &r.ReplacedBy, &view)
	for _, x := range []struct {
		from string
		into *time.Time
	}{{captured, &r.Captured}, {received, &r.Received}, {changed, &r.Changed}} {
		if err == nil && x.from != "" {
			*x.into, err = textTime(x.from)
		}
	}
	for _, x := range []struct {
		from sql.NullString
		into **time.Time
	}{{sent, &r.Sent}, {acknowledged, &r.Acknowledged}, {answered, &r.Answered}, {started, &r.Started}, {ended, &r.Ended}} {
		if err == nil {
			*x.into, err = optionalTime(x.from)
		}
	}
	var p preview
	if err == nil {
		err = json.Unmarshal([]byte(view), &p)
	}
	r.Preview = dtm.Preview{Sex: p.Sex, Age: p.Age, Needs: p.Needs, Lang: p.Lang, Alone: p.Alone, Contact: p.Contact}
	if err == nil && p.SeenAt != "" {
		r.SeenAt, err = textTime(p.SeenAt)
	}
	return r, err
}

// put writes a referral as it is now, new or known. now is when its clocks are looked at.
func (t *tx) put(r dtm.Referral, add bool) error {
	c := refer.Clocks(r, t.now)
	due := c.AckDue
	if !c.ServiceDue.IsZero() {
		due = c.ServiceDue
	}
	wake := ""
	if at := refer.Wakes(r, t.now); !at.IsZero() {
		wake = timeText(at)
	}
	optional := func(at *time.Time) any {
		if at == nil {
			return nil
		}
		return timeText(*at)
	}
	text := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return timeText(at)
	}
	if !add {
		return t.exec(`
			UPDATE referral
			SET desk = $3, state = $4, version = $5, reason = $6, escalation = $7, sent = $8, acknowledged = $9, answered = $10, started = $11, ended = $12,
			    changed = $13, replaced_by = $14, person = $15, terminal = $16, due = $17, wake = $18
			WHERE operation = $1 AND id = $2`,
			t.db.operation, r.ID, r.Desk, r.State, r.Version, r.Reason, r.Escalation, optional(r.Sent), optional(r.Acknowledged), optional(r.Answered), optional(r.Started), optional(r.Ended),
			timeText(r.Changed), r.ReplacedBy, r.Person, r.State.Terminal(), timeText(due), wake)
	}
	return t.exec(`
		INSERT INTO referral (operation, id, number, seq, person, submission, device, point, programme, desk, state, version, reason, priority, guarded, escalation,
		                      captured, received, sent, acknowledged, answered, started, ended, changed, replaces, replaced_by, preview, terminal, due, wake)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)`,
		t.db.operation, r.ID, r.Number, t.chain.Seq+1, r.Person, r.Submission, r.Device, r.Point, r.Programme, r.Desk, r.State, r.Version, r.Reason, r.Priority, r.Guarded, r.Escalation,
		text(r.Captured), text(r.Received), optional(r.Sent), optional(r.Acknowledged), optional(r.Answered), optional(r.Started), optional(r.Ended), timeText(r.Changed), r.Replaces, r.ReplacedBy,
		jsonText(preview{r.Sex, r.Age, r.Needs, r.Lang, r.Alone, r.Contact, text(r.SeenAt)}), r.State.Terminal(), timeText(due), wake)
}

// referralDetail is the detail of the events of a referral.
type referralDetail struct {
	Action    dtm.ReferralAction `json:"action,omitempty"`
	From      dtm.ReferralState  `json:"from,omitempty"`
	To        dtm.ReferralState  `json:"to"`
	Programme string             `json:"programme"`
	Desk      string             `json:"desk,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Second    string             `json:"second,omitempty"`
	Level     int                `json:"level,omitempty"`
}

func (t *tx) referral(id string) (dtm.Referral, error) {
	s, err := t.stmt(t.ctx, referralQuery)
	if err != nil {
		return dtm.Referral{}, err
	}
	r, err := scanReferral(s.QueryRowContext(t.ctx, t.db.operation, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, noReferral()
	}
	return r, err
}

const referralQuery = `
	SELECT ` + referralColumns + `
	FROM referral r
	WHERE r.operation = $1 AND r.id = $2`

func noReferral() *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no such referral").Coded("referral.unknown")
}

// number draws one that no referral has.
func (t *tx) number() (string, error) {
	for {
		var b [8]byte
		if _, err := io.ReadFull(t.db.rand, b[:]); err != nil {
			return "", err
		}
		n := refer.Number(binary.BigEndian.Uint64(b[:]))
		taken, err := t.row(`
			SELECT 1
			FROM referral
			WHERE operation = $1 AND number = $2`, []any{t.db.operation, n}, new(int))
		if err != nil || !taken {
			return n, err
		}
	}
}

// open stores a new referral; false when it is there.
func (t *tx) open(r dtm.Referral, actor string) (bool, error) {
	known, err := t.row(`
		SELECT 1
		FROM referral
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, r.ID}, new(int))
	if err != nil || known {
		return false, err
	}
	if r.Number != "" { // of a slip that was handed out: it may have been handed out twice
		taken, err := t.row(`
			SELECT 1
			FROM referral
			WHERE operation = $1 AND number = $2`, []any{t.db.operation, r.Number}, new(int))
		if err != nil {
			return false, err
		}
		if taken {
			r.Number = ""
		}
	}
	if r.Number == "" {
		if r.Number, err = t.number(); err != nil {
			return false, err
		}
	}
	if r.Changed.IsZero() {
		r.Changed = t.now
	}
	if r.Received.IsZero() {
		r.Received = t.now
	}
	if err := t.put(r, true); err != nil {
		return false, err
	}
	return true, t.step(r, dtm.ReferralSubmit, "", r.Reason, dtm.ReferralOpened, actor, nil, "")
}

// step records what happened in the history and in the log.
func (t *tx) step(r dtm.Referral, a dtm.ReferralAction, before dtm.ReferralState, reason, name, actor string, words []byte, second string) error {
	seq, err := t.log(name, r.ID, actor, jsonText(referralDetail{Action: a, From: before, To: r.State, Programme: r.Programme, Desk: r.Desk, Reason: reason, Second: second}))
	if err != nil {
		return err
	}
	return t.exec(`
		INSERT INTO referral_step (operation, referral, seq, action, before, after, desk, reason, actor, at, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, t.db.operation, r.ID, seq, a, before, r.State, r.Desk, reason, actor, timeText(t.now), words)
}

// OpenReferrals stores new ones.
func (db *DB) OpenReferrals(ctx context.Context, list []dtm.Referral) (opened int, err error) {
	err = db.update(ctx, "store.OpenReferrals", func(t *tx) error {
		opened = 0
		for _, r := range list {
			if r.ID == "" {
				id, err := uuid.NewV7FromReader(db.rand)
				if err != nil {
					return err
				}
				r.ID = id.String()
			}
			if r.Version == 0 {
				r.Version = 1
			}
			did, err := t.open(r, event.Actor(ctx))
			if err != nil {
				return err
			}
			if did {
				opened++
			}
		}
		return nil
	})
	return opened, err
}

// Referral returns one: NotFound.
func (db *DB) Referral(ctx context.Context, id string) (dtm.Referral, error) {
	r, err := scanReferral(db.read.QueryRowContext(ctx, referralQuery, db.operation, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, noReferral()
	}
	return r, failure("store.Referral", err)
}

// ReferralByNumber finds one by its number.
func (db *DB) ReferralByNumber(ctx context.Context, number string) (dtm.Referral, error) {
	n, ok := refer.ReadNumber(number)
	if !ok {
		return dtm.Referral{}, dtm.Errorf(dtm.NotFound, "this is no number of a referral; it has nine signs").Coded("referral.number")
	}
	list, _, err := db.Referrals(ctx, dtm.ReferralFilter{Number: n, Limit: 1})
	if err == nil && len(list) == 0 {
		return dtm.Referral{}, noReferral()
	}
	if err != nil {
		return dtm.Referral{}, err
	}
	return list[0], nil
}

// Referrals lists by filter: what is open first, the most pressing of it first; of what
// is over alone the latest first.
func (db *DB) Referrals(ctx context.Context, f dtm.ReferralFilter) ([]dtm.Referral, int, error) {
	const op = "store.Referrals"
	if f.Limit <= 0 {
		f.Limit = 100
	}
	where, args := `r.operation = $1`, []any{db.operation}
	bind := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	among := func(column string, n int, value func(int) any) {
		var list []string
		for i := range n {
			list = append(list, bind(value(i)))
		}
		if n == 0 {
			where += ` AND FALSE`
			return
		}
		where += ` AND r.` + column + ` IN (` + strings.Join(list, ", ") + `)`
	}
	if f.Within != nil {
		in, more := inScope(*f.Within, len(args)+1)
		where, args = where+` AND `+in, append(args, more...)
	}
	if f.Desks != nil {
		among("desk", len(f.Desks), func(i int) any { return f.Desks[i] })
	}
	// What is open comes by its clock, what is over by its last change; lists of one kind
	// alone are read from an index that has just those.
	order := `r.terminal, r.due, r.id`
	if f.States != nil {
		among("state", len(f.States), func(i int) any { return string(f.States[i]) })
		over := func(s dtm.ReferralState) bool { return s.Terminal() }
		switch {
		case !slices.ContainsFunc(f.States, over):
			f.Open = true
		case !slices.ContainsFunc(f.States, func(s dtm.ReferralState) bool { return !s.Terminal() }):
			where += ` AND r.terminal = 1`
			order = `r.changed DESC, r.id DESC`
		}
	}
	for _, x := range []struct {
		column string
		value  *string
	}{{"programme", f.Programme}, {"point", f.Point}, {"person", f.Person}, {"device", f.Device}, {"submission", f.Submission}} {
		if x.value != nil {
			where += ` AND r.` + x.column + ` = ` + bind(*x.value)
			if x.column == "person" {
				where += ` AND r.person <> ''`
			}
		}
	}
	if f.Number != "" {
		where += ` AND r.number = ` + bind(f.Number)
	}
	if f.Open {
		where += ` AND r.terminal = 0`
		order = `r.due, r.id`
	}
	if !f.Since.IsZero() && !f.Open {
		where += ` AND (r.terminal = 0 OR r.changed >= ` + bind(timeText(f.Since)) + `)`
	}
	if !f.ReceivedSince.IsZero() {
		where += ` AND r.received >= ` + bind(timeText(f.ReceivedSince))
	}
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer t.Rollback()
	columns, ordered, read := referralColumns, ` ORDER BY `+order, scanReferral
	var total int
	if f.Figured {
		columns, ordered, read = figuredText(bind(figuredMark)), "", scanFigured
	} else if err := t.QueryRowContext(ctx, `SELECT count(*) FROM referral r WHERE `+where, args...).Scan(&total); err != nil {
		return nil, 0, failure(op, err)
	}
	rows, err := t.QueryContext(ctx, `
		SELECT `+columns+`
		FROM referral r
		WHERE `+where+ordered+`
		LIMIT `+bind(f.Limit)+` OFFSET `+bind(max(0, f.Offset)), args...)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Referral
	for rows.Next() {
		r, err := read(rows.Scan)
		if err != nil {
			return nil, 0, failure(op, err)
		}
		list = append(list, r)
	}
	if f.Figured {
		total = len(list)
	}
	return list, total, failure(op, rows.Err())
}

// Waiting counts who waits where.
func (db *DB) Waiting(ctx context.Context, within *dtm.ReferralScope, now time.Time) ([]dtm.Waiting, error) {
	const op = "relational.Waiting"
	args := []any{db.operation, timeText(now)}
	where := ""
	if within != nil {
		in, more := inScope(*within, len(args)+1)
		where, args = ` AND `+in, append(args, more...)
	}
	var states []string
	for _, s := range dtm.WaitingStates {
		args = append(args, string(s))
		states = append(states, "$"+strconv.Itoa(len(args)))
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.point, r.desk, r.programme, r.state, count(*), sum(CASE WHEN r.due < $2 THEN 1 ELSE 0 END)
		FROM referral r
		WHERE r.operation = $1 AND r.terminal = 0 AND r.state IN (`+strings.Join(states, ", ")+`)`+where+`
		GROUP BY r.point, r.desk, r.programme, r.state
		ORDER BY count(*) DESC, r.point, r.desk, r.programme, r.state`, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Waiting
	for rows.Next() {
		var w dtm.Waiting
		if err := rows.Scan(&w.Point, &w.Desk, &w.Programme, &w.State, &w.N, &w.Late); err != nil {
			return nil, failure(op, err)
		}
		list = append(list, w)
	}
	return list, failure(op, rows.Err())
}

// Act does what the rules allow, within one transaction: state, place at the desk,
// history and event change together or not at all.
func (db *DB) Act(ctx context.Context, id string, as dtm.Doer, do dtm.Do) (dtm.Referral, *dtm.Referral, error) {
	const op = "store.Act"
	actor := event.Actor(ctx)
	var words []byte
	if do.Words != "" {
		r, err := db.Referral(ctx, id)
		if err != nil {
			return r, nil, err
		}
		owner := r.Person
		if owner == "" {
			owner = "referral:" + id
		}
		key, err := db.keys.make(ctx, db.operation, owner)
		if err == nil {
			words, err = key.Seal(wordsPlace(db.operation, id), []byte(do.Words))
		}
		if err != nil {
			return r, nil, failure(op, err)
		}
	}
	if do.Second != "" && do.Second == actor {
		return dtm.Referral{}, nil, dtm.Errorf(dtm.Invalid, "the second person is somebody else").Coded("referral.second")
	}
	var out dtm.Referral
	var replacing *dtm.Referral
	err := db.update(ctx, op, func(t *tx) error {
		replacing = nil
		r, err := t.referral(id)
		if err != nil {
			return err
		}
		var to dtm.Desk
		code := r.Desk
		if do.Action == dtm.ReferralSend || do.Action == dtm.ReferralRedirect {
			code = do.Desk
		}
		if code != "" {
			if to, err = t.desk(code); err != nil {
				return err
			}
		}
		next, err := refer.Next(t.db.programmes, r, as, do, to, t.now)
		if err != nil {
			return err
		}
		switch had, has := r.State.TakesPlace(), next.State.TakesPlace(); {
		case has && !had:
			err = t.takePlace(next.Desk)
		case had && !has:
			err = t.givePlace(r.Desk)
		}
		if err != nil {
			return err
		}
		if do.Action == dtm.ReferralRedirect {
			new, err := uuid.NewV7FromReader(t.db.rand)
			if err != nil {
				return err
			}
			number, err := t.number()
			if err != nil {
				return err
			}
			n := refer.Replacing(r, new.String(), number, do, t.now)
			if err := t.put(n, true); err != nil {
				return err
			}
			if err := t.step(n, dtm.ReferralSend, "", "", dtm.ReferralOpened, actor, nil, ""); err != nil {
				return err
			}
			next.ReplacedBy, replacing = n.ID, &n
		}
		if err := t.put(next, false); err != nil {
			return err
		}
		out = next
		return t.step(next, do.Action, r.State, do.Reason, dtm.ReferralChanged, actor, words, do.Second)
	})
	return out, replacing, err
}

func wordsPlace(operation, referral string) string {
	return "referral_step|words|" + operation + "|" + referral
}

// ReferralWords opens what was written at the steps of a referral. They were sealed for
// whom the referral named then: nobody, or somebody who was found to be another since.
func (db *DB) ReferralWords(ctx context.Context, id, purpose string) (map[int64]string, error) {
	const op = "store.ReferralWords"
	r, err := db.Referral(ctx, id)
	if err != nil {
		return nil, err
	}
	sealed, err := db.sealedWords(ctx, id)
	if err != nil || len(sealed) == 0 {
		return nil, failure(op, err)
	}
	owners := []string{"referral:" + id}
	if r.Person != "" {
		merged, err := db.MergedInto(ctx, r.Person)
		if err != nil {
			return nil, err
		}
		owners = append(append(owners, r.Person), merged...)
	}
	var keys []seal.Key
	for _, o := range owners {
		key, err := db.keys.get(ctx, db.operation, o)
		if dtm.KindOf(err) == dtm.Gone {
			continue
		}
		if err != nil {
			return nil, failure(op, err)
		}
		keys = append(keys, key)
	}
	words := map[int64]string{}
	for seq, b := range sealed {
		var wrong error
		for _, key := range keys {
			var plain []byte
			if plain, wrong = key.Open(wordsPlace(db.operation, id), b); wrong == nil {
				words[seq] = string(plain)
				break
			}
		}
		if wrong != nil && len(keys) == len(owners) { // every key is there, and none opens it
			return nil, failure(op, wrong)
		}
	}
	if len(words) == 0 || r.Person == "" {
		return words, nil
	}
	err = db.update(ctx, op, func(t *tx) error {
		return t.personRead(r.Person, []string{"words"}, []string{dtm.GroupOf(r.Programme)}, purpose, event.Actor(ctx))
	})
	return words, err
}

// sealedWords are the words of a referral's steps as they are kept.
func (db *DB) sealedWords(ctx context.Context, id string) (map[int64][]byte, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, words
		FROM referral_step
		WHERE operation = $1 AND referral = $2 AND words IS NOT NULL`, db.operation, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]byte{}
	for rows.Next() {
		var seq int64
		var b []byte
		if err := rows.Scan(&seq, &b); err != nil {
			return nil, err
		}
		out[seq] = b
	}
	return out, rows.Err()
}

// ReferralHistory lists what happened to a referral, oldest first.
func (db *DB) ReferralHistory(ctx context.Context, id string) ([]dtm.ReferralEntry, error) {
	const op = "store.ReferralHistory"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, action, before, after, desk, reason, actor, at
		FROM referral_step
		WHERE operation = $1 AND referral = $2
		ORDER BY seq`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.ReferralEntry
	for rows.Next() {
		e := dtm.ReferralEntry{Referral: id}
		var at string
		if err := rows.Scan(&e.Seq, &e.Action, &e.From, &e.To, &e.Desk, &e.Reason, &e.Actor, &at); err != nil {
			return nil, failure(op, err)
		}
		if e.At, err = textTime(at); err != nil {
			return nil, failure(op, err)
		}
		list = append(list, e)
	}
	return list, failure(op, rows.Err())
}

// ReferralsDone is how far screenings have been followed.
func (db *DB) ReferralsDone(ctx context.Context) (int64, error) {
	var seq int64
	err := db.read.QueryRowContext(ctx, `
		SELECT seq
		FROM referral_done
		WHERE operation = $1`, db.operation).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seq, failure("store.ReferralsDone", err)
}

// KeepScreenings stores what screenings lead to.
func (db *DB) KeepScreenings(ctx context.Context, list []dtm.ScreeningWork, done int64) error {
	const op = "store.KeepScreenings"
	sealedPersons := make([]sealedPerson, len(list))
	for i, w := range list {
		if w.Person == nil {
			continue
		}
		var err error
		if sealedPersons[i], err = db.sealPerson(ctx, *w.Person); err != nil {
			return failure(op, err)
		}
	}
	var forget []string
	err := db.update(ctx, op, func(t *tx) error {
		forget = nil
		actor := event.Actor(ctx)
		for i, w := range list {
			if w.Person != nil {
				if err := t.addPerson(sealedPersons[i], actor); err != nil {
					return err
				}
			} else {
				var person string
				if _, err := t.row(`
					SELECT s.person
					FROM submission_sealed s
					WHERE s.operation = $1 AND s.submission = $2
					  AND NOT EXISTS (SELECT 1 FROM person p WHERE p.operation = s.operation AND p.id = s.person)`, []any{t.db.operation, w.Submission}, &person); err != nil {
					return err
				}
				if person != "" {
					forget = append(forget, person)
				}
			}
			for _, c := range w.Consents {
				if err := t.giveConsent(c, nil, actor); err != nil {
					return err
				}
			}
			for _, r := range w.Referrals {
				if _, err := t.open(r, actor); err != nil {
					return err
				}
			}
		}
		return t.exec(`
			INSERT INTO referral_done (operation, seq)
			VALUES ($1, $2)
			ON CONFLICT (operation) DO UPDATE SET seq = CASE WHEN excluded.seq > referral_done.seq THEN excluded.seq ELSE referral_done.seq END`, t.db.operation, done)
	})
	if err != nil {
		return err
	}
	// Without consent nobody is kept: what the phone sent all the same cannot be read.
	for _, id := range forget {
		if err := db.keys.destroy(ctx, db.operation, id); err != nil {
			return failure(op, err)
		}
	}
	return nil
}

// Waking lists open referrals whose clocks say something new.
func (db *DB) Waking(ctx context.Context, now time.Time, limit int) ([]dtm.Referral, error) {
	const op = "store.Waking"
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+referralColumns+`
		FROM referral r
		WHERE r.operation = $1 AND r.wake <> '' AND r.wake <= $2
		ORDER BY r.wake
		LIMIT $3`, db.operation, timeText(now), limit)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Referral
	for rows.Next() {
		r, err := scanReferral(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, r)
	}
	return list, failure(op, rows.Err())
}

// Escalate notes a level.
func (db *DB) Escalate(ctx context.Context, id string, level int) error {
	return db.update(ctx, "store.Escalate", func(t *tx) error {
		r, err := t.referral(id)
		if err != nil {
			return err
		}
		was := r.Escalation
		r.Escalation = max(level, was)
		if err := t.put(r, false); err != nil || r.Escalation == was {
			return err
		}
		_, err = t.log(dtm.ReferralEscalated, id, event.Actor(ctx), jsonText(referralDetail{To: r.State, Programme: r.Programme, Desk: r.Desk, Level: r.Escalation}))
		return err
	})
}

// NewSlip draws a code for a referral.
func (db *DB) NewSlip(ctx context.Context, referral string, expires time.Time) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(db.rand, b[:]); err != nil {
		return "", failure("store.NewSlip", err)
	}
	token := hex.EncodeToString(b[:])
	err := db.update(ctx, "store.NewSlip", func(t *tx) error {
		if _, err := t.referral(referral); err != nil {
			return err
		}
		err := t.exec(`
			INSERT INTO slip (operation, token_hash, referral, created, expires)
			VALUES ($1, $2, $3, $4, $5)`, t.db.operation, tokenHash(token), referral, timeText(t.now), timeText(expires))
		if err != nil {
			return err
		}
		_, err = t.log(dtm.SlipPrinted, referral, event.Actor(ctx), "{}")
		return err
	})
	return token, err
}

// SlipReferral finds the referral of a code.
func (db *DB) SlipReferral(ctx context.Context, token string) (string, error) {
	var id, expires string
	err := db.read.QueryRowContext(ctx, `
		SELECT referral, expires
		FROM slip
		WHERE operation = $1 AND token_hash = $2`, db.operation, tokenHash(token)).Scan(&id, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noReferral()
	}
	if err != nil {
		return "", failure("store.SlipReferral", err)
	}
	end, err := textTime(expires)
	if err == nil && !db.now().Before(end) {
		return "", dtm.Errorf(dtm.Gone, "this slip is no longer valid").Coded("slip.expired")
	}
	return id, failure("store.SlipReferral", err)
}
