package web

import (
	"net/http"
	"time"

	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

// Retained is one line of the retention schedule: Days 0 keeps the kind for good. Due is
// what lies before Before now, Held what would but is held back, Gone what was erased.
type Retained struct {
	Kind            string
	Days            int
	Before          time.Time
	Due, Held, Gone int
}

type retentionView struct {
	page
	Rows    []retainedRow
	Nightly bool
	Due     int
	Done    string
}

type retainedRow struct {
	Retained
	Name, What, Until string
}

// retention shows the schedule and what is due: a dry run.
func (p *Pages) retention(w http.ResponseWriter, r *http.Request) error {
	return p.showRetention(w, r, false)
}

// retain erases what is due.
func (p *Pages) retain(w http.ResponseWriter, r *http.Request) error {
	return p.showRetention(w, r, true)
}

func (p *Pages) showRetention(w http.ResponseWriter, r *http.Request, do bool) error {
	ctx := event.WithActor(r.Context(), actor(r))
	v := retentionView{page: p.inside(r, "retention", "retention.title", "/retention/"), Nightly: p.Staff.RetainNightly}
	list, err := p.Staff.Retention(ctx, do)
	if err != nil {
		return err
	}
	gone := 0
	for _, x := range list {
		row := retainedRow{Retained: x, Name: v.T("retention." + x.Kind), What: v.T("retention." + x.Kind + ".what"), Until: v.T("retention.forever")}
		if x.Days > 0 {
			row.Until = v.T("retention.days", x.Days)
		}
		if do {
			row.Due -= x.Gone
		}
		v.Due += row.Due
		gone += x.Gone
		v.Rows = append(v.Rows, row)
	}
	if do {
		v.Done = locale.Say(v.Lang, "retention.done", gone)
	}
	return p.show(w, http.StatusOK, "retention", v)
}

// retentionRoutes are the pages about the schedule.
func (p *Pages) retentionRoutes(through func(string, gate, func(http.ResponseWriter, *http.Request) error)) {
	through("GET /retention/{$}", gate{action: access.ReadRetention}, p.retention)
	through("POST /retention/{$}", gate{action: access.Retain, proven: true}, p.retain)
}
