package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
	"dtm/analyse/warehouse"
)

// sumUpAfter is how many rows may be added to a month of fact_month before the
// month is summed up again. Small enough that a month under
// live load reads fast, large enough that summing up is rare.
const sumUpAfter = 20_000

// orderAfter is how many rows may be added to fact_month in all before it is put
// in order.
const orderAfter = 300_000

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := warehouse.NewStage(&b, w.pack, w.cells)
	err := w.tx(ctx, func() error {
		if err := w.at(ctx, b.From); err != nil {
			return err
		}
		if err := w.write(ctx, s); err != nil {
			return err
		}
		if err := w.merge(ctx, s); err != nil {
			return err
		}
		return w.exec(ctx, `UPDATE load_position SET seq = $1, hash = $2, event_at = $3`, b.To.Seq, b.To.Hash, b.To.At.UTC())
	})
	if err != nil {
		return nil, wrap("Apply", err)
	}
	for i, c := range s.Cells {
		w.cells[c] = s.FirstCell + int32(i)
	}
	for m, n := range s.Months {
		w.deltas[m] += n
	}
	for _, m := range s.SumUp {
		delete(w.deltas, m)
	}
	return s.Outcomes, nil
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

// write fills the temporary tables.
func (w *Warehouse) write(ctx context.Context, s *warehouse.Stage) error {
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
		CREATE OR REPLACE TEMP TABLE stage_arrival AS SELECT operation, source, observed, point, point_text, device, received, hour, delay, positioned, lon, lat FROM arrival LIMIT 0;
		CREATE OR REPLACE TEMP TABLE sum_up (month DATE);
		CREATE OR REPLACE TEMP TABLE touched (month DATE, point TEXT, point_text TEXT)`)
	if err != nil {
		return err
	}
	return w.writer.Raw(func(conn any) error {
		c := conn.(driver.Conn)
		err := w.appendCells(c, s.Cells, s.FirstCell)
		if err != nil {
			return err
		}
		var assessed bool
		err = appendRows(c, "temp", "stage", func(add func(...driver.Value) error) error {
			for i := range s.Facts {
				f := &s.Facts[i]
				if f.Dropped {
					continue
				}
				assessed = assessed || f.Assessed != ""
				if err := add(int32(i), f.Chunk, f.Source, f.Observed, f.Month, f.MonthOnly, f.Cell, f.People, f.Assessed); err != nil {
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
				for i := range s.Facts {
					if s.Facts[i].Dropped {
						continue
					}
					for _, v := range s.Facts[i].Movement.Vulnerable {
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
		if len(s.Arrivals) > 0 {
			err = appendRows(c, "temp", "stage_arrival", func(add func(...driver.Value) error) error {
				for i := range s.Arrivals {
					a := &s.Arrivals[i]
					if err := add(w.op.Code, a.Source, a.Observed, a.Point, a.PointText, a.Device, a.Received.UTC(), int32(a.Hour), int32(a.Delay), a.Positioned, a.Lon, a.Lat); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		for table, list := range map[string][]string{"stage_submission": s.Submitted, "stage_replaced": s.Replaced} {
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

// appendCells adds cells, numbered from first.
func (w *Warehouse) appendCells(c driver.Conn, cells []warehouse.Cell, first int32) error {
	return appendRows(c, "", "cell", func(add func(...driver.Value) error) error {
		for i := range cells {
			e := &cells[i]
			if err := add(w.op.Code, first+int32(i), e.Point, e.PointText, e.Region, e.Role, e.Direction, e.FlowType,
				e.Route, e.Subroute, e.Origin, e.Previous, e.Next, e.Final,
				e.Breakdown, e.Nationality, e.Sex, e.Age, e.AgeBand, e.ReasonSet, e.TransportSet); err != nil {
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
