package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/config"
	"dtm/internal/pgtest"
	"dtm/operation"
	"dtm/serve"
)

// TestReadyWhileBusy: a balancer is not told to send nobody while every connection of the
// warehouse is taken by long questions; a warehouse that is gone it is told of.
func TestReadyWhileBusy(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	w, err := duckdb.Open(ctx, filepath.Join(t.TempDir(), "facts.duckdb"), op)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	serve.Health(mux, nil, (&house{facts: w}).warehouseCheck())
	ready := func() int {
		r := httptest.NewRecorder()
		mux.ServeHTTP(r, httptest.NewRequest("GET", "/readyz", nil))
		return r.Code
	}
	if got := ready(); got != http.StatusOK {
		t.Fatalf("at rest: %d", got)
	}
	long, end := context.WithCancel(ctx)
	var taken, all sync.WaitGroup
	for range 8 { // one of nine is the writer's
		taken.Add(1)
		all.Go(func() {
			_ = w.Read(long, func(warehouse.Reader) error {
				taken.Done()
				<-long.Done()
				return nil
			})
		})
	}
	taken.Wait()
	short, late := context.WithTimeout(ctx, 100*time.Millisecond)
	defer late()
	if _, err := w.Position(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the warehouse is not busy: %v", err)
	}
	if got := ready(); got != http.StatusOK {
		t.Errorf("busy: %d", got)
	}
	end()
	all.Wait()
	if got := ready(); got != http.StatusOK {
		t.Errorf("at rest again: %d", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ready(); got != http.StatusServiceUnavailable {
		t.Errorf("gone: %d", got)
	}
}

// stuck are figures of which a table is never had.
type stuck struct {
	dtm.Figures
	asked chan struct{}
	named chan struct{} // once each time that the state of the data was told
	once  *sync.Once
}

func (s stuck) Release(ctx context.Context) (dtm.Release, error) {
	r, err := s.Figures.Release(ctx)
	s.named <- struct{}{}
	return r, err
}

func (s stuck) Table(ctx context.Context, _ dtm.Query) (dtm.Table, error) {
	s.once.Do(func() { close(s.asked) })
	<-ctx.Done()
	return dtm.Table{}, ctx.Err()
}

// TestStopsWhileChoosing: a server that is told to end does not wait for what is being
// chosen ahead of readers, nor for what a reader has asked for.
func TestStopsWhileChoosing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	send(t, data, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), 1, 1)
	h, err := openHouse(testContext(t), realPath(data), config.Config{Operation: "djibouti"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := stuck{h.figures, make(chan struct{}), make(chan struct{}), new(sync.Once)}
	g := h.guarded(s, h.op)
	h.public = g
	h.start(testContext(t))
	<-s.named
	<-s.asked
	reader := make(chan error, 1)
	go func() {
		_, err := g.Pattern(context.Background(), dtm.Month{Year: 2026, Month: 10})
		reader <- err
	}()
	<-s.named
	ended := make(chan error, 1)
	go func() { ended <- h.close() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits on")
	}
	select {
	case err := <-reader:
		if err == nil {
			t.Error("a reader was given what was not chosen")
		}
	case <-time.After(time.Minute):
		t.Fatal("a reader waits on")
	}
}

// TestReadyWithoutFigures: while the database of the warehouse is away, phones are not sent
// elsewhere.
func TestReadyWithoutFigures(t *testing.T) {
	t.Parallel()
	c := pgtest.Own(t)
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{op: op, config: config.Config{Warehouse: c.Address("postgres")}}
	w, err := h.openFacts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.facts = w
	defer w.Close()
	c.Crash()
	if _, err := w.Position(t.Context()); dtm.KindOf(err) != dtm.Unavailable {
		t.Fatalf("the database is away: %v", err)
	}
	mux, r := http.NewServeMux(), httptest.NewRecorder()
	serve.Health(mux, nil, h.warehouseCheck())
	mux.ServeHTTP(r, httptest.NewRequest("GET", "/readyz", nil))
	if r.Code != http.StatusOK {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}
