// Package warehousetest is the conformance suite of warehouses: an opener goes in,
// test results come out. It loads invented and real history through package load,
// asks through package indicator, and compares with cases written as text and with
// figures that IOM published.
package warehousetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/load"
	"dtm/analyse/warehouse"
)

// Warehouse is what a room under warehouse/ must be.
type Warehouse interface {
	load.Warehouse
	indicator.Warehouse
}

// Open opens an empty warehouse for the operation; t.Cleanup closes it.
type Open func(t testing.TB, op *dtm.Operation) Warehouse

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("Cases", func(t *testing.T) { runCases(t, open) })
	t.Run("Load", func(t *testing.T) { runLoad(t, open) })
	t.Run("Repeat", func(t *testing.T) { runRepeat(t, open) })
	t.Run("Versions", func(t *testing.T) { runVersions(t, open) })
	t.Run("Register", func(t *testing.T) { runRegister(t, open) })
	t.Run("Arrivals", func(t *testing.T) { runArrivals(t, open) })
	t.Run("Interviews", func(t *testing.T) { runInterviews(t, open) })
	t.Run("Records", func(t *testing.T) { runRecords(t, open) })
	t.Run("Published", func(t *testing.T) { Published(t, open, Djibouti()) })
}

// Log is an event log in memory with the submissions and chunks it speaks of. The
// content of a submission is its facts as JSON.
type Log struct {
	mu          sync.Mutex
	events      []dtm.Event
	submissions map[string]dtm.Submission
	chunks      map[string]dtm.Chunk
	reviews     map[string][]review
	changes     []dtm.PointChange
	withdrawn   map[string][]int64 // chunk -> events that took it back
	gone        map[string]bool    // chunks that are taken back now
	grown       chan struct{}
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{submissions: map[string]dtm.Submission{}, chunks: map[string]dtm.Chunk{}, reviews: map[string][]review{}, withdrawn: map[string][]int64{}, gone: map[string]bool{}, grown: make(chan struct{})}
}

func (l *Log) add(name, subject string) int64 {
	prev := ""
	if n := len(l.events); n > 0 {
		prev = l.events[n-1].Hash
	}
	seq := int64(len(l.events) + 1)
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s", prev, seq, name, subject))
	l.events = append(l.events, dtm.Event{
		Seq: seq, At: time.Date(2026, 1, 1, 0, 0, int(seq), 0, time.UTC), Name: name, Subject: subject,
		Prev: prev, Hash: hex.EncodeToString(h[:]),
	})
	close(l.grown)
	l.grown = make(chan struct{})
	return seq
}

// Submit adds a submission that says rows, replacing another one if replaces is
// not empty. It returns the event's number.
func (l *Log) Submit(id, replaces string, rows ...dtm.Movement) int64 {
	return l.SubmitFacts(id, replaces, dtm.Facts{Movements: rows})
}

// SubmitFacts adds a submission that says any facts.
func (l *Log) SubmitFacts(id, replaces string, facts dtm.Facts) int64 {
	data, err := json.Marshal(facts)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.submissions[id] = dtm.Submission{ID: id, Deprecates: replaces, XML: data}
	return l.add(dtm.SubmissionReceived, id)
}

// Import adds a chunk unless it is there.
func (l *Log) Import(rows ...dtm.Movement) (hash string) {
	data, err := json.Marshal(rows)
	if err != nil {
		panic(err)
	}
	h := sha256.Sum256(data)
	hash = hex.EncodeToString(h[:])
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.chunks[hash]; !ok || l.gone[hash] {
		delete(l.gone, hash)
		l.chunks[hash] = dtm.Chunk{Hash: hash, Rows: len(rows), Data: data}
		l.add(dtm.ChunkImported, hash)
	}
	return hash
}

// Withdraw takes an imported chunk back.
func (l *Log) Withdraw(hash string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[hash] = true
	l.withdrawn[hash] = append(l.withdrawn[hash], l.add(dtm.ImportWithdrawn, hash))
}

type review struct {
	seq     int64
	state   string
	changes []dtm.Change
}

// Review gives a submission a state.
func (l *Log) Review(id, state string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq := l.add(dtm.SubmissionReviewed, id)
	l.reviews[id] = append(l.reviews[id], review{seq: seq, state: state})
	return seq
}

