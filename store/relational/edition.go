package relational

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"dtm"
	"dtm/event"
)

var _ dtm.Editions = (*DB)(nil)

// worded is the detail of the entries about words of reports: the chain holds the hashes
// of words and of PDF.
type worded struct {
	Sentences []string `json:"sentences,omitempty"`
	Edition   int      `json:"edition,omitempty"`
	Words     string   `json:"words_sha256,omitempty"`
	PDF       string   `json:"pdf_sha256,omitempty"`
	Reason    string   `json:"reason,omitempty"`
}

func textHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// released tells whether there is the release: NotFound.
func (t *tx) released(of dtm.ReportText) error {
	found, err := t.row(`SELECT 1 FROM release WHERE operation = $1 AND month = $2 AND n = $3`, []any{t.db.operation, of.Month.String(), of.N}, new(int))
	if err == nil && !found {
		err = noRelease(dtm.ReleaseNumber(of.Month, of.N))
	}
	return err
}

// undecided tells that no edition of the report is proposed: Conflict; last is the highest
// number of an edition.
func (t *tx) undecided(of dtm.ReportText) (last int, err error) {
	var state string
	found, err := t.row(`
		SELECT edition, state
		FROM edition_state
		WHERE operation = $1 AND month = $2 AND n = $3 AND report = $4 AND lang = $5
		ORDER BY edition DESC, seq DESC
		LIMIT 1`, t.of(of), &last, &state)
	if err == nil && found && state == dtm.StateProposed {
		err = dtm.Errorf(dtm.Conflict, "edition %d waits for approval; it has to be published or returned first", last).Coded("edition.pending", last)
	}
	return last, err
}

// of are the values that name a report's text.
func (t *tx) of(of dtm.ReportText) []any {
	return []any{t.db.operation, of.Month.String(), of.N, of.Report, string(of.Lang)}
}

