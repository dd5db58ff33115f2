package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
	"dtm/analyse/warehouse"
)

// sumUpAfter is how many rows may be added to a month of fact_month before the
// month is summed up again. Small enough that a month under
// live load reads fast, large enough that summing up is rare.
const sumUpAfter = 20_000

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.newStage(&b)
	var out []warehouse.Outcome
	err := w.tx(ctx, func() error {
		var err error
		if err = w.at(ctx, b.From); err != nil {
			return err
		}
		if err = w.write(ctx, s); err != nil {
			return err
		}
		out, err = w.merge(ctx, s)
		if err != nil {
			return err
		}
		return w.exec(ctx, `UPDATE load_position SET seq = $1, hash = $2, event_at = $3`, b.To.Seq, b.To.Hash, b.To.At.UTC())
	})
	if err != nil {
		return nil, wrap("Apply", err)
	}
	for i, c := range s.cells {
		w.cells[c] = s.firstCell + int32(i)
	}
	for _, m := range s.sumUp {
		delete(w.deltas, m)
	}
	for m, n := range s.months {
		if !s.summed(m) {
			w.deltas[m] += n
		}
	}
	return out, nil
}

// at fails unless the warehouse stands at p.
func (w *Warehouse) at(ctx context.Context, p warehouse.Position) error {
	var seq int64
	var hash string
	if err := w.writer.QueryRowContext(ctx, `SELECT seq, hash FROM load_position`).Scan(&seq, &hash); err != nil {
		return err
	}
	if seq != p.Seq || hash != p.Hash {
		return dtm.Errorf(dtm.Conflict, "the warehouse is loaded up to event %d, the batch starts after event %d; read the position again", seq, p.Seq)
	}
	return nil
}

// stage is a batch as it goes over to DuckDB.
type stage struct {
	batch     *warehouse.Batch
	cells     []warehouse.Cell // new ones, numbered from firstCell
	firstCell int32
	index     map[warehouse.Cell]int32 // of cells
	facts     []fact
	// An imported row whose key comes twice in one batch: the last one stands.
	keys   map[string]int
	cellOf map[monthCell]struct{}
	months map[time.Time]int // rows this batch adds to fact_month
	sumUp  []time.Time

	submitted   []string // sources of submissions
	replaced    []string
	historyRows int  // rows with a key of their own
	mixed       bool // markMain has something to look at
}

type monthCell struct {
	month time.Time
	cell  int32
}

type fact struct {
	chunk     int32 // -1: of a submission
	source    string
	observed  time.Time
	month     time.Time
	monthOnly bool
	cell      int32
	people    int32
	assessed  string
	m         *dtm.Movement
	dropped   bool // the key comes again in the batch
}

func (w *Warehouse) newStage(b *warehouse.Batch) *stage {
	s := &stage{
		batch:     b,
		firstCell: int32(len(w.cells)),
		index:     map[warehouse.Cell]int32{},
		facts:     make([]fact, 0, b.Rows()),
		keys:      map[string]int{},
		cellOf:    map[monthCell]struct{}{},
		months:    map[time.Time]int{},
	}
	for i := range b.Chunks {
		for j := range b.Chunks[i].Rows {
			w.stageFact(s, int32(i), &b.Chunks[i].Rows[j])
		}
	}
	last := map[string]int{}
	for i := range b.Submissions {
		last[b.Submissions[i].Source] = i
	}
	for i := range b.Submissions {
		sub := &b.Submissions[i]
		if last[sub.Source] != i {
			continue
		}
		s.submitted = append(s.submitted, sub.Source)
		if sub.Replaces != "" {
			s.replaced = append(s.replaced, sub.Replaces)
		}
		for j := range sub.Rows {
			w.stageFact(s, -1, &sub.Rows[j])
			s.facts[len(s.facts)-1].source = sub.Source
		}
	}
	return s
}

