package web

import (
	"net/http"
	"strings"
	"time"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

type webhooksView struct {
	page
	Hooks   []webhookRow
	Forms   []option
	URL     string // as typed
	Message string
	New     *dtm.Webhook // with its secret, shown this once
	Told    string
}

type webhookRow struct {
	dtm.Webhook
	Told, PausedAt, Latest string
	Log                    []deliveryRow
}

type deliveryRow struct{ When, What, Subject, Href, State, Answer string }

func (p *Pages) webhooks(w http.ResponseWriter, r *http.Request) error {
	return p.showWebhooks(w, r, http.StatusOK, webhooksView{})
}

// deliveriesShown is how many entries of a webhook's log are on the page.
const deliveriesShown = 20

func (p *Pages) showWebhooks(w http.ResponseWriter, r *http.Request, status int, v webhooksView) error {
	ctx := r.Context()
	v.page = p.inside(r, "webhooks", "staff.webhooks", "/webhooks/")
	list, err := p.Staff.Webhooks.Webhooks(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		row := webhookRow{Webhook: x, Told: v.T("webhook.all")}
		if len(x.Forms) > 0 {
			row.Told = together(v.Lang, x.Forms)
		}
		for _, e := range x.Events {
			row.Told += " · " + v.EventName(e)
		}
		if x.Paused != nil {
			row.PausedAt = v.When(*x.Paused)
		}
		log, err := p.Staff.Webhooks.Deliveries(ctx, x.ID, deliveriesShown)
		if err != nil {
			return err
		}
		for _, d := range log {
			line := deliveryRow{When: v.When(d.Created), What: v.EventName(d.Name), Subject: d.Subject}
			if d.Name != dtm.SubscriptionMessageName {
				line.Href = v.Link("/staff/submissions/" + d.Subject)
			}
			switch {
			case d.Done != nil && d.Problem != "":
				line.State = v.T("webhook.given_up")
			case d.Done != nil:
				line.State = v.T("webhook.told")
			default:
				line.State = v.T("webhook.waiting.until", v.When(d.Next))
			}
			if line.Answer = d.Problem; line.Answer == "" && d.Status > 0 {
				line.Answer = http.StatusText(d.Status)
			}
			row.Log = append(row.Log, line)
		}
		v.Hooks = append(v.Hooks, row)
	}
	forms, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return err
	}
	v.Forms = []option{{"", v.T("filter.all.form"), true}}
	for _, f := range forms {
		v.Forms = append(v.Forms, option{f.ID, f.TitleIn(v.Lang), false})
	}
	return p.show(w, status, "webhooks", v)
}

// addWebhook adds an address in the public network; one in a private network is
// allowed with the program's command alone, by somebody who has the machine.
func (p *Pages) addWebhook(w http.ResponseWriter, r *http.Request) error {
	v := webhooksView{URL: strings.TrimSpace(r.PostFormValue("url"))}
	h := dtm.Webhook{URL: v.URL, Events: []string{dtm.SubmissionReceived}}
	if r.PostFormValue("flagged") != "" {
		h.Events = append(h.Events, dtm.SubmissionFlagged)
	}
	if form := r.PostFormValue("form"); form != "" {
		h.Forms = []string{form}
	}
	err := p.Staff.CheckWebhook(h.URL)
	if err == nil {
		h, err = p.Staff.Webhooks.AddWebhook(event.WithActor(r.Context(), actor(r)), h)
	}
	if err != nil && dtm.KindOf(err) != dtm.Internal {
		v.Message = locale.Error(p.guess(r), err)
		return p.showWebhooks(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	return p.showWebhooks(w, r, http.StatusOK, webhooksView{New: &h})
}

// workWebhook tries, resumes or removes one.
func (p *Pages) workWebhook(w http.ResponseWriter, r *http.Request) error {
	ctx, id, l := event.WithActor(r.Context(), actor(r)), r.PathValue("id"), p.guess(r)
	var err error
	v := webhooksView{}
	switch r.PostFormValue("do") {
	case "test":
		start, status := p.Now(), 0
		status, err = p.Staff.TryWebhook(ctx, id)
		if err == nil {
			v.Told = locale.Say(l, "webhook.tested", status, int(p.Now().Sub(start)/time.Millisecond))
		} else if dtm.KindOf(err) != dtm.Internal {
			v.Message = locale.Say(l, "webhook.test.failed", dtm.Public(err))
			return p.showWebhooks(w, r, http.StatusOK, v)
		}
	case "resume":
		err = p.Staff.Webhooks.ResumeWebhook(ctx, id)
	case "remove":
		err = p.Staff.Webhooks.RemoveWebhook(ctx, id)
	default:
		err = dtm.Errorf(dtm.Invalid, "a webhook is tested, resumed or removed").Coded("webhook.act")
	}
	if err != nil {
		return err
	}
	if v.Told != "" {
		return p.showWebhooks(w, r, http.StatusOK, v)
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/webhooks/", http.StatusSeeOther)
	return nil
}
