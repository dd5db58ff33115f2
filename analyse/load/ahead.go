package load

import (
	"context"
	"fmt"

	"dtm"
)

// chunksAhead is how many imported chunks are read and decoded while the rows before
// them are written: some 50 MB.
const chunksAhead = 2

// reading is a chunk that is being decoded.
type reading struct {
	done chan struct{}
	hash string
	rows []dtm.Movement
	err  error
}

// readAhead begins to decode the next chunks that events name.
func (l *Loader) readAhead(ctx context.Context, events []dtm.Event) {
	for _, e := range events {
		if len(l.ahead) >= chunksAhead {
			return
		}
		if e.Name != dtm.ChunkImported || l.gone[e.Subject] > e.Seq || l.ahead[e.Seq] != nil {
			continue
		}
		r := &reading{done: make(chan struct{}), hash: e.Subject}
		if l.ahead == nil {
			l.ahead = map[int64]*reading{}
		}
		l.ahead[e.Seq] = r
		go func() {
			defer close(r.done)
			r.rows, r.err = l.decode(ctx, e)
		}()
	}
}

// chunk gives the rows of an imported chunk.
func (l *Loader) chunk(ctx context.Context, e dtm.Event) ([]dtm.Movement, error) {
	if r := l.ahead[e.Seq]; r != nil {
		<-r.done
		delete(l.ahead, e.Seq)
		if r.err == nil && r.hash == e.Subject {
			return r.rows, nil
		}
		// What went wrong then may be that the one who asked went away.
	}
	return l.decode(ctx, e)
}

func (l *Loader) decode(ctx context.Context, e dtm.Event) ([]dtm.Movement, error) {
	c, err := l.Chunks.Chunk(ctx, e.Subject)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	rows, err := l.DecodeChunk(l.Operation, c.Data)
	if err != nil {
		return nil, fmt.Errorf("event %d, chunk %s of %s: %w", e.Seq, c.Hash, c.File, err)
	}
	return rows, nil
}

// readNothing waits for what is being decoded and forgets it: the operation, by which
// names are resolved, is about to change, or what was read is not to be loaded.
func (l *Loader) readNothing() {
	for _, r := range l.ahead {
		<-r.done
	}
	clear(l.ahead)
}
