package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"dtm"
	"dtm/demo"
	"dtm/event"
	"dtm/gather/xlsform"
	"dtm/internal/pgtest"
	"dtm/operation"
	"dtm/store/sqlite"
)

// benchMove takes a folder with n submissions to a PostgreSQL server of its own and back
// into the folder, and holds the hashes of both ways against each other. A folder given
// keeps what was filled; the move is done with a copy of it.
func benchMove(bin, folder string, n int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	beside := "" // the temporary folder
	if folder != "" {
		beside = filepath.Dir(folder)
	}
	dir, err := os.MkdirTemp(beside, "dtm-move-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	line("measure", "seen", "allowed")
	if folder == "" {
		folder = filepath.Join(dir, "filled")
	}
	began := time.Now()
	if err := lived(bin, folder, n); err != nil {
		return err
	}
	line(fmt.Sprintf("folder with %d submissions", n), "ready after "+time.Since(began).Round(time.Second).String(), "")
	data := filepath.Join(dir, "data")
	if err := os.CopyFS(data, os.DirFS(folder)); err != nil {
		return err
	}
	cluster, err := database()
	if err != nil {
		return err
	}
	defer cluster.Stop()
	url := cluster.Address("dtm")
	var hashes [2][]string
	for i, way := range []struct{ what, from, to string }{{"to PostgreSQL", data, url}, {"and back", url, data}} {
		out, took, rss, err := said(bin, "move", "-from", way.from, "-to", way.to)
		if err != nil {
			return err
		}
		hashes[i] = hashed.FindAllString(out, -1)
		sum := summary.FindString(out)
		if sum == "" || len(hashes[i]) == 0 {
			return fmt.Errorf("move said %s", out)
		}
		line("  "+way.what, fmt.Sprintf("%.0f s, %d MB", took.Seconds(), rss>>20), "")
		line("", sum, "")
		checked, took, rss, err := said(bin, "check", "-data", data)
		if err != nil {
			return err
		}
		line("  check there", fmt.Sprintf("%.0f s, %d MB", took.Seconds(), rss>>20), strings.ReplaceAll(strings.TrimSpace(checked), "\n", "; "))
	}
	if !slices.Equal(hashes[0], hashes[1]) {
		return fmt.Errorf("it went as\n%s\nand came back as\n%s", strings.Join(hashes[0], "\n"), strings.Join(hashes[1], "\n"))
	}
	line("hashes of the tables, both ways", fmt.Sprintf("%d equal", len(hashes[0])), "all")
	return nil
}

var (
	hashed  = regexp.MustCompile(`(?m)^\w+ +\d+ rows  [0-9a-f]+$`)
	summary = regexp.MustCompile(`(?m)^\d+ rows of \d+ tables.*$`)
)

// database starts a PostgreSQL server whose commits are on disk, with an empty database dtm.
func database() (*pgtest.Cluster, error) {
	ctx := context.Background()
	c, err := pgtest.New(true)
	if err != nil {
		return nil, err
	}
	if err = c.Start(); err == nil {
		var k *pgx.Conn
		if k, err = pgx.Connect(ctx, c.Address("postgres")); err == nil {
			_, err = k.Exec(ctx, "CREATE DATABASE dtm")
			err = errors.Join(err, k.Close(ctx))
		}
	}
	if err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// lived makes a data folder with n submissions of the registry, loaded and read as a server
// does; one that is there already is taken as it is.
func lived(bin, data string, n int) error {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	making := data + ".making"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	if _, _, err := run(bin, "init", "-data", making); err != nil {
		return err
	}
	if err := received(making, n); err != nil {
		return err
	}
	s, _, err := start(bin, making)
	if err != nil {
		return err
	}
	if err := follows(s.base, time.Hour); err != nil {
		return errors.Join(err, s.stop())
	}
	s.rest(time.Hour)
	if err := s.stop(); err != nil {
		return err
	}
	return os.Rename(making, data)
}

// received puts n submissions of the registry into a folder's store by the way that those
// of phones take, many at once.
func received(data string, n int) error {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return err
	}
	registry, _ := op.Form("fmr")
	form, _, err := xlsform.Read(registry.File, registry.Data)
	if err != nil {
		return err
	}
	ctx := event.WithActor(context.Background(), event.System)
	db, err := sqlite.Open(ctx, filepath.Join(data, "dtm.db"), sqlite.Options{Operation: op.Code})
	if err != nil {
		return err
	}
	defer db.Close()
	phone, _, err := db.AddDevice(ctx, "bench", "")
	if err != nil {
		return err
	}
	work := make(chan demo.Instance, 1000)
	first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -300)
	var stored atomic.Int64
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		defer close(work)
		for i := 0; ; i++ {
			for _, x := range demo.Day(op, form, first, first.AddDate(0, 0, i%300), uint64(i/300)+1) {
				if stored.Add(1) > int64(n) {
					return nil
				}
				select {
				case work <- x:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	})
	for range 128 {
		all.Go(func() error {
			for x := range work {
				if _, err := db.Receive(ctx, dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Device: phone.ID, Received: x.Sent(), XML: x.XML}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return db.Close()
}
