package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/disseminate/notify"
	"dtm/event"
	"dtm/locale"
)

// Subscribing is what the pages of subscriptions need.
type Subscribing struct {
	Subscriptions dtm.Subscriptions
	// Reach is how far a user may receive figures: Forbidden where no agreement stands.
	Reach func(ctx context.Context, u dtm.User) (dtm.Reach, error)
	// Check tells whether somebody of that reach may have a subscription, and whether it
	// is to one published figure.
	Check func(ctx context.Context, s dtm.Subscription, reach dtm.Reach) error
	// Try sends the latest news of a subscription now.
	Try func(ctx context.Context, id string) (dtm.SubscriptionMessage, error)
	// Words says news as messages do.
	Words func() notify.Words
	// Mail is nil when messages can go by e-mail.
	Mail func() error
}

// messagesShown is how many messages of a subscription are on the page.
const messagesShown = 20

type subscriptionsView struct {
	page
	Rows, Others                           []subscriptionRow
	Groups                                 []indicatorGroup
	Rules, Paces, Langs                    []option
	Regions, Points, Among, Reports        []option
	Message, Told, Refused, NoMail, Secret string
	Bound, URL                             string
	ByHook                                 bool
	Hour                                   string
}

type subscriptionRow struct {
	dtm.Subscription
	What, When, To, Says string
	Bad                  bool // it rests and nobody wished so
	Log                  []messageRow
}

type messageRow struct {
	When, State, Answer string
	Lines               []notify.Line
	Trial               bool
}

func (p *Pages) subscriptionRoutes(page func(pattern string, a access.Action, fn func(http.ResponseWriter, *http.Request) error)) {
	page("GET /subscriptions/{$}", access.ReceiveFigures, p.subscriptions)
	page("POST /subscriptions/{$}", access.ReceiveFigures, p.subscribe)
	page("POST /subscriptions/{id}", access.ReceiveFigures, p.workSubscription)
}

func (p *Pages) subscriptions(w http.ResponseWriter, r *http.Request) error {
	return p.showSubscriptions(w, r, http.StatusOK, subscriptionsView{})
}

// amongWhom are the people that a figure may be narrowed to.
var amongWhom = []string{"age=children", "age=adults", "sex=female", "sex=male"}

func (p *Pages) showSubscriptions(w http.ResponseWriter, r *http.Request, status int, v subscriptionsView) error {
	ctx, k := r.Context(), p.Staff.Subscribing
	v.page = p.inside(r, "subscriptions", "subscription.title", "/subscriptions/")
	l, chosen := v.Lang, func(name, value string) bool { return r.PostFormValue(name) == value }
	mine, err := k.Subscriptions.Subscriptions(ctx, v.User.Email)
	if err != nil {
		return err
	}
	for _, s := range mine {
		row, err := p.subscriptionRow(ctx, v.page, s)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, row)
	}
	if v.May(string(access.ManageUsers)) {
		all, err := k.Subscriptions.Subscriptions(ctx, "")
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.Owner == v.User.Email {
				continue
			}
			row, err := p.subscriptionRow(ctx, v.page, s)
			if err != nil {
				return err
			}
			v.Others = append(v.Others, row)
		}
	}
	if err := k.Mail(); err != nil {
		v.NoMail = locale.Error(l, err)
	}
	v.Hour = strconv.Itoa(dtm.DigestHour) + ":00"
	reach, err := k.Reach(ctx, v.User)
	if dtm.KindOf(err) == dtm.Forbidden && err != nil {
		v.Refused = locale.Error(l, err)
		return p.show(w, status, "subscriptions", v)
	}
	if err != nil {
		return err
	}
	var single []dtm.Indicator // those that are one figure
	for _, i := range p.Figures.Catalogue() {
		if len(i.Default) == 0 && !i.Share {
			single = append(single, i)
		}
	}
	v.Groups = groups(single, l, cmp.Or(r.PostFormValue("of"), "total_movements"))
	for _, x := range dtm.Rules {
		v.Rules = append(v.Rules, option{x, v.T("subscription.rule." + x), chosen("rule", x)})
	}
	for _, x := range dtm.Paces {
		v.Paces = append(v.Paces, option{x, v.T("subscription.pace." + x), chosen("pace", x)})
	}
	for _, x := range p.langs {
		v.Langs = append(v.Langs, option{string(x), ownNames[x], string(x) == cmp.Or(r.PostFormValue("lang"), string(l))})
	}
	if reach.Everywhere {
		v.Regions = []option{{"", v.T("filter.all.region"), false}}
	}
	for _, a := range p.Operation.Atlas().Areas {
		if a.Level == 1 && reach.Covers(a.Code) {
			v.Regions = append(v.Regions, option{a.Code, a.Name.In(l), chosen("region", a.Code)})
		}
	}
	v.Points = []option{{"", v.T("filter.all.point"), false}}
	for _, pt := range p.Operation.Network() {
		if reach.Covers(pt.Area) {
			v.Points = append(v.Points, option{pt.Code, pt.Name.In(l), chosen("point", pt.Code)})
		}
	}
	words := k.Words()
	v.Among = []option{{"", v.T("subscription.among.all"), false}}
	for _, x := range amongWhom {
		dim, code, _ := strings.Cut(x, "=")
		v.Among = append(v.Among, option{x, words.Label(dim, code, l), chosen("among", x)})
	}
	for _, x := range []string{dtm.ReportMonthly, dtm.ReportWeekly, dtm.ReportAnnual, dtm.ReportStranded} {
		v.Reports = append(v.Reports, option{x, words.Report(l, x, ""), chosen("of", x)})
	}
	for _, x := range p.Operation.Partners {
		if len(x.Brief) > 0 {
			v.Reports = append(v.Reports, option{dtm.ReportPartner + "-" + x.Code, words.Report(l, dtm.ReportPartner, x.Code), chosen("of", dtm.ReportPartner+"-"+x.Code) || r.Method == http.MethodGet && x.Code == v.User.Partner})
		}
	}
	for _, pt := range p.Operation.Network() {
		v.Reports = append(v.Reports, option{dtm.ReportPoint + "-" + pt.Code, words.Report(l, dtm.ReportPoint, pt.Code), chosen("of", dtm.ReportPoint+"-"+pt.Code)})
	}
	return p.show(w, status, "subscriptions", v)
}

