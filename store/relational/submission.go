package relational

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"dtm"
	"dtm/event"
)

// States of a submission. A superseded one was replaced by a later edit that
// names it in meta/deprecatedID.
const (
	stateReceived   = "received"
	stateFlagged    = "flagged"
	stateSuperseded = "superseded"
)

// received is the detail of the entry that records a submission.
type received struct {
	Form       string `json:"form"`
	Version    string `json:"version"`
	SHA256     string `json:"sha256"`
	Deprecates string `json:"deprecates,omitempty"`
}

// attached is the detail of the entry that records an attachment.
type attached struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Receive stores a submission with its attachments and returns when both are on
// disk. The same id and bytes again adds attachments that were missing. The same
// id with other bytes is kept apart and refused: Conflict. A submission that
// replaces another one is refused when that one is unknown (NotFound) or already
// replaced (Conflict, kept apart).
func (db *DB) Receive(ctx context.Context, s dtm.Submission) (dtm.Receipt, error) {
	const op = "store.Receive"
	if s.ID == "" {
		return dtm.Receipt{}, dtm.Errorf(dtm.Invalid, "the submission has no instanceID").Coded("submission.no_id")
	}
	actor := event.Actor(ctx)
	if s.Device != "" {
		actor = "device:" + s.Device
	}
	r := receiving{Submission: s, actor: actor}
	if err := db.sealAnswers(ctx, &r); err != nil {
		return dtm.Receipt{}, failure(op, err)
	}
	sum := sha256.Sum256(r.XML)
	r.sum = hex.EncodeToString(sum[:])
	err := db.hold(ctx, op, &job{fn: r.store, id: r.ID, again: true})
	if err == nil {
		err = r.refused
	}
	if err != nil {
		return dtm.Receipt{}, err
	}
	return r.receipt, nil
}

// receiving is one call of Receive while it is written. A refusal is an outcome
// that is itself stored, so it is not the write's error.
type receiving struct {
	dtm.Submission
	actor   string
	sum     string // hex SHA-256 of XML
	private *sealedAnswers
	receipt dtm.Receipt
	refused error
}

