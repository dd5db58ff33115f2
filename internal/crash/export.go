package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/store/sqlite"
)

const officeUser = "office@example.org"

// employ lets somebody at the office take tables out, by a password with each request as
// spreadsheets do.
func employ(ctx context.Context, db *sqlite.DB, r io.Reader) error {
	hash, err := access.HashPassword(ctx, r, password)
	if err != nil {
		return err
	}
	return db.AddUser(ctx, dtm.User{Email: officeUser, Role: dtm.RoleManager}, hash)
}

var exported = regexp.MustCompile(`uuid:crash-\d+`)

// tables are what may be under way at a kill: all records of a form, as files and as pages.
var tables = []string{"forms/fmr/submissions.csv.zip", "forms/fmr.svc/Submissions", "forms/fmr/submissions.csv"}

// export takes a table out. One that came whole must have every record that a phone was
// told is received before it was asked for.
func (c *Campaign) export(ctx context.Context, path string) {
	due := c.crowd.groupsAcknowledged()
	ids, err := c.table(ctx, path)
	if err != nil {
		return // the server was killed, or its clock let nobody in
	}
	missing := 0
	for _, id := range due {
		if !ids[id] {
			missing++
			c.Tell("%s, whole, of %d: %s is not in it", path, len(ids), id)
		}
	}
	c.crowd.mu.Lock()
	defer c.crowd.mu.Unlock()
	c.exports++
	c.missing += missing
}

// table is the records of a table that came whole.
func (c *Campaign) table(ctx context.Context, path string) (map[string]bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/v1/projects/1/"+path, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(officeUser, password)
	res, err := c.crowd.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err == nil && strings.HasSuffix(path, ".zip") {
		b, err = unzipped(b)
	}
	if err == nil && strings.HasSuffix(path, "Submissions") && !json.Valid(b) {
		err = errors.New("half an answer")
	}
	ids := map[string]bool{}
	for _, id := range exported.FindAll(b, -1) {
		ids[string(id)] = true
	}
	return ids, err
}

// unzipped is all files of an archive; one that was cut short is an error.
func unzipped(b []byte) (all []byte, err error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

// groupsAcknowledged is which records of groups phones were told are received.
func (c *crowd) groupsAcknowledged() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.acked {
		if c.sent[id].name == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// office does one thing that reads or writes much while the server lives.
func (c *Campaign) office(ctx context.Context, r *rand.Rand) {
	const month = "2026-10"
	jobs := [][]string{
		{"backup", "-data", c.data, "-out", filepath.Join(c.dir, "backup")},
		{"release", "create", "-data", c.data, "-month", month},
		{"indicator", "-data", c.data, "total_movements", "-from", month, "-by", "point,sex"},
		{"quality", "-data", c.data, "-month", month},
		{"report", "-data", c.data, "-month", month, "-lang", "fr", "-out", filepath.Join(c.dir, "report.pdf")},
	}
	if n := r.IntN(len(jobs) + len(tables)); n < len(jobs) {
		_, _ = c.dtm(ctx, jobs[n]...)
	} else {
		c.export(ctx, tables[n-len(jobs)])
	}
}
