package relational

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"

	"dtm"
	"dtm/event"
)

// AddChunk stores part of an imported file; false when it is there already and stands.
func (db *DB) AddChunk(ctx context.Context, c dtm.Chunk) (bool, error) {
	sum := sha256.Sum256(c.Data)
	if c.Hash != hex.EncodeToString(sum[:]) {
		return false, dtm.Errorf(dtm.Invalid, "part of %s does not have the content its hash names; read the file again", c.File).
			Coded("chunk.hash", c.File)
	}
	var added bool
	err := db.update(ctx, "store.AddChunk", func(t *tx) error {
		at := c.Imported
		if at.IsZero() {
			at = t.now
		}
		n, err := t.change(`
			INSERT INTO chunk (operation, hash, seq, file, file_hash, row_count, imported, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (operation, hash) DO NOTHING`,
			t.db.operation, c.Hash, t.chain.Seq+1, c.File, c.FileHash, c.Rows, timeText(at), blob(c.Data))
		added = n == 1
		if err == nil && !added {
			added, err = t.restore(c.Hash)
		}
		if err != nil || !added {
			return err
		}
		_, err = t.log(dtm.ChunkImported, c.Hash, event.Actor(ctx), jsonText(struct {
			File string `json:"file"`
			Rows int    `json:"rows"`
		}{c.File, c.Rows}))
		return err
	})
	return added && err == nil, err
}

// restore notes that rows which were taken back come again; false when they stand.
func (t *tx) restore(hash string) (bool, error) {
	n, err := t.change(`
		UPDATE chunk_withdrawal
		SET restored = $3
		WHERE operation = $1 AND hash = $2 AND restored = 0`, t.db.operation, hash, t.chain.Seq+1)
	return n > 0, err
}

// Chunk returns a chunk with its data: NotFound.
func (db *DB) Chunk(ctx context.Context, hash string) (dtm.Chunk, error) {
	c := dtm.Chunk{Hash: hash}
	var at string
	err := db.read.QueryRowContext(ctx, `
		SELECT file, file_hash, row_count, imported, data
		FROM chunk
		WHERE operation = $1 AND hash = $2`, db.operation, hash).
		Scan(&c.File, &c.FileHash, &c.Rows, &at, &c.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Chunk{}, dtm.Errorf(dtm.NotFound, "there is no imported chunk %s", hash).Coded("chunk.unknown", hash)
	}
	if err == nil {
		c.Imported, err = textTime(at)
	}
	return c, failure("store.Chunk", err)
}

// Chunks lists the chunks that stand without their data, oldest first.
func (db *DB) Chunks(ctx context.Context) ([]dtm.Chunk, error) {
	const op = "store.Chunks"
	rows, err := db.read.QueryContext(ctx, `
		SELECT hash, file, file_hash, row_count, imported
		FROM chunk
		WHERE operation = $1
		  AND NOT EXISTS (SELECT 1 FROM chunk_withdrawal w WHERE w.operation = chunk.operation AND w.hash = chunk.hash AND w.restored = 0)
		ORDER BY seq`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Chunk
	for rows.Next() {
		var c dtm.Chunk
		var at string
		err := rows.Scan(&c.Hash, &c.File, &c.FileHash, &c.Rows, &at)
		if err == nil {
			c.Imported, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}