// Correct makes a submission say other rows.
func (l *Log) Correct(id string, rows ...dtm.Movement) int64 {
	return l.CorrectFacts(id, dtm.Facts{Movements: rows})
}

// CorrectFacts makes a submission say other facts.
func (l *Log) CorrectFacts(id string, facts dtm.Facts) int64 {
	data, err := json.Marshal(facts)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seq := l.add(dtm.SubmissionCorrected, id)
	l.reviews[id] = append(l.reviews[id], review{seq, dtm.StateCorrected, []dtm.Change{{Now: string(data)}}})
	return seq
}

// Standing implements load.Submissions.
func (l *Log) Standing(_ context.Context, id string, upTo int64) (dtm.Standing, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := dtm.Standing{State: "received"}
	for _, r := range l.reviews[id] {
		if upTo == 0 || r.seq <= upTo {
			s.State = r.state
			s.Changes = append(s.Changes, r.changes...)
		}
	}
	return s, nil
}

// Ids lists the submissions.
func (l *Log) Ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.submissions))
}

// Change adds a change of the register of points and returns its number.
func (l *Log) Change(c dtm.PointChange) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Seq = l.add(c.Kind, c.Point)
	l.changes = append(l.changes, c)
	return c.Seq
}

// Register is the register of points that the log tells.
func (l *Log) Register(op *dtm.Operation) *dtm.Register {
	l.mu.Lock()
	defer l.mu.Unlock()
	return dtm.NewRegister(op.Points, l.changes)
}

// Note adds an event that brings no facts.
func (l *Log) Note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(dtm.FormPublished, "form")
}

// Events implements load.Events.
func (l *Log) Events(_ context.Context, after int64, limit int) ([]dtm.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= int64(len(l.events)) {
		return nil, nil
	}
	es := l.events[after:]
	return slices.Clone(es[:min(limit, len(es))]), nil
}