func (p *Pages) subscriptionRow(ctx context.Context, g page, s dtm.Subscription) (subscriptionRow, error) {
	k, words := p.Staff.Subscribing, p.Staff.Subscribing.Words()
	row := subscriptionRow{Subscription: s, To: s.Owner}
	row.What, row.When = words.What(g.Lang, s)
	if s.Channel == dtm.ChannelWebhook {
		row.To = s.URL
	}
	row.When += " · " + ownNames[s.Lang]
	switch s.State {
	case dtm.SubscriptionAtRest:
		row.Says, row.Bad = g.T("subscription.state.paused", g.When(s.Changed)), s.Cause != ""
		if row.Bad {
			row.Says += " " + g.T("subscription.cause."+s.Cause)
		}
	case dtm.SubscriptionEnded:
		row.Says = g.T("subscription.state.stopped", g.When(s.Changed))
	}
	log, err := k.Subscriptions.SubscriptionMessages(ctx, s.ID, messagesShown)
	for _, m := range log {
		x := messageRow{When: g.When(m.Created), Lines: words.Lines(g.Lang, m.News), Trial: m.Trial, Answer: m.Problem, State: messageState(g, m)}
		if m.Done != nil && m.Problem == "stopped" {
			x.Answer = ""
		}
		row.Log = append(row.Log, x)
	}
	return row, err
}

func messageState(g page, m dtm.SubscriptionMessage) string {
	switch {
	case m.Done == nil:
		return g.T("subscription.message.waiting", g.When(m.Next))
	case m.Bounced:
		return g.T("subscription.message.bounced")
	case m.Problem != "":
		return g.T("subscription.message.given_up")
	}
	return g.T("subscription.message.sent", g.When(*m.Done))
}

