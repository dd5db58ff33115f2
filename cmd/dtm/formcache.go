package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// formCache reads each published version of a form once.
type formCache struct {
	op    *dtm.Operation
	forms dtm.Forms
	read  sync.Map // id NUL version -> *xlsform.Form

	models sync.Map // id NUL version -> *entity.Model
	lists  sync.Map // id NUL version -> names of lists
}

func (c *formCache) form(ctx context.Context, id, version string) (*xlsform.Form, error) {
	key := id + "\x00" + version
	if f, ok := c.read.Load(key); ok {
		return f.(*xlsform.Form), nil
	}
	stored, err := c.forms.Form(ctx, id, version)
	if err != nil {
		return nil, err
	}
	f, _, err := xlsform.Read(stored.SourceName, stored.Source)
	if err != nil {
		return nil, err
	}
	c.read.Store(key, f)
	return f, nil
}

// movements is what a submission says, by the tags of its form.
func (c *formCache) movements(ctx context.Context, s dtm.Submission) ([]dtm.Movement, []dtm.Flag, error) {
	f, err := c.form(ctx, s.Form, s.Version)
	if err != nil {
		return nil, nil, err
	}
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return nil, nil, err
	}
	rows, flags := xform.Movements(c.op, f, in)
	return rows, append(slices.Clone(in.Flags), flags...), nil
}

// expected names the attachments that a submission's answers mention.
func (c *formCache) expected(form dtm.Form, xml []byte) []string {
	f, err := c.form(context.Background(), form.ID, form.Version)
	if err != nil {
		return nil
	}
	return xform.Files(f, xml)
}

func head(xml []byte) (openrosa.Head, error) {
	h, err := xform.Head(xml)
	return openrosa.Head{FormID: h.FormID, Version: h.Version, InstanceID: h.InstanceID, DeprecatedID: h.DeprecatedID, Encrypted: h.Encrypted}, err
}

// media gives a form its attachments as they are today: points.csv comes from
// the register, so a point that opens is on the phone at the next update.
func (c *formCache) media(now func() time.Time) func(context.Context, dtm.Form) ([]dtm.Media, error) {
	return func(ctx context.Context, form dtm.Form) ([]dtm.Media, error) {
		f, err := c.form(ctx, form.ID, form.Version)
		if err != nil {
			return nil, err
		}
		out := slices.Clone(form.Media)
		if slices.Contains(f.ExternalFiles(), pointsFile) && !slices.ContainsFunc(out, func(m dtm.Media) bool { return m.Name == pointsFile }) {
			m, err := pointsCSV(c.op, now())
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		return out, nil
	}
}

const pointsFile = "points.csv"

// pointsAt are the points that are open on the day, or have been within the year
// before it: groups registered on paper are entered late.
func pointsAt(op *dtm.Operation, now time.Time) (out []dtm.Point) {
	for _, p := range op.Points {
		if dtm.ValueAt(p.Status, now) == "open" || dtm.ValueAt(p.Status, now.AddDate(-1, 0, 0)) == "open" {
			out = append(out, p)
		}
	}
	return out
}

// pointsCSV lists the points for those who are no device.
func pointsCSV(op *dtm.Operation, now time.Time) (dtm.Media, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"name", "label", "region"}}
	for _, p := range pointsAt(op, now) {
		rows = append(rows, []string{p.Code, p.Name.In(dtm.English), p.Area})
	}
	if err := w.WriteAll(rows); err != nil {
		return dtm.Media{}, err
	}
	sum := md5.Sum(b.Bytes())
	return dtm.Media{Name: pointsFile, Type: "text/csv", Hash: "md5:" + hex.EncodeToString(sum[:]), Data: b.Bytes()}, nil
}
