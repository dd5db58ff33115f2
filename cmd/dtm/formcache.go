package main

import (
	"bytes"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/check"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/gather/xpath"
)

// formCache reads each published version of a form once.
type formCache struct {
	op    *dtm.Operation
	forms dtm.Forms
	read  sync.Map // id NUL version -> *xlsform.Form

	seals  sync.Map // id NUL version -> *xform.Sealing
	checks sync.Map // id NUL version -> *checked
	models sync.Map // id NUL version -> *entity.Model
	lists  sync.Map // id NUL version -> names of lists

	inUse  atomic.Pointer[check.Rules]
	latest atomic.Pointer[remembered]
}

// rules are those that the operation uses now.
func (c *formCache) rules() check.Rules { return *c.inUse.Load() }

// form is nil without an error for a form that was published as an XForm: it has no
// labels and no tags to read.
func (c *formCache) form(ctx context.Context, id, version string) (*xlsform.Form, error) {
	key := id + "\x00" + version
	if f, ok := c.read.Load(key); ok {
		return f.(*xlsform.Form), nil
	}
	stored, err := c.forms.Form(ctx, id, version)
	if err != nil {
		return nil, err
	}
	var f *xlsform.Form
	if stored.SourceName != "" {
		if f, _, err = xlsform.Read(stored.SourceName, stored.Source); err != nil {
			return nil, err
		}
	}
	c.read.Store(key, f)
	return f, nil
}

// sealing is what a form seals; nil for one that seals nothing, that is not known, or
// that was published as an XForm: it has no tags.
func (c *formCache) sealing(ctx context.Context, id, version string) (*xform.Sealing, error) {
	key := id + "\x00" + version
	if s, ok := c.seals.Load(key); ok {
		return s.(*xform.Sealing), nil
	}
	f, err := c.form(ctx, id, version)
	if dtm.KindOf(err) == dtm.NotFound {
		return nil, nil
	}
	var s *xform.Sealing
	if err == nil && f != nil {
		s, err = xform.SealingOf(f)
	}
	if err == nil {
		c.seals.Store(key, s)
	}
	return s, err
}

// facts are what a submission says, by the tags of its form.
func (c *formCache) facts(ctx context.Context, s dtm.Submission) (facts dtm.Facts, flags []dtm.Flag, err error) {
	f, err := c.form(ctx, s.Form, s.Version)
	if err != nil {
		return facts, nil, err
	}
	if len(s.Changes) > 0 {
		if s.XML, err = xform.Amended(s.XML, s.Changes); err != nil {
			return facts, nil, err
		}
	}
	if f == nil {
		flags, err := c.recheck(ctx, s)
		return facts, flags, err
	}
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return facts, nil, err
	}
	if len(s.Changes) == 0 && len(s.XML) < rememberedXML {
		c.latest.Store(&remembered{s.ID, s.XML, in})
	}
	facts, flags = xform.Facts(c.op, f, in)
	again, err := c.recheck(ctx, s)
	if err != nil {
		return dtm.Facts{}, nil, err
	}
	flags = slices.Concat(without(in.Flags, again), again, flags)
	return facts, append(flags, c.quality(s, in, facts.Movements, flags)...), nil
}

// remembered is the submission that was read last: its facts are asked for and then
// how it came.
type remembered struct {
	id  string
	xml []byte
	in  *xform.Instance
}

// rememberedXML is the size in bytes from which answers are not remembered: read, they
// are many times as large.
const rememberedXML = 64 << 10

func (c *formCache) instance(f *xlsform.Form, s dtm.Submission) (*xform.Instance, error) {
	if l := c.latest.Load(); l != nil && l.id == s.ID && bytes.Equal(l.xml, s.XML) {
		return l.in, nil
	}
	return xform.Read(f, s.XML)
}