func (r *receiving) store(t *tx) error {
	r.receipt, r.refused = dtm.Receipt{}, nil
	if r.Deprecates != "" {
		if stop, err := r.checkDeprecated(t); stop || err != nil {
			return err
		}
	}
	if r.Received.IsZero() {
		r.Received = t.now
	}
	state := stateReceived
	if len(r.Flags) > 0 {
		state = stateFlagged
	}
	n, err := r.insert(t, state)
	if unique(err) { // where ids are unique over all operations
		return dtm.Errorf(dtm.Conflict,
			"submission %s belongs to another operation that is kept here; it was probably sent to the wrong address", r.ID).
			Coded("submission.elsewhere", r.ID)
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return r.again(t)
	}
	if err := r.list(t, state); err != nil {
		return err
	}
	if err := r.keepSealed(t); err != nil {
		return err
	}
	seq, err := t.log(dtm.SubmissionReceived, r.ID, r.actor,
		jsonText(received{Form: r.Form, Version: r.Version, SHA256: r.sum, Deprecates: r.Deprecates}))
	if err != nil {
		return err
	}
	for _, f := range r.Flags {
		if err := t.raise(seq, r.actor, dtm.Raised{ID: flagID(r.ID, f), Rule: f.Rule, Severity: doubt, Submission: r.ID, Path: f.Path, Note: f.Note}, nil); err != nil {
			return err
		}
	}
	if r.Deprecates != "" {
		err := t.exec(`
			UPDATE submission
			SET state = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, r.Deprecates, stateSuperseded)
		if err == nil {
			err = r.settle(t, seq)
		}
		if err != nil {
			return err
		}
	}
	if _, err := r.attach(t); err != nil {
		return err
	}
	r.receipt = dtm.Receipt{Seq: seq, New: true}
	return nil
}

// insert tells how many rows it made: none when the id is there.
func (r *receiving) insert(t *tx, state string) (n int64, err error) {
	const query = `
		INSERT INTO submission (operation, id, seq, form, version, device, device_id, received, deprecates, state, flags, expected, xml)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (operation, id) DO NOTHING`
	args := []any{t.db.operation, r.ID, t.chain.Seq + 1, r.Form, r.Version, r.Device, r.DeviceID, timeText(r.Received),
		r.Deprecates, state, listText(r.Flags), listText(r.Expected), blob(r.XML)}
	switch {
	case t.here == nil:
		return t.change(query, args...)
	case t.here[r.ID]:
		return 0, nil
	}
	t.here[r.ID] = true
	return 1, t.later(query, args...)
}

// list adds the submission to what lists and searches walk. There is no trigger for it:
// see migration 20.
func (r *receiving) list(t *tx, state string) error {
	err := t.later(`
		INSERT INTO submission_reading (operation, seq, form, device, state)
		VALUES ($1, $2, $3, $4, $5)`, t.db.operation, t.chain.Seq+1, r.Form, r.Device, state)
	for _, rule := range rules(r.Flags) {
		if err == nil {
			err = t.later(`
				INSERT INTO submission_rule (operation, rule, seq)
				VALUES ($1, $2, $3)
				ON CONFLICT (operation, rule, seq) DO NOTHING`, t.db.operation, rule, t.chain.Seq+1)
		}
	}
	return err
}

// settle clears the open flags of what was replaced: the edit gets its own.
func (r *receiving) settle(t *tx, seq int64) error {
	known, err := t.flagsOf(r.Deprecates)
	for _, f := range known {
		if err == nil && f.State == dtm.FlagOpen {
			err = t.act(seq, f, dtm.FlagCleared, dtm.FlagCleared, r.actor, "")
		}
	}
	return err
}

// checkDeprecated tells whether storing stops here because what the submission
// replaces is unknown or has been replaced.
func (r *receiving) checkDeprecated(t *tx) (stop bool, err error) {
	known, err := t.row(`
		SELECT 1
		FROM submission
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, r.ID}, new(int))
	if known || err != nil {
		return false, err // a repeat: again decides
	}
	var form string
	found, err := t.row(`
		SELECT form
		FROM submission
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, r.Deprecates}, &form)
	if err != nil {
		return true, err
	}
	if !found || r.Deprecates == r.ID || form != r.Form { // of another form: not what it edits
		r.refused = dtm.Errorf(dtm.NotFound,
			"this is an edit of submission %s, which has not arrived here; send the original first", r.Deprecates).
			Coded("submission.deprecated_unknown", r.Deprecates)
		return true, nil
	}
	var by string
	replaced, err := t.row(`
		SELECT id
		FROM submission
		WHERE operation = $1 AND deprecates = $2 AND deprecates <> ''`, []any{t.db.operation, r.Deprecates}, &by)
	if err != nil || !replaced {
		return err != nil, err
	}
	r.refused = dtm.Errorf(dtm.Conflict,
		"submission %s has already been edited (by %s); this edit is kept apart and a data manager has to compare the two", r.Deprecates, by).
		Coded("submission.superseded", r.Deprecates, by)
	return true, r.keep(t)
}

// again handles a submission whose id is there.
func (r *receiving) again(t *tx) error {
	var xml []byte
	if _, err := t.row(`
		SELECT xml
		FROM submission
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, r.ID}, &xml); err != nil {
		return err
	}
	same := bytes.Equal(xml, r.XML)
	if same && r.private != nil {
		var err error
		if same, err = r.sealedBefore(t); err != nil {
			return err
		}
	}
	if same {
		seq, err := r.attach(t)
		r.receipt = dtm.Receipt{Seq: seq}
		return err
	}
	r.refused = dtm.Errorf(dtm.Conflict,
		"submission %s is here with other answers; both versions are kept and a data manager has to compare them", r.ID).
		Coded("submission.conflict", r.ID)
	return r.keep(t)
}

// keep stores a refused submission apart, once for each content, with its entry.
func (r *receiving) keep(t *tx) error {
	if r.Received.IsZero() {
		r.Received = t.now
	}
	n, err := t.change(`
		INSERT INTO submission_conflict (operation, id, hash, seq, form, version, device, device_id, received, deprecates, expected, attachments, xml)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (operation, id, hash) DO NOTHING`,
		t.db.operation, r.ID, r.apart(), t.chain.Seq+1, r.Form, r.Version, r.Device, r.DeviceID, timeText(r.Received),
		r.Deprecates, listText(r.Expected), listText(r.Attachments), blob(r.XML))
	if err != nil || n == 0 {
		return err
	}
	if err := r.keepSealed(t); err != nil {
		return err
	}
	_, err = t.log(dtm.SubmissionRefused, r.ID, r.actor,
		jsonText(received{Form: r.Form, Version: r.Version, SHA256: r.sum, Deprecates: r.Deprecates}))
	return err
}

// attach adds the attachments that are not there by name; it returns the number
// of the last entry, 0 when nothing was added.
func (r *receiving) attach(t *tx) (last int64, err error) {
	for _, a := range r.Attachments {
		n, err := t.change(`
			INSERT INTO attachment (operation, submission, name, type, size, hash, seq)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (operation, submission, name) DO NOTHING`,
			t.db.operation, r.ID, a.Name, a.Type, a.Size, a.Hash, t.chain.Seq+1)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue
		}
		if last, err = t.log(dtm.AttachmentReceived, r.ID, r.actor, jsonText(attached{a.Name, a.Hash})); err != nil {
			return 0, err
		}
	}
	return last, nil
}