// subscribe makes a subscription of the user.
func (p *Pages) subscribe(w http.ResponseWriter, r *http.Request) error {
	ctx, k, l := by(r), p.Staff.Subscribing, p.guess(r)
	s := dtm.Subscription{Owner: member(ctx).Email, Channel: dtm.ChannelEmail, Kind: r.PostFormValue("kind"), Of: r.PostFormValue("of"), Rule: r.PostFormValue("rule"), Pace: r.PostFormValue("pace"),
		Lang: dtm.Lang(r.PostFormValue("lang")), Where: map[string][]string{}}
	v := subscriptionsView{Bound: trimmed(r.PostFormValue("bound"), 30), URL: trimmed(r.PostFormValue("url"), 2000), ByHook: r.PostFormValue("channel") == dtm.ChannelWebhook}
	for _, d := range []string{"region", "point"} {
		if code := r.PostFormValue(d); code != "" {
			s.Where[d] = []string{code}
		}
	}
	if len(s.Where["point"]) > 0 {
		delete(s.Where, "region") // the point says more
	}
	if dim, code, ok := strings.Cut(r.PostFormValue("among"), "="); ok && s.Kind == dtm.SubscribeIndicator {
		s.Where[dim] = []string{code}
	}
	var err error
	if s.Kind != dtm.SubscribeIndicator {
		s.Rule = dtm.RuleNew
	} else if s.Rule != dtm.RuleNew {
		if s.Bound, err = strconv.ParseFloat(strings.ReplaceAll(v.Bound, ",", "."), 64); err != nil {
			err = dtm.Errorf(dtm.Invalid, "the threshold is a number from 0").Coded("subscription.bound")
		}
	}
	if v.ByHook {
		s.Channel, s.URL = dtm.ChannelWebhook, v.URL
		if err == nil {
			err = p.Staff.CheckWebhook(s.URL)
		}
	}
	reach, failed := k.Reach(ctx, member(ctx))
	if err == nil {
		err = failed
	}
	if err == nil {
		err = k.Check(ctx, s, reach)
	}
	if err == nil {
		s, err = k.Subscriptions.AddSubscription(ctx, s)
	}
	if err != nil && dtm.KindOf(err) != dtm.Internal {
		v.Message = locale.Error(l, err)
		return p.showSubscriptions(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	what, _ := k.Words().What(l, s)
	r.PostForm = nil
	return p.showSubscriptions(w, r, http.StatusOK, subscriptionsView{Told: locale.Say(l, "subscription.made", what), Secret: s.Secret})
}

// workSubscription tries, pauses, resumes or stops one of the user's; an administrator
// may any.
func (p *Pages) workSubscription(w http.ResponseWriter, r *http.Request) error {
	ctx, k, id, l := by(r), p.Staff.Subscribing, r.PathValue("id"), p.guess(r)
	s, err := k.Subscriptions.Subscription(ctx, id)
	if err != nil {
		return err
	}
	if s.Owner != member(ctx).Email && access.Decide(member(ctx), access.ManageUsers) != nil {
		return dtm.Errorf(dtm.NotFound, "there is no such subscription").Coded("subscription.unknown")
	}
	v := subscriptionsView{}
	switch r.PostFormValue("do") {
	case "try":
		var m dtm.SubscriptionMessage
		if m, err = k.Try(ctx, id); err == nil {
			v.Told = locale.Say(l, "subscription.tried", messageState(p.inside(r, "", "subscription.title", "/"), m))
			if m.Problem != "" {
				v.Message, v.Told = v.Told+" "+m.Problem, ""
			}
		}
	case "pause":
		err = k.Subscriptions.PauseSubscription(ctx, id, "")
	case "resume":
		err = k.Subscriptions.ResumeSubscription(ctx, id)
	case "stop":
		if err = k.Subscriptions.StopSubscription(ctx, id); err == nil {
			v.Told = locale.Say(l, "subscription.done.stop")
		}
	default:
		err = dtm.Errorf(dtm.Invalid, "a subscription is tried, paused, resumed or stopped").Coded("subscription.act")
	}
	if err != nil && dtm.KindOf(err) != dtm.Internal {
		v.Message = locale.Error(l, err)
		return p.showSubscriptions(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	if v.Told != "" || v.Message != "" {
		return p.showSubscriptions(w, r, http.StatusOK, v)
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/subscriptions/", http.StatusSeeOther)
	return nil
}

type stopView struct {
	page
	What, When string
	Done       bool
}

// stop is where a message leads who wants no more of them. Looking at the address stops
// nothing, since programs look at every address in a mail; posting to it does, from the
// page or by a mail program's button (RFC 8058).
func (p *Pages) stop(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	k := p.Staff.Subscribing
	s, err := k.Subscriptions.SubscriptionByToken(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	v := stopView{page: p.page(l, "", locale.Say(l, "subscription.stop.title"), "/stop/"+r.PathValue("token"), nil), Done: s.State == dtm.SubscriptionEnded}
	if r.Method == http.MethodPost && !v.Done {
		if err := k.Subscriptions.StopSubscription(event.WithActor(r.Context(), "user:"+s.Owner), s.ID); err != nil {
			return err
		}
		v.Done = true
	}
	v.What, v.When = k.Words().What(l, s)
	return p.show(w, http.StatusOK, "stop", v)
}
