package main

import (
	"context"
	"log/slog"
	"maps"
	"strconv"
	"time"

	"dtm"
	"dtm/event"
	"dtm/gather/entity"
)

// model is what a form declares of entities.
func (c *formCache) model(ctx context.Context, id, version string) (*entity.Model, error) {
	key := id + "\x00" + version
	if m, ok := c.models.Load(key); ok {
		return m.(*entity.Model), nil
	}
	f, err := c.forms.Form(ctx, id, version)
	if err != nil {
		return nil, err
	}
	m, err := entity.ReadModel(id, f.XForm)
	if err != nil {
		return nil, err
	}
	c.models.Store(key, m)
	return m, nil
}

// reads names the lists that a form reads.
func (c *formCache) reads(_ context.Context, f dtm.Form) []string {
	key := f.ID + "\x00" + f.Version
	if names, ok := c.lists.Load(key); ok {
		return names.([]string)
	}
	names := entity.Reads(f.XForm)
	c.lists.Store(key, names)
	return names
}

// follower does to entity lists what forms and submissions say.
func (h *house) follower(ctx context.Context) *entity.Follower {
	return &entity.Follower{Log: h.db, Submissions: h.db, Entities: h.db, Progress: h.db, Now: h.now,
		Lists: func(ctx context.Context, form, version string) ([]dtm.EntityList, error) {
			m, err := h.forms.model(ctx, form, version)
			if err != nil {
				return nil, err
			}
			return m.Lists(), nil
		},
		Declared: func(ctx context.Context, s dtm.Submission) ([]entity.Declared, error) {
			m, err := h.forms.model(ctx, s.Form, s.Version)
			if err != nil {
				return nil, err
			}
			return m.Declared(s.XML)
		},
		Failed: func(err error) {
			slog.ErrorContext(ctx, "following entities failed; it will be tried again", "error", err)
		},
	}
}

// scope is the part of entity lists that a device gets: what lies at its point or
// in its region, and what says neither.
func (h *house) scope(d dtm.Device) dtm.EntityScope {
	p, ok := h.op.Point(d.Point)
	if !ok {
		return dtm.EntityScope{}
	}
	return dtm.EntityScope{Point: p.Code, Region: p.Area}
}

const (
	pointList  = "points"
	pointsFile = pointList + ".csv"
)

// syncPoints brings the entity list of points up to the register of the operation:
// phones get them like every other list. A point's code is its entity's id.
func (h *house) syncPoints(ctx context.Context, now time.Time) error {
	ctx = event.WithActor(ctx, event.System)
	err := h.db.DeclareEntityList(ctx, dtm.EntityList{Name: pointList, Properties: []dtm.EntityProperty{
		{Name: "region"}, {Name: "lat"}, {Name: "lon"}}})
	if err != nil {
		return err
	}
	list, _, err := h.db.Entities(ctx, dtm.EntityFilter{List: pointList})
	if err != nil {
		return err
	}
	is := map[string]dtm.Entity{}
	for _, e := range list {
		is[e.ID] = e
	}
	var w dtm.EntityWork
	for _, p := range pointsAt(h.op, now) {
		v := dtm.EntityVersion{Label: p.Name.In(dtm.English), Data: map[string]string{"region": p.Area}, Source: "register of points"}
		if p.Positioned {
			v.Data["lat"], v.Data["lon"] = strconv.FormatFloat(p.Lat, 'f', -1, 64), strconv.FormatFloat(p.Lon, 'f', -1, 64)
		}
		e, known := is[p.Code]
		delete(is, p.Code)
		if known && e.Deleted == nil && e.Current.Label == v.Label && maps.Equal(e.Current.Data, v.Data) {
			continue
		}
		v.Base, v.Received = e.Current.Number, v.Data
		w.Changes = append(w.Changes, dtm.EntityChange{List: pointList, ID: p.Code, After: e.Current.Number, Version: &v, Conflict: e.Conflict})
	}
	for id, e := range is {
		if e.Deleted == nil && e.Current.Source == "register of points" {
			w.Changes = append(w.Changes, dtm.EntityChange{List: pointList, ID: id, After: e.Current.Number, Conflict: e.Conflict, Deleted: true})
		}
	}
	if len(w.Changes) == 0 {
		return nil
	}
	return h.db.ChangeEntities(ctx, w)
}

// keepPoints repeats what was done when the register changed, because points open,
// close, move and get other names on a day.
func (h *house) keepPoints(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		err := h.followRegister(ctx)
		if err == nil {
			err = h.syncPoints(ctx, time.Now())
		}
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "the list of points could not be brought up to date; it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
