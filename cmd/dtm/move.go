package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"dtm"
	"dtm/config"
	"dtm/store/postgres"
	"dtm/store/relational"
	"dtm/store/sqlite"
)

// comingStore is the store that a move is bringing into a folder, movedStore what is
// left of one that was taken away.
const (
	comingStore = storeName + ".coming"
	movedStore  = storeName + ".moved"
)

// runMove takes the store of a data folder to PostgreSQL, or back: every row as it is,
// so that the log and its hashes are the same there. What was interrupted goes on when
// it is run again; nothing is served from a place that has a part only.
func runMove(ctx context.Context, c *call) error {
	fs := c.flags()
	from := fs.String("from", "", "data `folder`, or postgres://USER@HOST/DATABASE")
	to := fs.String("to", "", "postgres://USER@HOST/DATABASE, or data `folder`")
	anew := fs.Bool("anew", false, "remove what an earlier move brought there first")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	there, back := address("to", *to) == nil, address("from", *from) == nil
	if there == back || *from == "" || *to == "" {
		return wrongUse("a move is from a data folder to postgres://..., or from there to a data folder")
	}
	folder, url := *from, *to
	if back {
		folder, url = *to, *from
	}
	m := mover{c: c, dir: realPath(c.path(folder)), url: url, given: folder}
	if _, err := os.Stat(filepath.Join(m.dir, config.FileName)); err != nil {
		return dtm.Errorf(dtm.NotFound, "this is not a data folder; make one with `dtm init -data %s`", folder).At(folder)
	}
	held, err := lock(m.dir)
	if err != nil {
		return err
	}
	defer unlock(held)
	if m.config, err = config.FromFolder(os.DirFS(m.dir), c.env, os.ReadFile); err != nil {
		return err
	}
	op, err := loadOperation(m.config.Operation)
	if err != nil {
		return err
	}
	m.options = relational.Options{Operation: op.Code}
	if there {
		return m.there(ctx, *anew)
	}
	return m.back(ctx, *anew)
}

// mover is one move between a folder and a database.
type mover struct {
	c       *call
	dir     string
	given   string // the folder as it was typed
	url     string
	config  config.Config
	options relational.Options
}

func (m mover) file(name string) string { return filepath.Join(m.dir, name) }

// there takes the folder's store to the database.
func (m mover) there(ctx context.Context, anew bool) (err error) {
	if m.config.Store != "" && m.config.Store != m.url {
		return dtm.Errorf(dtm.Conflict, "the store of this folder is on another database already (setting store)").At(m.given)
	}
	if _, err := os.Stat(m.file(storeName)); err != nil {
		return dtm.Errorf(dtm.NotFound, "the folder has no store of its own: it was moved already").At(m.given)
	}
	from, err := sqlite.OpenPlace(ctx, m.file(storeName), m.options)
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			err = errors.Join(err, from.DB.Close())
		}
	}()
	to, err := postgres.OpenPlace(ctx, m.url, m.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.DB.Close()) }()
	if anew {
		if err := postgres.Forget(ctx, to); err != nil {
			return err
		}
	}
	if err := postgres.BeginMove(ctx, to); err != nil {
		return err
	}
	if err := m.carry(ctx, from, to); err != nil {
		return err
	}
	if err := m.setStore(m.url); err != nil {
		return err
	}
	if err := postgres.EndMove(ctx, to); err != nil {
		return err
	}
	// It stays as it was, under a name that nothing opens. Closed first: its log is
	// copied into it.
	open = false
	if err := from.DB.Close(); err != nil {
		return err
	}
	if err := os.Rename(m.file(storeName), m.file(movedStore)); err != nil {
		return err
	}
	fmt.Fprintf(m.c.out, "the store is on PostgreSQL now, and the folder's settings say so; the file it was in is %s\nnext: dtm check -data %s\n", movedStore, m.given)
	return nil
}

// back takes the operation's rows from the database into the folder.
func (m mover) back(ctx context.Context, anew bool) (err error) {
	if m.config.Store != m.url {
		return dtm.Errorf(dtm.Conflict, "the store of this folder is not on that database (setting store)").At(m.given)
	}
	if anew {
		if err := removeWarehouse(m.file(comingStore)); err != nil { // the file and its log
			return err
		}
	}
	from, err := postgres.OpenPlace(ctx, m.url, m.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.DB.Close()) }()
	if err := postgres.MarkMoving(ctx, from); err != nil {
		return err
	}
	name := comingStore
	if _, err := os.Stat(m.file(storeName)); err == nil {
		name = storeName // an earlier run came as far
	}
	to, err := sqlite.OpenPlace(ctx, m.file(name), m.options)
	if err != nil {
		return err
	}
	if err := errors.Join(m.carry(ctx, from, to), to.DB.Close()); err != nil {
		return err
	}
	if name == comingStore {
		if err := os.Rename(m.file(comingStore), m.file(storeName)); err != nil {
			return err
		}
	}
	if err := m.setStore(""); err != nil {
		return err
	}
	fmt.Fprintf(m.c.out, "the store is in the folder now, and its settings say so; the rows in the database stay, marked as moved away: nothing opens them\nnext: dtm check -data %s\n", m.given)
	return nil
}

// carry moves the rows and holds both places against each other, with a bar.
func (m mover) carry(ctx context.Context, from, to relational.Place) error {
	began := time.Now()
	bar := func(says string, total int64) (func(relational.Moving), func()) {
		b := progressbar.NewOptions64(total, progressbar.OptionSetWriter(m.c.err), progressbar.OptionSetDescription(says), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetVisibility(m.c.tty))
		return func(s relational.Moving) {
				if s.Total > 0 && s.Total != b.GetMax64() {
					b.ChangeMax64(s.Total)
				}
				_ = b.Set64(s.Done)
			}, func() {
				_ = b.Finish()
				if m.c.tty {
					fmt.Fprintln(m.c.err)
				}
			}
	}
	var rows int64
	tell, end := bar("moving", 1)
	err := relational.Move(ctx, from, to, func(s relational.Moving) { rows = s.Total; tell(s) })
	end()
	if err != nil {
		return err
	}
	moved := time.Since(began)
	sums := make([][]relational.Sum, 2)
	for i, p := range []relational.Place{from, to} {
		tell, end := bar([]string{"reading what was there", "reading what is here"}[i], max(rows, 1))
		sums[i], err = p.Sums(ctx, tell)
		end()
		if err != nil {
			return err
		}
	}
	if err := relational.Differ(sums[0], sums[1]); err != nil {
		return err
	}
	for _, s := range sums[0] {
		if s.Rows > 0 {
			fmt.Fprintf(m.c.out, "%-22s %9d rows  %s\n", s.Table, s.Rows, s.Hash[:16])
		}
	}
	fmt.Fprintf(m.c.out, "%d rows of %d tables, counts and hashes equal; moved in %s, compared in %s\n", rows, len(sums[0]), moved.Round(10*time.Millisecond), (time.Since(began) - moved).Round(10*time.Millisecond))
	return nil
}

// setStore writes the setting store into the folder's file, or takes it out.
func (m mover) setStore(url string) error { return setSetting(m.dir, "store", url) }

// setSetting writes a setting into the file of the data folder dir, or takes it out when
// value is empty.
func setSetting(dir, key, value string) error {
	file := filepath.Join(dir, config.FileName)
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^[ \t]*` + key + `[ \t]*=.*\n?`)
	text := line.ReplaceAllString(string(b), "")
	if value != "" {
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += fmt.Sprintf("%s = %q\n", key, value)
	}
	coming := file + ".coming"
	if err := os.WriteFile(coming, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(coming, file)
}