func (w *Warehouse) stageFact(s *stage, chunk int32, m *dtm.Movement) {
	c := w.pack.CellOf(m)
	n, ok := w.cells[c]
	if !ok {
		n, ok = s.index[c]
	}
	if !ok {
		n = s.firstCell + int32(len(s.cells))
		s.index[c] = n
		s.cells = append(s.cells, c)
	}
	f := fact{
		chunk:     chunk,
		source:    m.Source,
		observed:  m.Observed,
		month:     dtm.MonthOf(m.Observed).First(),
		monthOnly: m.MonthOnly,
		cell:      n,
		people:    int32(m.People),
		assessed:  warehouse.Assessed(m),
		m:         m,
	}
	if c.Breakdown != string(dtm.Full) {
		s.mixed = true
	}
	if chunk >= 0 {
		if at, ok := s.keys[m.Source]; ok {
			before := &s.facts[at]
			before.dropped = true
			s.historyRows--
		}
		s.keys[m.Source] = len(s.facts)
		s.historyRows++
	}
	mc := monthCell{f.month, n}
	if _, ok := s.cellOf[mc]; !ok {
		s.cellOf[mc] = struct{}{}
		s.months[f.month]++
	}
	s.facts = append(s.facts, f)
}

func (s *stage) summed(m time.Time) bool {
	for _, t := range s.sumUp {
		if t.Equal(m) {
			return true
		}
	}
	return false
}

// write fills the temporary tables.
func (w *Warehouse) write(ctx context.Context, s *stage) error {
	err := w.exec(ctx, `
		CREATE OR REPLACE TEMP TABLE stage (
			number     INTEGER,
			chunk      INTEGER,
			source     TEXT,
			observed   DATE,
			month      DATE,
			month_only BOOLEAN,
			cell       INTEGER,
			people     INTEGER,
			assessed   TEXT
		);
		CREATE OR REPLACE TEMP TABLE stage_vulnerability (number INTEGER, code TEXT, people INTEGER);
		CREATE OR REPLACE TEMP TABLE stage_submission (source TEXT);
		CREATE OR REPLACE TEMP TABLE stage_replaced (source TEXT);
		CREATE OR REPLACE TEMP TABLE sum_up (month DATE);
		CREATE OR REPLACE TEMP TABLE touched (month DATE, point TEXT, point_text TEXT)`)
	if err != nil {
		return err
	}
	return w.writer.Raw(func(conn any) error {
		c := conn.(driver.Conn)
		err := appendRows(c, "", "cell", func(add func(...driver.Value) error) error {
			for i := range s.cells {
				e := &s.cells[i]
				if err := add(w.op.Code, s.firstCell+int32(i), e.Point, e.PointText, e.Region, e.Role, e.Direction, e.FlowType,
					e.Route, e.Subroute, e.Origin, e.Previous, e.Next, e.Final,
					e.Breakdown, e.Nationality, e.Sex, e.Age, e.AgeBand, e.ReasonSet, e.TransportSet); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		var assessed bool
		err = appendRows(c, "temp", "stage", func(add func(...driver.Value) error) error {
			for i := range s.facts {
				f := &s.facts[i]
				if f.dropped {
					continue
				}
				assessed = assessed || f.assessed != ""
				if err := add(int32(i), f.chunk, f.source, f.observed, f.month, f.monthOnly, f.cell, f.people, f.assessed); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if assessed {
			err = appendRows(c, "temp", "stage_vulnerability", func(add func(...driver.Value) error) error {
				for i := range s.facts {
					if s.facts[i].dropped {
						continue
					}
					for _, v := range s.facts[i].m.Vulnerable {
						if err := add(int32(i), v.Code, int32(v.People)); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		for table, list := range map[string][]string{"stage_submission": s.submitted, "stage_replaced": s.replaced} {
			if len(list) == 0 {
				continue
			}
			err = appendRows(c, "temp", table, func(add func(...driver.Value) error) error {
				for _, e := range list {
					if err := add(e); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func appendRows(c driver.Conn, catalog, table string, fill func(add func(...driver.Value) error) error) error {
	a, err := duckdb.NewAppender(c, catalog, "main", table)
	if err != nil {
		return err
	}
	err = fill(a.AppendRow)
	return errors.Join(err, a.Close())
}
