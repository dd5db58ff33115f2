package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

type logView struct {
	page
	Events       []eventRow
	Older, Newer string
}

type eventRow struct {
	dtm.Event
	What, Who string
}

// log shows the newest entries of the audit log.
func (p *Pages) log(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := logView{page: p.inside(r, "log", "staff.log", "/log")}
	last, err := p.Staff.Events.Last(ctx)
	if err != nil {
		return err
	}
	until := last
	if n, err := strconv.ParseInt(r.URL.Query().Get("until"), 10, 64); err == nil && n > 0 && n < last {
		until = n
	}
	list, err := p.Staff.Events.Events(ctx, max(0, until-pageRows), int(min(until, pageRows)))
	if err != nil {
		return err
	}
	slices.Reverse(list)
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		row := eventRow{Event: e, What: v.EventName(e.Name), Who: v.Actor(e.Actor, names)}
		v.Events = append(v.Events, row)
	}
	at := func(n int64) string { return v.Link("/staff/log?until=" + strconv.FormatInt(n, 10)) }
	if until > pageRows {
		v.Older = at(until - pageRows)
	}
	if until < last {
		v.Newer = at(min(last, until+pageRows))
	}
	return p.show(w, http.StatusOK, "log", v)
}

// EventName says what an entry of the log records.
func (g page) EventName(name string) string {
	if s := g.T("event." + name); s != "event."+name {
		return s
	}
	return name
}

// Actor names an actor of the log, a device by its name.
func (g page) Actor(actor string, devices map[string]string) string {
	switch kind, id, _ := strings.Cut(actor, ":"); {
	case kind == "device" && devices[id] != "":
		return devices[id]
	case kind == "user":
		return id
	case actor == "system":
		return g.T("log.system")
	}
	return actor
}
