package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dtm"
	"dtm/config"
	"dtm/gather/openrosa"
	"dtm/serve"
	"dtm/store/relational"
)

func runServe(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	apply := config.Flags(fs, "listen", "base_url", "cache", "max_upload_mb", "log_format", "tls_cert", "tls_key", "acme_domains", "acme_email", "acme_directory", "http_listen", "drain_seconds")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := apply(&h.config); err != nil {
		return err
	}
	l, err := h.listen()
	if err != nil {
		return err
	}
	return c.serve(ctx, h, l, nil)
}

// listen takes the address, before long work is done for it.
func (h *house) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", h.config.Listen)
	if err != nil {
		return nil, dtm.Errorf(dtm.Unavailable, "cannot listen on %s: %w; another address: -listen 127.0.0.1:PORT", h.config.Listen, err)
	}
	h.config.Listen = l.Addr().String()
	return l, nil
}

// serve answers requests to l, which it closes, until ctx ends. ready is told the
// address.
func (c *call) serve(ctx context.Context, h *house, l net.Listener, ready func(base string)) error {
	defer l.Close()
	heap, done := context.WithCancel(ctx)
	defer done()
	go keepHeap(heap)
	slog.SetDefault(slog.New(logHandler(os.Stderr, h.config.LogFormat)))
	if err := h.syncPoints(ctx, time.Now()); err != nil {
		return err
	}
	secure, err := h.secured(ctx, l)
	if err != nil {
		return err
	}
	traces, err := h.traced(ctx, c.env)
	if err != nil {
		return err
	}
	defer traces()
	h.start(ctx)
	stop, err := answer(ctx, h)
	if err != nil {
		return err
	}
	defer stop()
	mux, err := h.routes()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "dtm: %s at %s\n", h.op.Name.In(dtm.English), h.baseURL())
	if ready != nil {
		ready(h.baseURL())
	}
	// A process whose disk failed a sync ends: what is on disk is read anew by the next.
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		select {
		case <-h.db.Broken():
			end(relational.ErrBroken)
		case <-ctx.Done():
		}
	}()
	if err := h.drain().Serve(ctx, func(ctx context.Context) error { return serve.Run(ctx, secure, mux, 10*time.Second) }); err != nil {
		return err
	}
	if err := context.Cause(ctx); errors.Is(err, relational.ErrBroken) {
		return err
	}
	return nil
}

func logHandler(w io.Writer, format string) slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelWarn}
	if format == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// routes joins the HTTP rooms, behind what every request passes.
func (h *house) routes() (http.Handler, error) {
	metrics := serve.NewMetrics()
	pages, err := h.pages()
	if err != nil {
		return nil, err
	}
	return serve.Chain(h.mux(metrics, h.counted(guarded(pages))), serve.Identify, serve.Observe(slog.Default(), metrics), serve.Recover(serve.Problem), serve.Security(serve.DefaultCSP), serve.Announced(max(mostAnnounced, h.config.MaxUpload<<20), serve.Problem), serve.Compress(), serve.Bodies(largeBodies)), nil
}

// mux has the addresses of all rooms; those of the pages are the pages' own.
func (h *house) mux(metrics *serve.Metrics, pages http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	metrics.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dtm_events_last", Help: "Sequence number of the newest event."}, h.gauge(h.db.Last)),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dtm_events_loaded", Help: "Sequence number of the newest event in the warehouse."}, h.gauge(func(ctx context.Context) (int64, error) {
			p, err := h.facts.Position(ctx)
			return p.Seq, err
		})),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dtm_disk_free_bytes", Help: "Room for the data folder."}, h.gauge(func(context.Context) (int64, error) { return room(h.dir) })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dtm_backup_newest_timestamp_seconds", Help: "When the newest backup on the shelf was begun; -1 without one."}, h.gauge(h.newestBackup)),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dtm_backup_trial_timestamp_seconds", Help: "When a backup was last restored on trial and whole; -1 if never."}, h.gauge(h.lastTrial)))
	serve.Health(mux, metrics, h.drain().Check(), serve.Check{Name: "store", Do: h.db.Ready}, h.warehouseCheck())
	phones := &openrosa.Handler{
		Forms: h.db, Devices: h.db, Submissions: h.db, Blobs: bareBlobs{h.blobs}, Head: head,
		Expected: h.forms.expected, Entities: h.db, States: h.db, Reads: h.forms.reads, Scope: h.scope, Saw: h.db.SawApp, Base: h.config.BaseURL, Lang: h.op.Languages[0],
		MaxRequest: h.config.MaxUpload << 20,
	}
	phones.Register(mux)
	h.central(phones).Register(mux)
	mux.HandleFunc("/v1/test/{token}/projects/{project}/forms/{form}/draft/{rest...}", h.trial)
	h.entryPage().Register(mux)
	h.openData().Register(mux)
	mux.Handle("/", pages)
	return mux
}

// A warehouse that is busy with long statements is there: pages wait for it, phones do not
// need it. One that has not answered for mostSilent is not. One whose database is away is
// away for every server: phones go on sending to this one.
const (
	busyWait   = 500 * time.Millisecond
	mostSilent = 5 * time.Minute
)

func (h *house) warehouseCheck() serve.Check {
	return serve.Standing(serve.Check{Name: "warehouse", Do: func(ctx context.Context) error {
		_, err := h.facts.Position(ctx)
		if dtm.KindOf(err) == dtm.Unavailable {
			return nil
		}
		return err
	}}, busyWait, mostSilent)
}

// mostAnnounced is more than any page takes: a history of movements may have a gigabyte.
const mostAnnounced = 1<<30 + 1<<20

// largeBodies is how many bytes of large requests are held at once: XML and
// workbooks cost several times their size while they are read.
const largeBodies = 16 << 20

func (h *house) gauge(read func(context.Context) (int64, error)) func() float64 {
	return func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := read(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	}
}
