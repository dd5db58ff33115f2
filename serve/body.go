package serve

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

// small is what a body may hold without asking: what phones send all day.
const small = 1 << 20

type budgetKey struct{}

// budget is what one request has taken of the memory for large bodies.
type budget struct {
	all   *semaphore.Weighted
	most  int64
	taken int64
}

// Bodies bounds what the large bodies of all requests hold in memory at once to n
// bytes: beyond it ReadAll waits until another request has ended. Small bodies,
// up to a megabyte each, do not count and never wait.
func Bodies(n int64) Middleware {
	all := semaphore.NewWeighted(n)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b := &budget{all: all, most: n}
			defer func() {
				if b.taken > 0 {
					all.Release(b.taken)
				}
			}()
			inner := r.WithContext(context.WithValue(r.Context(), budgetKey{}, b))
			defer func() { r.Pattern = inner.Pattern }() // for the log, metrics and traces round it
			next.ServeHTTP(w, inner)
		})
	}
}

// ReadAll reads r, of at most limit bytes, whole into memory. Longer is TooLarge
// as BodyError says it; other errors are the reader's. Under Bodies, a body above
// a megabyte takes limit bytes of the budget until its request ends, and may wait
// for them as long as ctx lasts.
func ReadAll(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(4096)
	n, err := io.Copy(&b, io.LimitReader(r, min(small, limit+1)))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if n < small {
		return b.Bytes(), nil
	}
	if room, _ := ctx.Value(budgetKey{}).(*budget); room != nil {
		want := min(limit, room.most) - room.taken
		if want > 0 {
			if err := room.all.Acquire(ctx, want); err != nil {
				return nil, err
			}
			room.taken += want
		}
	}
	// All the room at once: growing by doubling would hold up to three times as much.
	all := make([]byte, n, limit+1)
	copy(all, b.Bytes())
	for {
		got, err := r.Read(all[n:cap(all)])
		n += int64(got)
		if err == io.EOF {
			return all[:n], nil
		}
		if err != nil {
			return nil, err
		}
		if n > limit {
			return nil, &http.MaxBytesError{Limit: limit}
		}
	}
}
