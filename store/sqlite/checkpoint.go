package sqlite

import (
	"context"
	"database/sql"
)

// checkpointEvery is after how many bytes of new log, about, the log is copied
// back into the file.
const checkpointEvery = 4 << 20

// copier copies the log back beside the writer, so that the writer need not stop for it.
type copier struct {
	db     *sql.DB
	wake   chan struct{}
	ended  chan struct{}
	logged int // bytes of log since it was woken, about; the writer's
}

func newCopier(path string) (*copier, error) {
	db, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	c := &copier{db: db, wake: make(chan struct{}), ended: make(chan struct{})}
	go c.run()
	return c, nil
}

// run ends when wake is closed. A failure is left to the writer, whose own checkpoint
// meets the same disk and reports it with a commit.
func (c *copier) run() {
	defer close(c.ended)
	for range c.wake {
		var busy, log, copied int
		c.db.QueryRowContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &copied)
	}
}

// committed wakes it now and then.
func (c *copier) committed(jobs int) {
	// A submission dirties two to three pages of 4 kB, more in small groups.
	if c.logged += jobs*8192 + 16384; c.logged < checkpointEvery {
		return
	}
	select {
	case c.wake <- struct{}{}:
		c.logged = 0
	default: // it is at it
	}
}

// close is called when the writer has ended.
func (c *copier) close() error {
	close(c.wake)
	<-c.ended
	return c.db.Close()
}