// SaveWordings keeps the words that are others than before: NotFound, Invalid, Conflict.
func (db *DB) SaveWordings(ctx context.Context, of dtm.ReportText, list []dtm.Wording) error {
	for _, w := range list {
		if err := w.Check(); err != nil {
			return err
		}
	}
	author := event.Actor(ctx)
	return db.update(ctx, "store.SaveWordings", func(t *tx) error {
		if err := t.released(of); err != nil {
			return err
		}
		if _, err := t.undecided(of); err != nil {
			return err
		}
		d := worded{}
		var said strings.Builder
		for _, w := range list {
			var words, base string
			found, err := t.row(`
				SELECT words, base
				FROM wording
				WHERE operation = $1 AND month = $2 AND n = $3 AND report = $4 AND lang = $5 AND sentence = $6
				ORDER BY seq DESC
				LIMIT 1`, append(t.of(of), w.Sentence), &words, &base)
			if err != nil {
				return err
			}
			if found && words == w.Words && (base == w.Base || words == "") {
				continue
			}
			if err := t.exec(`
				INSERT INTO wording (operation, month, n, report, lang, sentence, seq, base, words, at, author)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
				append(t.of(of), w.Sentence, t.chain.Seq+1, w.Base, w.Words, timeText(t.now), author)...); err != nil {
				return err
			}
			d.Sentences = append(d.Sentences, w.Sentence)
			said.WriteString(w.Sentence + "\x00" + w.Words + "\x00")
		}
		if len(d.Sentences) == 0 {
			return nil
		}
		d.Words = textHash(said.String())
		_, err := t.log(dtm.WordingSaved, of.Subject(), author, jsonText(d))
		return err
	})
}

// Wordings lists the words that stand.
func (db *DB) Wordings(ctx context.Context, of dtm.ReportText) ([]dtm.Wording, error) {
	const op = "store.Wordings"
	rows, err := db.read.QueryContext(ctx, `
		SELECT sentence, base, words, author, at
		FROM wording
		WHERE operation = $1 AND month = $2 AND n = $3 AND report = $4 AND lang = $5
		ORDER BY sentence, seq`, db.operation, of.Month.String(), of.N, of.Report, string(of.Lang))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Wording
	for rows.Next() {
		var w dtm.Wording
		var at string
		err := rows.Scan(&w.Sentence, &w.Base, &w.Words, &w.Author, &at)
		if err == nil {
			w.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		if last := len(out) - 1; last >= 0 && out[last].Sentence == w.Sentence {
			out[last] = w
			continue
		}
		out = append(out, w)
	}
	return out, failure(op, rows.Err())
}

// AddEdition keeps a proposal: NotFound, Conflict.
func (db *DB) AddEdition(ctx context.Context, e dtm.Edition) (dtm.Edition, error) {
	e.Proposer, e.State = event.Actor(ctx), dtm.StateProposed
	err := db.update(ctx, "store.AddEdition", func(t *tx) error {
		if err := t.released(e.Of); err != nil {
			return err
		}
		last, err := t.undecided(e.Of)
		if err != nil {
			return err
		}
		e.N, e.Logged, e.Proposed = last+1, t.chain.Seq+1, t.now
		words := jsonText(e.Words)
		if err := t.exec(`
			INSERT INTO edition (operation, month, n, report, lang, edition, seq, words, pdf, pdf_hash, program, note, proposed, proposer)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			append(t.of(e.Of), e.N, e.Logged, words, e.PDF, e.PDFHash, e.Program, e.Note, timeText(e.Proposed), e.Proposer)...); err != nil {
			return err
		}
		return t.editionState(e, dtm.EditionProposed, e.Proposer, worded{Edition: e.N, Words: textHash(words), PDF: e.PDFHash})
	})
	if err != nil {
		return dtm.Edition{}, err
	}
	return e, nil
}

// editionState records the state that e has got.
func (t *tx) editionState(e dtm.Edition, name, actor string, d worded) error {
	if err := t.exec(`
		INSERT INTO edition_state (operation, month, n, report, lang, edition, seq, state, at, actor, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		append(t.of(e.Of), e.N, t.chain.Seq+1, e.State, timeText(t.now), actor, d.Reason)...); err != nil {
		return err
	}
	_, err := t.log(name, e.Of.Subject(), actor, jsonText(d))
	return err
}

// PublishEdition makes a proposal public.
func (db *DB) PublishEdition(ctx context.Context, of dtm.ReportText, n int) (dtm.Edition, error) {
	actor := event.Actor(ctx)
	return db.decideEdition(ctx, "store.PublishEdition", of, n, func(t *tx, e dtm.Edition) error {
		if err := e.Approvable(actor); err != nil {
			return err
		}
		var state string
		if _, err := t.row(`
			SELECT state
			FROM release_state
			WHERE operation = $1 AND month = $2 AND n = $3
			ORDER BY seq DESC
			LIMIT 1`, []any{t.db.operation, of.Month.String(), of.N}, &state); err != nil {
			return err
		}
		if state != dtm.StatePublished {
			number := dtm.ReleaseNumber(of.Month, of.N)
			return dtm.Errorf(dtm.Conflict, "release %s is %s: its figures have to be published before a text about them", number, state).
				Coded("edition.release", number, dtm.Word("release.state."+state))
		}
		e.State = dtm.StatePublished
		return t.editionState(e, dtm.EditionPublished, actor, worded{Edition: e.N, PDF: e.PDFHash})
	})
}

// ReturnEdition gives it back to its writer.
func (db *DB) ReturnEdition(ctx context.Context, of dtm.ReportText, n int, reason string) (dtm.Edition, error) {
	return db.decideEdition(ctx, "store.ReturnEdition", of, n, func(t *tx, e dtm.Edition) error {
		if err := e.Returnable(reason); err != nil {
			return err
		}
		e.State = dtm.StateReturned
		return t.editionState(e, dtm.EditionReturned, event.Actor(ctx), worded{Edition: e.N, Reason: strings.TrimSpace(reason)})
	})
}

// decideEdition gives decide the edition as it stands when it is the writer's turn, and
// returns it as it is after.
func (db *DB) decideEdition(ctx context.Context, op string, of dtm.ReportText, n int, decide func(*tx, dtm.Edition) error) (dtm.Edition, error) {
	err := db.update(ctx, op, func(t *tx) error {
		e := dtm.Edition{Of: of, N: n}
		var words string
		found, err := t.row(`
			SELECT e.words, e.pdf_hash, e.proposer, s.state
			FROM edition e
			JOIN edition_state s ON s.operation = e.operation AND s.month = e.month AND s.n = e.n AND s.report = e.report AND s.lang = e.lang AND s.edition = e.edition
			WHERE e.operation = $1 AND e.month = $2 AND e.n = $3 AND e.report = $4 AND e.lang = $5 AND e.edition = $6
			ORDER BY s.seq DESC
			LIMIT 1`, append(t.of(of), n), &words, &e.PDFHash, &e.Proposer, &e.State)
		if err == nil && !found {
			err = noEdition(of, n)
		}
		if err == nil {
			err = json.Unmarshal([]byte(words), &e.Words)
		}
		if err != nil {
			return err
		}
		return decide(t, e)
	})
	if err != nil {
		return dtm.Edition{}, err
	}
	return db.Edition(ctx, of, n)
}

func noEdition(of dtm.ReportText, n int) *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "there is no edition %d of %s", n, of.Subject()).Coded("edition.unknown", n)
}

// Edition returns one: NotFound.
func (db *DB) Edition(ctx context.Context, of dtm.ReportText, n int) (dtm.Edition, error) {
	list, err := db.editions(ctx, "store.Edition", `AND e.month = $2 AND e.n = $3 AND e.report = $4 AND e.lang = $5 AND e.edition = $6`, of.Month.String(), of.N, of.Report, string(of.Lang), n)
	if err == nil && len(list) == 0 {
		err = noEdition(of, n)
	}
	if err != nil {
		return dtm.Edition{}, err
	}
	return list[0], nil
}

// Editions lists those of a release, by report and language, the latest first.
func (db *DB) Editions(ctx context.Context, m dtm.Month, n int) ([]dtm.Edition, error) {
	return db.editions(ctx, "store.Editions", `AND e.month = $2 AND e.n = $3`, m.String(), n)
}

func (db *DB) editions(ctx context.Context, op, where string, args ...any) ([]dtm.Edition, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT e.month, e.n, e.report, e.lang, e.edition, e.seq, e.words, e.pdf, e.pdf_hash, e.program, e.note, e.proposed, e.proposer,
			s.state, s.at, s.actor, s.reason
		FROM edition e
		JOIN edition_state s ON s.operation = e.operation AND s.month = e.month AND s.n = e.n AND s.report = e.report AND s.lang = e.lang AND s.edition = e.edition
		WHERE e.operation = $1 `+where+`
		ORDER BY e.report, e.lang, e.edition DESC, s.seq`, append([]any{db.operation}, args...)...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Edition
	for rows.Next() {
		var e dtm.Edition
		var month, lang, words, proposed, at, actor, reason string
		err := rows.Scan(&month, &e.Of.N, &e.Of.Report, &lang, &e.N, &e.Logged, &words, &e.PDF, &e.PDFHash, &e.Program, &e.Note, &proposed, &e.Proposer, &e.State, &at, &actor, &reason)
		if err == nil {
			e.Of.Month, err = dtm.ParseMonth(month)
		}
		if err == nil {
			e.Of.Lang = dtm.Lang(lang)
			err = json.Unmarshal([]byte(words), &e.Words)
		}
		if err == nil {
			e.Proposed, err = textTime(proposed)
		}
		when, bad := textTime(at)
		if err == nil {
			err = bad
		}
		if err != nil {
			return nil, failure(op, err)
		}
		if last := len(list) - 1; last < 0 || list[last].Of != e.Of || list[last].N != e.N {
			list = append(list, e)
		}
		known := &list[len(list)-1]
		if known.State = e.State; e.State != dtm.StateProposed {
			known.Decided, known.Decider, known.Reason = &when, actor, reason
		}
	}
	return list, failure(op, rows.Err())
}
