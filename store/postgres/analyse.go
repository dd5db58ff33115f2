package postgres

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// analyst has the server count what is in the tables that grow fastest when much has been
// written. It does so by itself, but a minute late, and meanwhile reads a table that it
// took for empty from end to end for every row of another.
type analyst struct {
	db        *sql.DB
	jobs, due int
	running   sync.WaitGroup
}

func newAnalyst(db *sql.DB) *analyst { return &analyst{db: db, due: 300} }

// committed is told of so many writes, by one caller at a time.
func (a *analyst) committed(jobs int) {
	if a.jobs += jobs; a.jobs < a.due {
		return
	}
	a.due *= 10
	a.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = a.db.ExecContext(ctx, `ANALYZE submission, submission_reading, event`) // plans are better for it, nothing else
	})
}

func (a *analyst) close() error {
	a.running.Wait()
	return nil
}
