package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

type logView struct {
	page
	Events        []eventRow
	Older, Newest string
	Kinds         []option
	Signs         bool // there is a page of signed states
}

type eventRow struct {
	dtm.Event
	What, Who string
}

// logKinds are how names of events begin, by what a reader looks for.
var logKinds = []string{"submission", "review", "flag", "point", "areas", "silence", "release", "form", "device", "entity", "user", "data", "access", "rule", "webhook", "person", "referral", "consent", "case_note", "desk", "agreement", "glass", "retention"}

// log shows the newest entries of the audit log, all or of a kind.
func (p *Pages) log(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v := logView{page: p.inside(r, "log", "staff.log", "/log"), Signs: p.Staff.Signing != nil}
	f := dtm.EventFilter{Name: q.Get("what"), Limit: pageRows + 1}
	if !slices.Contains(logKinds, f.Name) {
		f.Name = ""
	}
	if n, err := strconv.ParseInt(q.Get("until"), 10, 64); err == nil && n > 0 {
		f.Until = n
	}
	list, err := p.Staff.Audit.FindEvents(ctx, f)
	if err != nil {
		return err
	}
	at := func(until int64) string {
		to := url.Values{}
		if f.Name != "" {
			to.Set("what", f.Name)
		}
		if until > 0 {
			to.Set("until", strconv.FormatInt(until, 10))
		}
		return strings.TrimSuffix(v.Link("/staff/log?"+to.Encode()), "?")
	}
	if len(list) > pageRows {
		v.Older, list = at(list[pageRows].Seq), list[:pageRows]
	}
	if f.Until > 0 {
		v.Newest = at(0)
	}
	v.Kinds = []option{{"", v.T("log.kind.all"), f.Name == ""}}
	for _, k := range logKinds {
		v.Kinds = append(v.Kinds, option{k, v.T("log.kind." + k), k == f.Name})
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		v.Events = append(v.Events, eventRow{Event: e, What: v.EventName(e.Name), Who: v.Actor(e.Actor, names)})
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
