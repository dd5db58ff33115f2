package main

import (
	"context"
	"iter"
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

// attachments is where photos and attachments are: a folder or a bucket.
type attachments interface {
	dtm.Blobs
	// Each gives the addresses of all that is stored.
	Each(ctx context.Context) iter.Seq2[string, error]
	// Try writes as Put does, and reads it back.
	Try(ctx context.Context) error
}

// mediaDir is the folder of photos and attachments; "" when they are in a bucket.
func mediaDir(dir string, cfg config.Config) string {
	if _, _, ok := blob.S3Place(cfg.Media); ok {
		return ""
	}
	if cfg.Media != "" {
		return cfg.Media
	}
	return filepath.Join(dir, blobName)
}

func openMedia(ctx context.Context, dir string, cfg config.Config) (attachments, error) {
	if bucket, prefix, ok := blob.S3Place(cfg.Media); ok {
		return blob.NewS3(ctx, blob.Bucket{
			Endpoint: cfg.S3Endpoint, Region: cfg.S3Region, Name: bucket, Prefix: prefix,
			Access: cfg.S3Access, Secret: cfg.S3Secret, Spool: filepath.Join(dir, spoolName),
		})
	}
	if cfg.Media != "" {
		return blob.Shared(cfg.Media)
	}
	return blob.NewDisk(mediaDir(dir, cfg))
}
