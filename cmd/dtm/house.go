package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dtm"
	"dtm/access"
	"dtm/analyse/indicator"
	"dtm/analyse/load"
	"dtm/config"
	"dtm/disseminate/guard"
	"dtm/event"
	"dtm/gather/bulk"
	"dtm/operation"
	"dtm/seal"
	"dtm/serve"
	"dtm/store/relational"
)

// house is an open data folder with its rooms joined.
type house struct {
	screening sync.Map // form NUL version -> whether it asks for referrals

	dir       string
	config    config.Config
	op        *dtm.Operation
	db        *relational.DB
	blobs     attachments
	facts     facts
	figures   *indicator.Engine // internal: not guarded
	public    dtm.Figures       // what may leave
	published *outside          // what has left
	shelf     *shelf            // of frozen releases
	editor    *editor           // of the words of reports
	loader    *load.Loader
	forms     *formCache
	team      team // enumerators' figures, kept a while
	imports   underway
	asked     askable      // figures to be asked in SQL
	visits    atomic.Int64 // pages asked for
	now       func() time.Time

	draining sync.Once
	drained  *serve.Drain
	shelving sync.Mutex // one backup at a time
	doorway  sync.Once
	signIns  *access.Door

	tracing sync.Once
	traces  *access.Trail

	key     seal.Key // of what is sealed; the zero Key when its file is lost
	seconds *access.Seconds

	printer    printer
	life       context.Context // ends when the house is closed
	end        context.CancelFunc
	loading    sync.WaitGroup
	stop       context.CancelFunc
	background context.Context // of work that goes on when a request has ended
	unlock     func() error
}

// folders opens data folders for commands: the one that a server has open, or a
// new one.
type folders struct{ running *house }

// open returns the house of a data folder and what to call when done with it.
func (c *call) open(ctx context.Context, data string) (*house, func(), error) {
	if data == "" {
		return nil, nil, wrongUse("-data is missing: which data folder?")
	}
	dir := realPath(c.path(data))
	if r := c.folders.running; r != nil {
		if r.dir != dir {
			return nil, nil, dtm.Errorf(dtm.Internal, "asked for %s, serving %s", dir, r.dir)
		}
		cfg := r.config
		if err := c.enginesOf(&cfg); err != nil {
			return nil, nil, err
		}
		if cfg != r.config {
			return nil, nil, dtm.Errorf(dtm.Conflict, "the server of this folder runs on another store or warehouse; leave -store and -warehouse out, or stop it first").At(data)
		}
		return r, func() {}, nil
	}
	if _, err := os.Stat(filepath.Join(dir, config.FileName)); err != nil {
		return nil, nil, dtm.Errorf(dtm.NotFound, "this is not a data folder; make one with `dtm init -data %s`", data).At(data)
	}
	cfg, err := config.FromFolder(os.DirFS(dir), c.env, os.ReadFile)
	if err != nil {
		return nil, nil, err
	}
	if err := c.enginesOf(&cfg); err != nil {
		return nil, nil, err
	}
	h, err := openHouse(ctx, dir, cfg, time.Now)
	if err != nil {
		return nil, nil, err
	}
	return h, func() {
		if err := h.close(); err != nil {
			fmt.Fprintln(c.err, "dtm: closing the data folder:", err)
		}
	}, nil
}

// loadOperation reads a pack by name or from a folder.
func loadOperation(name string) (*dtm.Operation, error) {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		return operation.Load(os.DirFS(name))
	}
	return operation.Pack(name)
}

func openHouse(ctx context.Context, dir string, cfg config.Config, now func() time.Time) (_ *house, err error) {
	h := &house{dir: dir, config: cfg, now: now}
	if h.op, err = loadOperation(cfg.Operation); err != nil {
		return nil, err
	}
	h.op.Synthetic = h.op.Synthetic || cfg.Synthetic
	f, err := lock(dir)
	if err != nil {
		return nil, err
	}
	h.unlock = func() error { return unlock(f) }
	h.life, h.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if err := h.readKey(ctx); err != nil {
		return nil, err
	}
	if h.db, err = h.openStore(ctx, relational.Options{Operation: h.op.Code, Now: now, Keys: h.keysPlace(), Seal: h.key, Programmes: h.op.Programmes, Redact: h.redact}); err != nil {
		return nil, err
	}
	if err := h.db.TitleForms(ctx, titlesOf); err != nil {
		return nil, err
	}
	if err := h.followRegister(ctx); err != nil {
		return nil, err
	}
	if h.blobs, err = openMedia(ctx, dir, cfg); err != nil {
		return nil, err
	}
	if err := h.followAreas(ctx); err != nil {
		return nil, err
	}
	if h.facts, err = h.openFacts(ctx); err != nil {
		return nil, err
	}
	if h.figures, err = indicator.New(h.op, tracedFacts{h.facts}); err != nil {
		return nil, err
	}
	h.published = &outside{h: h}
	h.public = h.guarded(h.figures, h.op, guard.After(h.published.before(nil)))
	h.shelf = &shelf{h: h}
	h.editor = &editor{editions: h.db, h: h}
	h.forms = &formCache{op: h.op, forms: h.db}
	if err = h.readRules(ctx); err != nil {
		return nil, err
	}
	h.loader = &load.Loader{
		Operation: h.op, Events: h.db, Submissions: h.db, Chunks: h.db, Warehouse: tracedFacts{h.facts}, Register: h.followRegister, Arrival: h.forms.arrival,
		DecodeChunk: bulk.Decode, DecodeSubmission: h.forms.facts, Flagged: h.flag,
		Loaded: func(r load.Result) {
			for _, p := range r.Problems {
				slog.WarnContext(ctx, "submission without facts", "event", p.Event.Seq, "error", p.Err)
			}
		},
	}
	return h, nil
}