// arrival tells how a submission with movements came.
func (c *formCache) arrival(ctx context.Context, s dtm.Submission, rows []dtm.Movement) *warehouse.Arrival {
	m := &rows[0]
	a := &warehouse.Arrival{Device: s.Device, Observed: m.Observed, Point: m.Point, PointText: m.PointText, Received: s.Received, Hour: -1, Delay: -1}
	f, err := c.form(ctx, s.Form, s.Version)
	if err != nil || f == nil {
		return a
	}
	in, err := c.instance(f, s)
	if err != nil {
		return a
	}
	made := in.Circumstances()
	if !made.Start.IsZero() {
		a.Hour = made.Start.In(c.op.Zone).Hour()
	}
	if end := made.End; !end.IsZero() && !end.After(s.Received) {
		a.Delay = int(s.Received.Sub(end) / time.Minute)
	}
	if made.Positioned && math.Abs(made.Lon) <= 180 && math.Abs(made.Lat) <= 90 {
		a.Positioned, a.Lon, a.Lat = true, made.Lon, made.Lat
	}
	return a
}

// checked is a form as its expressions are re-checked, with the lists it came with.
type checked struct {
	model  *xform.Model
	lists  map[string]*xpath.Node
	sealed *xform.Sealing
}

func (k *checked) env(s dtm.Submission) xform.Env {
	return xform.Env{Now: s.Received, Lists: k.lists, Sealed: k.sealed}
}

// recheck flags what the form's own expressions say against a submission. A list
// of points or entities that changes by the day is not at hand: which point was
// open then is another rule's.
func (c *formCache) recheck(ctx context.Context, s dtm.Submission) ([]dtm.Flag, error) {
	k, err := c.checked(ctx, s.Form, s.Version)
	if err != nil {
		return nil, err
	}
	return k.flags(s), nil
}

func (k *checked) flags(s dtm.Submission) []dtm.Flag {
	return xform.Recheck(k.model, s.XML, k.env(s))
}

// readChecked reads a form as its expressions are checked again.
func readChecked(form dtm.Form) (*checked, error) {
	m, err := xform.ReadModel(form.XForm)
	if err != nil {
		return nil, err
	}
	k := &checked{model: m, lists: map[string]*xpath.Node{}}
	for _, file := range form.Media {
		if l, err := xform.ReadList(file.Name, file.Data); err == nil { // else it is a picture
			k.lists[file.Name] = l
		}
	}
	return k, nil
}

func (c *formCache) checked(ctx context.Context, id, version string) (*checked, error) {
	key := id + "\x00" + version
	known, ok := c.checks.Load(key)
	if !ok {
		form, err := c.forms.Form(ctx, id, version)
		if err != nil {
			return nil, err
		}
		made, err := readChecked(form)
		if err != nil {
			return nil, err
		}
		if made.sealed, err = c.sealing(ctx, id, version); err != nil {
			return nil, err
		}
		known, _ = c.checks.LoadOrStore(key, made)
	}
	return known.(*checked), nil
}

// without leaves out that an answer is missing where it is also required.
func without(flags, again []dtm.Flag) []dtm.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f dtm.Flag) bool {
		return f.Rule == "answer.missing" && slices.ContainsFunc(again, func(g dtm.Flag) bool { return g.Rule == "answer.required" && g.Path == f.Path })
	})
}

// expected names the attachments that a submission's answers mention.
func (c *formCache) expected(form dtm.Form, xml []byte) []string {
	ctx := context.Background()
	f, err := c.form(ctx, form.ID, form.Version)
	if err != nil {
		return nil
	}
	if f != nil {
		return xform.Files(f, xml)
	}
	k, err := c.checked(ctx, form.ID, form.Version)
	if err != nil {
		return nil
	}
	return xform.FilesOf(k.model, xml)
}

func head(xml []byte) (openrosa.Head, error) {
	h, err := xform.Head(xml)
	return openrosa.Head{FormID: h.FormID, Version: h.Version, InstanceID: h.InstanceID, DeprecatedID: h.DeprecatedID, Encrypted: h.Encrypted}, err
}

// pointsAt are the points that are open on the day, or have been within the year
// before it: groups registered on paper are entered late.
func pointsAt(op *dtm.Operation, now time.Time) (out []dtm.Point) {
	for _, p := range op.Network() {
		if dtm.ValueAt(p.Status, now) == "open" || dtm.ValueAt(p.Status, now.AddDate(-1, 0, 0)) == "open" {
			out = append(out, p)
		}
	}
	return out
}
