// Package migration holds the steps of the tables' history, NNNN_name.sql, in SQLite's
// words. store/postgres runs the same files in its own words (doc/decisions/0050), but
// for those of which it has one of the same name.
package migration

import "embed"

// Files are the steps.
//
//go:embed *.sql
var Files embed.FS