const submissionColumns = `
	s.id, s.form, s.version, s.device, s.device_id, s.received, s.deprecates, s.state, s.flags, s.expected, s.xml`

// scanSubmission reads submissionColumns.
func scanSubmission(scan func(...any) error) (dtm.Submission, error) {
	var s dtm.Submission
	var at, flags, expected string
	err := scan(&s.ID, &s.Form, &s.Version, &s.Device, &s.DeviceID, &at, &s.Deprecates, &s.State, &flags, &expected, &s.XML)
	if err == nil {
		s.Received, err = textTime(at)
	}
	if err == nil {
		s.Flags, err = textList[dtm.Flag](flags)
	}
	if err == nil {
		s.Expected, err = textList[string](expected)
	}
	return s, err
}

// textList reads a column of listText.
func textList[T any](text string) ([]T, error) {
	list := []T{}
	if text == "[]" {
		return list, nil
	}
	err := json.Unmarshal([]byte(text), &list)
	return list, err
}

// Submission returns one submission with its flags and attachments: NotFound.
func (db *DB) Submission(ctx context.Context, id string) (dtm.Submission, error) {
	const op = "store.Submission"
	s, err := scanSubmission(db.byID.QueryRowContext(ctx, db.operation, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Submission{}, noSubmission(id)
	}
	if err == nil {
		s.Attachments, err = db.attachments(ctx, id)
	}
	if err != nil {
		return dtm.Submission{}, failure(op, err)
	}
	return s, nil
}

const byIDQuery = `
	SELECT ` + submissionColumns + `
	FROM submission s
	WHERE s.operation = $1 AND s.id = $2`

func noSubmission(id string) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no submission %s", id).Coded("submission.unknown", id)
}

const filesOfQuery = `
	SELECT name, type, size, hash
	FROM attachment
	WHERE operation = $1 AND submission = $2
	ORDER BY name`