// start loads in the background until close; what fails is tried again.
func (h *house) start(ctx context.Context) {
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.background = ctx
	for name, work := range map[string]func(context.Context){
		"entities":  func(ctx context.Context) { _ = h.follower(ctx).Run(ctx) },
		"webhooks":  func(ctx context.Context) { _ = h.sender(ctx).Run(ctx) },
		"telling":   h.keepSubscriptions,
		"readings":  h.readings,
		"nightly":   h.nightly,
		"watch":     h.keepWatch,
		"referrals": h.keepReferrals,
		"backups":   h.keepBackups,
		"signing":   h.keepCheckpoints,
	} {
		h.loading.Go(func() { h.alone(ctx, name, work) })
	}
	if h.config.Store != "" {
		h.loading.Go(func() { h.hearOthers(ctx) })
	}
	h.loading.Go(func() { h.keepPoints(ctx) })
	h.loading.Go(func() { h.keepChosen(ctx) })
	h.loading.Go(func() {
		for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, time.Minute) {
			if err := h.loader.Run(ctx); err != nil {
				slog.ErrorContext(ctx, "loading stopped; it will be tried again", "error", err, "pause", pause)
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		}
	})
}

// loadMeanwhile loads chunks while more of the file is read: reading and loading
// keep a processor each busy. An error is met again by current.
func (h *house) loadMeanwhile(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.loader.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// current brings the warehouse up to everything stored so far.
func (h *house) current(ctx context.Context) error {
	_, err := h.loader.CatchUp(ctx)
	return err
}

// guarded are figures that may leave, until close.
func (h *house) guarded(f dtm.Figures, op *dtm.Operation, options ...guard.Option) *guard.Guard {
	return guard.New(f, op, append(options, guard.Until(h.life))...)
}

func (h *house) close() error {
	h.end()
	if h.stop != nil {
		h.stop()
		h.loading.Wait()
	}
	var errs []error
	if h.shelf != nil {
		h.shelf.closeAll()
	}
	errs = append(errs, h.asked.close())
	if h.facts != nil {
		errs = append(errs, h.facts.Close())
	}
	if h.db != nil {
		errs = append(errs, h.db.Close())
	}
	errs = append(errs, h.printer.close(), h.unlock())
	return errors.Join(errs...)
}

// flag keeps what loading found odd about a submission. Loading may see a
// submission again; the same flags are not recorded twice.
func (h *house) flag(ctx context.Context, s dtm.Submission, facts dtm.Facts, flags []dtm.Flag) error {
	if slices.Equal(s.Flags, flags) {
		return nil
	}
	// When the log is loaded anew, what was found before a correction is not news.
	now, err := h.db.Standing(ctx, s.ID, 0)
	if err != nil {
		return err
	}
	if len(now.Changes) > len(s.Changes) {
		return nil
	}
	rules := h.forms.rules()
	at := dtm.FlagPlace{Severity: func(rule string) int { return rules.Severity(rule).Rank() }}
	where, day := facts.At()
	at.Point, at.Day = where.Point, day
	if at.Point == "" && len(facts.Movements) == 0 { // a site, or nothing that says where
		if at.Point, err = h.postOf(ctx, s.Device); err != nil {
			return err
		}
	}
	return h.db.FlagAt(event.WithActor(ctx, "system"), s.ID, at, flags)
}

// postOf is the point of a device; "" when it has none.
func (h *house) postOf(ctx context.Context, device string) (string, error) {
	list, err := h.db.Devices(ctx)
	for _, d := range list {
		if d.ID == device {
			return d.Point, err
		}
	}
	return "", err
}

func (h *house) baseURL() string {
	if h.config.BaseURL != "" {
		return h.config.BaseURL
	}
	if d := h.domains(); len(d) > 0 {
		return "https://" + d[0]
	}
	if h.config.TLSCert != "" {
		return "https://" + h.config.Listen
	}
	return "http://" + h.config.Listen
}