// Wait implements load.Events.
func (l *Log) Wait(ctx context.Context, after int64) error {
	for {
		l.mu.Lock()
		n, grown := int64(len(l.events)), l.grown
		l.mu.Unlock()
		if n > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Submission implements load.Submissions.
func (l *Log) Submission(_ context.Context, id string) (dtm.Submission, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.submissions[id]
	if !ok {
		return s, dtm.Errorf(dtm.NotFound, "no submission %s", id)
	}
	return s, nil
}

// Arrived implements load.Submissions: some at a time.
func (l *Log) Arrived(_ context.Context, first, last int64) ([]dtm.Submission, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []dtm.Submission
	for _, e := range l.events[first-1 : min(last, int64(len(l.events)))] {
		if e.Name == dtm.SubmissionReceived && len(list) < 3 {
			list = append(list, l.submissions[e.Subject])
		}
	}
	return list, nil
}

// Chunk implements load.Chunks.
func (l *Log) Chunk(_ context.Context, hash string) (dtm.Chunk, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.chunks[hash]
	if !ok {
		return c, dtm.Errorf(dtm.NotFound, "no chunk %s", hash)
	}
	return c, nil
}

// WithdrawnChunks implements load.Chunks.
func (l *Log) WithdrawnChunks(_ context.Context, upTo int64) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int64{}
	for hash, list := range l.withdrawn {
		for _, seq := range list {
			if upTo == 0 || seq <= upTo {
				out[hash] = seq
			}
		}
	}
	return out, nil
}

// Loader returns a loader from the log to w.
func (l *Log) Loader(op *dtm.Operation, w load.Warehouse) *load.Loader {
	decode := func(data []byte) ([]dtm.Movement, error) {
		var rows []dtm.Movement
		err := json.Unmarshal(data, &rows)
		return rows, err
	}
	return &load.Loader{
		Operation: op, Events: l, Submissions: l, Chunks: l, Warehouse: w,
		Register: func(context.Context) error {
			op.Follow(l.Register(op).On(Today))
			return nil
		},
		Arrival: func(_ context.Context, s dtm.Submission, rows []dtm.Movement) *warehouse.Arrival {
			m := &rows[0]
			return &warehouse.Arrival{Device: "d", Observed: m.Observed, Point: m.Point, PointText: m.PointText,
				Received: m.Observed.Add(time.Duration(8*60+len(s.ID)) * time.Minute), Hour: len(s.ID) % 24, Delay: len(s.ID), Positioned: true, Lon: 42, Lat: 11}
		},
		DecodeChunk: func(_ *dtm.Operation, data []byte) ([]dtm.Movement, error) {
			rows, err := decode(data)
			for i := range rows { // what is written resolves by the register, as in bulk
				if code, ok := op.ResolvePoint(rows[i].PointText); ok {
					rows[i].Point = code
				}
			}
			return rows, err
		},
		DecodeSubmission: func(_ context.Context, s dtm.Submission) (dtm.Facts, []dtm.Flag, error) {
			data := s.XML
			if n := len(s.Changes); n > 0 {
				data = []byte(s.Changes[n-1].Now)
			}
			var facts dtm.Facts
			if err := json.Unmarshal(data, &facts); err != nil {
				return dtm.Facts{}, nil, dtm.Errorf(dtm.Invalid, "not facts: %w", err)
			}
			return facts, nil, nil
		},
	}
}

// Today is the day of the suite.
var Today = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// MustCatchUp loads everything there is.
func MustCatchUp(t testing.TB, l *load.Loader) load.Result {
	t.Helper()
	r, err := l.CatchUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Facts gives every fact and every row of the rollups, summed up, as sorted lines:
// two warehouses with the same lines answer every question alike.
func Facts(t testing.TB, w indicator.Warehouse) []string {
	t.Helper()
	const cell = `point, point_text, region, role, direction, flow_type, route, subroute, origin, previous,
		next, final, breakdown, nationality, sex, age, age_band, reason_set, transport_set`
	texts := map[string]string{
		"movement": `SELECT source, CAST(observed AS text), CAST(month AS text), CAST(month_only AS text), ` + cell + `,
			CAST(main AS text), assessed, CAST(people AS bigint) FROM movement`,
		"movement_month": `SELECT '', CAST(observed AS text), CAST(month AS text), CAST(month_only AS text), ` + cell + `,
			CAST(main AS text), '', CAST(sum(people) AS bigint) FROM movement_month
			GROUP BY observed, month, month_only, ` + cell + `, main`,
		"point_day": `SELECT '', CAST(observed AS text), CAST(month AS text), '', point, point_text, region, direction,
			CAST(main AS text), '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', CAST(sum(people) AS bigint) FROM point_day
			GROUP BY observed, month, point, point_text, region, direction, main`,
		"arrival": `SELECT source, CAST(observed AS text), CAST(hour AS text), CAST(delay AS text), point, point_text, device,
			'', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', CAST(0 AS bigint) FROM arrival`,
		"vulnerability": `SELECT source, CAST(observed AS text), CAST(month AS text), CAST(month_only AS text), ` + cell + `,
			code, CAST(assessed AS text), CAST(people AS bigint) FROM vulnerability`,
	}
	var out []string
	err := w.Read(t.Context(), func(r warehouse.Reader) error {
		// However a warehouse keeps it, a state's position is what its rows stand for.
		at, err := r.Position(t.Context())
		if err != nil {
			return err
		}
		if err := r.Query(t.Context(), `SELECT seq, hash FROM load_position`, nil, func(scan func(...any) error) error {
			var is warehouse.Position
			err := scan(&is.Seq, &is.Hash)
			if is.Seq != at.Seq || is.Hash != at.Hash {
				t.Errorf("the position is told as %v and is %v", at, is)
			}
			return err
		}); err != nil {
			return err
		}
		for _, table := range warehouse.Records {
			if err := records(t, r, table, &out); err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		for table, text := range texts {
			err := r.Query(t.Context(), text, nil, func(scan func(...any) error) error {
				fields := make([]string, 25)
				var people int64
				dest := make([]any, 0, 26)
				for i := range fields {
					dest = append(dest, &fields[i])
				}
				if err := scan(append(dest, &people)...); err != nil {
					return err
				}
				out = append(out, table+"|"+strings.Join(fields, "|")+"|"+strconv.FormatInt(people, 10))
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
