package sqlite

import (
	"context"
	"database/sql"
)

// checkpointEvery is after how many bytes of new log, about, the log is copied
// back into the file.
const checkpointEvery = 4 << 20

// checkpointer copies the log back beside the writer, so that the writer need
// not stop for it. It ends when wake is closed. A failure is left to the writer,
// whose own checkpoint meets the same disk and reports it with a commit.
func checkpointer(db *sql.DB, wake <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	for range wake {
		var busy, log, copied int
		db.QueryRowContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &copied)
	}
}