func (db *DB) attachments(ctx context.Context, id string) ([]dtm.Attachment, error) {
	rows, err := db.filesOf.QueryContext(ctx, db.operation, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []dtm.Attachment
	for rows.Next() {
		var a dtm.Attachment
		if err := rows.Scan(&a.Name, &a.Type, &a.Size, &a.Hash); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// attach gives listed submissions their attachments.
func (db *DB) attach(ctx context.Context, list []dtm.Listed) error {
	at, ids := map[string]int{}, make([]string, len(list))
	for i, s := range list {
		at[s.ID], ids[i] = i, s.ID
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT submission, name, type, size, hash
		FROM attachment
		WHERE operation = $1 AND submission IN (SELECT value FROM json_each($2))
		ORDER BY submission, name`, db.operation, jsonText(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var a dtm.Attachment
		if err := rows.Scan(&id, &a.Name, &a.Type, &a.Size, &a.Hash); err != nil {
			return err
		}
		s := &list[at[id]].Submission
		s.Attachments = append(s.Attachments, a)
	}
	return rows.Err()
}

// Submissions lists by filter, newest first, with the number of all that match.
func (db *DB) Submissions(ctx context.Context, f dtm.SubmissionFilter) ([]dtm.Submission, int, error) {
	const op = "store.Submissions"
	if f.Limit <= 0 {
		f.Limit = 100
	}

	// One transaction, so that the total is of the list.
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer t.Rollback()
	x, err := db.finding(ctx, t, dtm.SubmissionSearch{SubmissionFilter: f})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	var total int
	if f.State == nil && (f.Form != nil || f.Device != nil) {
		total, err = db.counted(ctx, t, f)
	} else {
		total, err = x.all(ctx, t)
	}
	if err != nil {
		return nil, 0, failure(op, err)
	}
	rows, err := t.QueryContext(ctx, `
		SELECT `+submissionColumns+`
		FROM (SELECT x.operation, x.seq
		      FROM `+x.from+`
		      WHERE `+x.where()+`
		      ORDER BY x.seq DESC
		      LIMIT `+x.bind(f.Limit)+` OFFSET `+x.bind(max(0, f.Offset))+`) x
		CROSS JOIN submission s INDEXED BY submission_seq ON s.operation = x.operation AND s.seq = x.seq
		ORDER BY x.seq DESC`, x.args...)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Submission
	for rows.Next() {
		s, err := scanSubmission(rows.Scan)
		if err != nil {
			return nil, 0, failure(op, err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, failure(op, err)
	}
	if err := t.Rollback(); err != nil {
		return nil, 0, failure(op, err)
	}
	for i := range list {
		if list[i].Attachments, err = db.attachments(ctx, list[i].ID); err != nil {
			return nil, 0, failure(op, err)
		}
	}
	return list, total, nil
}

// Conflicts returns what was refused under an id, oldest first; none is no error.
func (db *DB) Conflicts(ctx context.Context, id string) ([]dtm.Submission, error) {
	const op = "store.Conflicts"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, form, version, device, device_id, received, deprecates, expected, attachments, xml
		FROM submission_conflict
		WHERE operation = $1 AND id = $2
		ORDER BY seq`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Submission
	for rows.Next() {
		var s dtm.Submission
		var at, expected, attachments string
		err := rows.Scan(&s.ID, &s.Form, &s.Version, &s.Device, &s.DeviceID, &at, &s.Deprecates, &expected, &attachments, &s.XML)
		if err == nil {
			s.Received, err = textTime(at)
		}
		if err == nil {
			err = json.Unmarshal([]byte(expected), &s.Expected)
		}
		if err == nil {
			err = json.Unmarshal([]byte(attachments), &s.Attachments)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		s.State = "refused"
		list = append(list, s)
	}
	return list, failure(op, rows.Err())
}

// rules names the rules of flags, each once: their notes may quote answers, which
// have no place in the log.
func rules(flags []dtm.Flag) []string {
	list := []string{}
	for _, f := range flags {
		if !slices.Contains(list, f.Rule) {
			list = append(list, f.Rule)
		}
	}
	return list
}

// verifyContent holds stored submissions against the entries that recorded them,
// last being the end of the verified log.
func (db *DB) verifyContent(ctx context.Context, last int64) error {
	for after := int64(0); ; {
		n, at, err := db.verifyBatch(ctx, after)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		after = at
	}
	if err := db.verifyCorrections(ctx, last); err != nil {
		return err
	}
	var id string
	err := db.read.QueryRowContext(ctx, `
		SELECT s.id
		FROM submission s
		WHERE s.operation = $1 AND s.seq <= $2
		  AND NOT EXISTS (SELECT 1 FROM event e
		                  WHERE e.operation = s.operation AND e.seq = s.seq AND e.name = $3 AND e.subject = s.id)
		ORDER BY s.seq
		LIMIT 1`, db.operation, last, dtm.SubmissionReceived).Scan(&id)
	return db.unrecorded(ctx, id, last, err)
}

// unrecorded reports a submission without entry, the cut end of a log included.
func (db *DB) unrecorded(ctx context.Context, id string, last int64, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		// A submission may have come after the walk ended: it is lost only if
		// its entry is not there now either.
		err = db.read.QueryRowContext(ctx, `
			SELECT s.id
			FROM submission s
			WHERE s.operation = $1 AND s.seq > $2
			  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.operation = s.operation AND e.seq = s.seq)
			ORDER BY s.seq
			LIMIT 1`, db.operation, last).Scan(&id)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return failure("store.Verify", err)
	}
	return dtm.Errorf(dtm.Conflict, "submission %s has no entry in the audit log; compare it with a backup", id).Coded("event.missing", id)
}

func misrecorded(seq int64, id, code, what string) error {
	return dtm.Errorf(dtm.Conflict, "entry %d of the audit log records submission %s, %s; compare it with a backup", seq, id, what).
		Coded("event.content."+code, seq, id)
}

func (db *DB) verifyBatch(ctx context.Context, after int64) (n int, last int64, err error) {
	const op = "store.Verify"
	rows, err := db.read.QueryContext(ctx, `
		SELECT e.seq, e.subject, e.detail, s.xml, s.id IS NULL
		FROM event e
		LEFT JOIN submission s ON s.operation = e.operation AND s.seq = e.seq AND s.id = e.subject
		WHERE e.operation = $1 AND e.seq > $2 AND e.name = $3
		ORDER BY e.seq
		LIMIT 500`, db.operation, after, dtm.SubmissionReceived)
	if err != nil {
		return 0, 0, failure(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, detail string
		var xml []byte
		var gone bool
		if err := rows.Scan(&last, &id, &detail, &xml, &gone); err != nil {
			return 0, 0, failure(op, err)
		}
		n++
		var d received
		sum := sha256.Sum256(xml)
		switch err := json.Unmarshal([]byte(detail), &d); {
		case err != nil:
			return 0, 0, misrecorded(last, id, "words", "but in words that cannot be read")
		case gone:
			return 0, 0, misrecorded(last, id, "gone", "which is not there any more")
		case d.SHA256 != hex.EncodeToString(sum[:]):
			return 0, 0, misrecorded(last, id, "other", "whose content is not what was received")
		}
	}
	return n, last, failure(op, rows.Err())
}

// listText writes a list; an absent one as an empty one.
func listText[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	return jsonText(list)
}

// blob keeps empty content from being stored as NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
