package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
)

// leased is how long a claim holds without being renewed: so long nobody does the work
// of a process that has died. It is renewed three times meanwhile.
const leased = 9 * time.Second

func holder() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), uuid.NewString())
}

// claimer takes pieces of work for this process. The row of a piece is looked at with
// SKIP LOCKED: who finds another one at it goes on. Time is the server's.
type claimer struct {
	db                *sql.DB
	operation, holder string
}

func (c claimer) claim(ctx context.Context, name string) (release func(), lost <-chan struct{}, ok bool, err error) {
	if ok, err = c.take(ctx, name); err != nil || !ok {
		return nil, nil, false, err
	}
	gone, stop := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(gone)
		sure := time.Now()
		for {
			select {
			case <-stop:
				return
			case <-time.After(leased / 3):
			}
			begun := time.Now()
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), leased/3)
			held, err := c.take(limited, name)
			cancel()
			switch {
			case err == nil && held:
				sure = begun
			case err == nil, time.Since(sure) > 2*leased/3:
				return
			}
		}
	})
	var once sync.Once
	return func() {
		once.Do(func() {
			close(stop)
			wg.Wait()
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), leased/3)
			defer cancel()
			// When it fails the claim ends by itself.
			_, _ = c.db.ExecContext(limited, `
				DELETE FROM work_claim
				WHERE operation = $1 AND name = $2 AND holder = $3`, c.operation, name, c.holder)
		})
	}, gone, true, nil
}

// take makes or renews a claim; false when it is another's.
func (c claimer) take(ctx context.Context, name string) (bool, error) {
	if _, err := c.db.ExecContext(ctx, `
		INSERT INTO work_claim (operation, name, holder, until)
		VALUES ($1, $2, '', now())
		ON CONFLICT (operation, name) DO NOTHING`, c.operation, name); err != nil {
		return false, err
	}
	var one int
	err := c.db.QueryRowContext(ctx, `
		UPDATE work_claim
		SET holder = $3, until = now() + CAST($4 AS double precision) * INTERVAL '1 second'
		WHERE (operation, name) IN (SELECT w.operation, w.name
		                            FROM work_claim w
		                            WHERE w.operation = $1 AND w.name = $2 AND (w.holder = $3 OR w.until <= now())
		                            FOR UPDATE SKIP LOCKED)
		RETURNING 1`, c.operation, name, c.holder, leased.Seconds()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
