package postgres

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
)

// pause is how long a lost connection is left before another is tried, and the longest
// that news are late when the server says nothing.
const pause = time.Second

// listen calls ring with the end of the operation's log whenever it has grown, until ctx
// ends.
func listen(ctx context.Context, url, operation string, db *sql.DB, ring func(int64)) {
	look := func() {
		var seq int64
		err := db.QueryRowContext(ctx, `
			SELECT coalesce(max(seq), 0)
			FROM event
			WHERE operation = $1`, operation).Scan(&seq)
		if err == nil && seq > 0 {
			ring(seq)
		}
	}
	for ctx.Err() == nil {
		hear(ctx, url, operation, look)
		look()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// hear waits for calls until its connection ends.
func hear(ctx context.Context, url, operation string, look func()) {
	c, err := config(url)
	if err != nil {
		return
	}
	k, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return
	}
	defer k.Close(context.WithoutCancel(ctx))
	if _, err := k.Exec(ctx, `LISTEN dtm_event`); err != nil {
		return
	}
	look() // what came before
	for {
		n, err := k.WaitForNotification(ctx)
		if err != nil {
			return
		}
		if n.Payload == operation {
			look()
		}
	}
}
