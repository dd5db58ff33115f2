package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/load"
	"dtm/analyse/warehouse/duckdb"
	facttables "dtm/analyse/warehouse/postgres"
	"dtm/config"
	"dtm/store/blob"
	"dtm/store/postgres"
	"dtm/store/relational"
	"dtm/store/sqlite"
)

// facts is a warehouse of either kind.
type facts interface {
	load.Warehouse
	indicator.Warehouse
	Questions() dtm.Asking
	Close() error
}

// enginesOf writes -store and -warehouse over the settings.
func (c *call) enginesOf(cfg *config.Config) error {
	if c.engines == nil {
		return nil
	}
	return c.engines(cfg)
}

func (h *house) openStore(ctx context.Context, o relational.Options) (*relational.DB, error) {
	if h.config.Store == "" {
		return sqlite.Open(ctx, filepath.Join(h.dir, storeName), o)
	}
	if err := address("store", h.config.Store); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, h.config.Store, o)
}

func (h *house) openFacts(ctx context.Context) (facts, error) {
	if h.config.Warehouse == "" {
		return duckdb.Open(ctx, filepath.Join(h.dir, "facts.duckdb"), h.op)
	}
	if err := address("warehouse", h.config.Warehouse); err != nil {
		return nil, err
	}
	w, err := facttables.Open(ctx, h.config.Warehouse, h.op)
	if err != nil {
		return nil, err
	}
	return factTables{w}, nil
}

// address refuses what is none of a PostgreSQL database, so that a path is not taken for
// one.
func address(setting, url string) error {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return nil
	}
	return dtm.Errorf(dtm.Invalid, "the setting %s is the address of a PostgreSQL database, postgres://USER@HOST/DATABASE; without it the data folder is used", setting).At(setting)
}

// factTables is a warehouse on PostgreSQL. Questions in SQL are asked of DuckDB alone,
// which keeps them from everything but the views.
type factTables struct{ *facttables.Warehouse }

func (factTables) Questions() dtm.Asking { return unasked{} }

type unasked struct{}

func (unasked) Views() []dtm.View { return nil }

func (unasked) Ask(context.Context, string, int) (dtm.Answer, error) {
	return dtm.Answer{}, dtm.Errorf(dtm.Unsupported, "questions in SQL are answered by a warehouse in the data folder only; ask the figures instead, or run a second server without -warehouse").Coded("query.elsewhere")
}

// keysPlace is where the persons' keys are.
func (h *house) keysPlace() string {
	if h.config.Keys != "" {
		return h.config.Keys
	}
	return filepath.Join(h.dir, keysName)
}

// hasKeys tells whether there is already what a new key file could not open.
func (h *house) hasKeys(ctx context.Context) (bool, error) {
	for _, place := range []string{h.keysPlace(), h.config.Store} {
		there, err := false, error(nil)
		if strings.HasPrefix(place, "postgres") {
			there, err = postgres.HasSealed(ctx, place, h.op.Code)
		} else if place != "" {
			_, missing := os.Stat(place)
			there = missing == nil
		}
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// mediaDir is the folder of photos and attachments.
func (h *house) mediaDir() string {
	if h.config.Media != "" {
		return h.config.Media
	}
	return filepath.Join(h.dir, blobName)
}

func (h *house) openMedia() (*blob.Disk, error) {
	if h.config.Media != "" {
		return blob.Shared(h.config.Media)
	}
	return blob.NewDisk(h.mediaDir())
}
