package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
	"dtm/refer"
	"dtm/serve"
)

// Referring is what the pages about referrals need.
type Referring struct {
	Referrals  dtm.Referrals
	Desks      dtm.Desks
	Persons    dtm.Persons
	Consents   dtm.Consents
	Cases      dtm.Cases
	Agreements dtm.Agreements
	Glasses    dtm.Glasses
	Rights     Rights
	// Offers are the desks for a referral, the best first.
	Offers func(ctx context.Context, r dtm.Referral) ([]refer.Offer, error)
	// Slip prints a slip that stands for a referral; nil where nothing can be printed.
	Slip func(ctx context.Context, r dtm.Referral, l dtm.Lang) ([]byte, error)
	// SlipReferral finds the referral of a slip's code.
	SlipReferral func(ctx context.Context, token string) (string, error)
}

// asker is a user with all that decides about what they may see, as it is now.
func (p *Pages) asker(ctx context.Context, u dtm.User) (access.Actor, error) {
	a := access.Actor{User: u, Regions: map[string]string{}, Zone: p.Operation.Zone, Now: p.Now()}
	for _, x := range p.Operation.Network() {
		a.Regions[x.Code] = x.Area
	}
	var err error
	if u.Desk != "" {
		if a.Desk, err = p.Staff.Referring.Desks.Desk(ctx, u.Desk); err != nil && dtm.KindOf(err) != dtm.NotFound {
			return a, err
		}
	}
	if u.Partner != "" {
		if a.Agreements, err = p.Staff.Referring.Agreements.Agreements(ctx, u.Partner); err != nil {
			return a, err
		}
	}
	a.Glass, err = p.Staff.Referring.Glasses.BrokenGlass(ctx, u.Email)
	return a, err
}

// sees tells whether an asker may know of a referral.
func sees(a access.Actor, r dtm.Referral) bool {
	return a.Decide(access.ReadReferrals, access.Case{Referral: r}) == nil
}

// maySee are the field groups of a person that an asker may see by a referral.
func maySee(a access.Actor, r dtm.Referral, consents []dtm.Consent, person dtm.Person) []string {
	return a.Groups(access.Case{Referral: r, Consents: consents, Restricted: person.Restricted || person.Erased != nil})
}

func doer(u dtm.User) dtm.Doer {
	if u.Role == dtm.RoleFocal {
		return dtm.DoerFocal
	}
	return dtm.DoerDesk
}

// referralRow is a referral as lists show it.
type referralRow struct {
	dtm.Referral
	Href, ProgrammeName, Who, Where, StateName, Clock, DeskName, Told string
	Late, Ours                                                        bool
	Taps                                                              []actRow // what one tap does
}

// Programme is the name of a programme in the page's language.
func (g page) Programme(code string) string {
	for _, p := range g.p.Operation.Programmes {
		if p.Code == code {
			return p.Name.In(g.Lang)
		}
	}
	return code
}

// Partner is the name of a partner in the page's language.
func (g page) Partner(code string) string {
	for _, p := range g.p.Operation.Partners {
		if p.Code == code {
			return p.Name.In(g.Lang)
		}
	}
	return code
}

// Recipient is who a consent is given to.
func (g page) Recipient(code string) string {
	if p, ok := strings.CutPrefix(code, "programme:"); ok {
		return g.T("consent.programme", g.Programme(p))
	}
	return g.Partner(code)
}

// Lasting is a time in the two largest units that say something.
func (g page) Lasting(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Hour:
		return g.T("lasting.minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return g.T("lasting.hours", int(d.Hours()))
	}
	return g.T("lasting.days", int(d.Hours()/24))
}

func (p *Pages) referralRow(g page, r dtm.Referral, desks map[string]dtm.Desk) referralRow {
	row := referralRow{Referral: r, Href: g.Link("/staff/referrals/" + r.ID), ProgrammeName: g.Programme(r.Programme), StateName: g.T("referral.state." + string(r.State)), Where: g.PointName(r.Point), Told: g.T("referral.priority." + string(r.Priority))}
	if d, ok := desks[r.Desk]; ok {
		row.DeskName = d.Name.In(g.Lang)
	}
	var who []string
	if r.Sex != "" {
		who = append(who, p.sexOf(g, r))
	}
	if r.Age != "" {
		who = append(who, g.T("referral.age."+r.Age))
	}
	if r.Alone {
		who = append(who, g.T("referral.alone"))
	}
	row.Who = together(g.Lang, who)
	c := refer.Clocks(r, p.Now())
	row.Late = c.OverdueAck || c.OverdueService
	switch {
	case r.State.Terminal() || r.State == dtm.ReferralCompleted || r.State == dtm.ReferralHeld:
	case row.Late:
		row.Clock = g.T("referral.late", g.Lasting(c.Left))
	default:
		row.Clock = g.T("referral.left", g.Lasting(c.Left))
	}
	return row
}

// sexOf says a person's sex; of a child as one says it of a child, which the form's list,
// made for everybody, cannot.
func (p *Pages) sexOf(g page, r dtm.Referral) string {
	if r.Age == "0-4" || r.Age == "5-17" {
		switch r.Sex {
		case "female":
			return g.T("referral.girl")
		case "male":
			return g.T("referral.boy")
		}
	}
	return p.Operation.Lists["sex"].Label(r.Sex, g.Lang)
}

func (p *Pages) deskMap(ctx context.Context) (map[string]dtm.Desk, []dtm.Desk, error) {
	list, err := p.Staff.Referring.Desks.Desks(ctx)
	m := map[string]dtm.Desk{}
	for _, d := range list {
		m[d.Code] = d
	}
	return m, list, err
}

type referralSection struct {
	Title, Empty string
	Rows         []referralRow
	Total        int
}

type referralsView struct {
	page
	Sections []referralSection
	Over     bool
	More     bool // all but thousands are shown
	Desk     *dtm.Desk
	NoDesk   bool // a desk's user who is at none
	Numbered string
	Message  string
	Glass    int // accesses in an emergency to judge
	Seconds  []secondWait
}

// inboxes are the sections of the page, by who looks.
var deskInbox = [][]dtm.ReferralState{{dtm.ReferralSent, dtm.ReferralAcknowledged}, {dtm.ReferralAccepted, dtm.ReferralInService}, {dtm.ReferralCompleted, dtm.ReferralNoShow, dtm.ReferralNotCompleted}}

var focalInbox = [][]dtm.ReferralState{{dtm.ReferralSubmitted, dtm.ReferralRejected, dtm.ReferralExpired, dtm.ReferralNoShow, dtm.ReferralNotCompleted}, {dtm.ReferralSent, dtm.ReferralAcknowledged}, {dtm.ReferralAccepted, dtm.ReferralInService}, {dtm.ReferralCompleted}, {dtm.ReferralHeld}}

var focalOver = [][]dtm.ReferralState{{dtm.ReferralClosed, dtm.ReferralUnmet, dtm.ReferralWithdrawn, dtm.ReferralRedirected, dtm.ReferralCancelled, dtm.ReferralInError}}

const referralsShown, referralsMore = 25, 500

// referrals is the inbox: what is late and urgent first.
func (p *Pages) referrals(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), member(r.Context())
	v := referralsView{page: p.inside(r, "referrals", "referral.title", "/referrals/"), Over: r.URL.Query().Get("over") != "", More: r.URL.Query().Get("more") != "", Numbered: strings.TrimSpace(r.URL.Query().Get("number"))}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	if v.Glass, err = p.glassWaiting(ctx, u); err != nil {
		return err
	}
	if v.Seconds, err = p.secondRows(ctx, v.page); err != nil {
		return err
	}
	scope := a.Scope(access.ReadReferrals)
	if v.Numbered != "" {
		x, err := p.Staff.Referring.Referrals.ReferralByNumber(ctx, v.Numbered)
		if err == nil && sees(a, x) {
			http.Redirect(w, r, v.Link("/staff/referrals/"+x.ID), http.StatusSeeOther)
			return nil
		}
		if err != nil && dtm.KindOf(err) != dtm.NotFound {
			return err
		}
		v.Message = v.T("referral.number.none", v.Numbered)
	}
	desks, _, err := p.deskMap(ctx)
	if err != nil {
		return err
	}
	boxes, kind := focalInbox, "focal"
	f := dtm.ReferralFilter{Within: &scope}
	if u.Role != dtm.RoleFocal {
		boxes, kind = deskInbox, "desk"
		d, ok := desks[u.Desk]
		if !ok {
			v.NoDesk = true
			return p.show(w, http.StatusOK, "referrals", v)
		}
		v.Desk, f.Desks = &d, []string{u.Desk}
	}
	if v.Over && kind == "focal" {
		boxes, kind = focalOver, "over"
	}
	for i, states := range boxes {
		f.States, f.Limit = states, referralsShown
		if v.More {
			f.Limit = referralsMore
		}
		if kind == "desk" && i == 2 {
			f.Since = p.Now().AddDate(0, 0, -30)
		}
		list, total, err := p.Staff.Referring.Referrals.Referrals(ctx, f)
		if err != nil {
			return err
		}
		s := referralSection{Title: v.T("referral.box." + kind + "." + strconv.Itoa(i)), Empty: v.T("referral.none." + kind + "." + strconv.Itoa(i)), Total: total}
		for _, x := range list {
			row := p.referralRow(v.page, x, desks)
			row.Taps = p.taps(v.page, x, doer(u))
			s.Rows = append(s.Rows, row)
		}
		v.Sections = append(v.Sections, s)
	}
	return p.show(w, http.StatusOK, "referrals", v)
}

// taps are the answers to a referral that need nothing but a tap.
func (p *Pages) taps(g page, r dtm.Referral, as dtm.Doer) (list []actRow) {
	for _, a := range refer.Actions(r, as, p.Now()) {
		if a != dtm.ReferralSend && a != dtm.ReferralRedirect && a != dtm.ReferralReopen && len(refer.Reasons(a)) == 0 {
			list = append(list, actRow{Action: a, Label: g.T("referral.do." + string(a))})
		}
	}
	return list
}

type actRow struct {
	Action  dtm.ReferralAction
	Label   string
	Warm    bool
	Quiet   bool // not the first answer that a tap gives
	Reasons []option
	Second  bool
}

type offerRow struct {
	refer.Offer
	Name, Partner, Places, Distance, Why, Warn string
	First, Shut                                bool // Shut: it cannot be chosen
}

// overrideRow is what waits for a second person.
type overrideRow struct {
	When, Who, Words string
	May              bool // it is for the reader to confirm
}

func (p *Pages) overrideOf(ctx context.Context, v page, u dtm.User, x dtm.Referral) (*overrideRow, error) {
	if x.State != dtm.ReferralHeld {
		return nil, nil
	}
	list, err := p.Staff.Referring.Consents.ConsentsOf(ctx, dtm.OverrideOf(x.ID))
	for _, c := range list {
		if c.Withdrawn == nil {
			return &overrideRow{When: v.When(c.Given), Who: actorName(c.Actor, u), Words: c.Reason, May: !c.Waits() || c.Actor != "user:"+u.Email}, err
		}
	}
	return nil, err
}

type entryRow struct{ When, What, To, Desk, Reason, Who, Words string }

type referralView struct {
	page
	Row            referralRow
	Needs          []string
	Language       string
	MetAt          string
	CameIn         string
	Late           string // how much later it came in than it was recorded
	Believed       bool
	Due            string
	PersonNumber   string
	Acts           []actRow
	Offers         []offerRow
	OfferAction    dtm.ReferralAction // send or redirect; "" none
	MaySend        bool               // a desk can be chosen
	Programmes     []option
	Asked          string // programme whose desks are offered for a redirect
	Elsewhere      bool   // it is another one than the referral's
	History        []entryRow
	Override       *overrideRow
	MayPerson      bool
	PersonWaits    bool   // it would be shown after acceptance
	Shut           string // why nobody is shown the person, whatever they consented to
	HasPerson      bool
	Consented      []string
	Steps          []stepRow
	Next           string // step of a return that comes next
	Today          string
	MaySlip        bool
	Message, Done  string
	Glass          string // until when it is seen because of an emergency
	Replaces, Then *referralRow
}

type stepRow struct{ Name, Outcome, Day string }

// referralOf finds a referral that the user may know of: what they may not is not there.
func (p *Pages) referralOf(r *http.Request) (dtm.Referral, error) {
	x, err := p.Staff.Referring.Referrals.Referral(r.Context(), r.PathValue("id"))
	if err != nil {
		return x, err
	}
	a, err := p.asker(r.Context(), member(r.Context()))
	if err == nil && !sees(a, x) {
		return dtm.Referral{}, dtm.Errorf(dtm.NotFound, "there is no such referral").Coded("referral.unknown")
	}
	return x, err
}

// answers is nil when the user may do something about a referral that they may see: who
// broke the glass may look and write notes, not answer.
func (p *Pages) answers(r *http.Request, x dtm.Referral) error {
	a, err := p.asker(r.Context(), member(r.Context()))
	if err == nil && !a.Answers(x) {
		err = dtm.Errorf(dtm.Forbidden, "you see this referral because of an emergency; it is another desk that answers it").Coded("glass.look")
	}
	return err
}

func (p *Pages) referral(w http.ResponseWriter, r *http.Request) error {
	x, err := p.referralOf(r)
	if err != nil {
		return err
	}
	done := ""
	if a := r.URL.Query().Get("done"); slices.Contains(dtm.ReferralActions, dtm.ReferralAction(a)) {
		done = locale.Say(p.guess(r), "referral.done."+a)
	}
	return p.showReferral(w, r, http.StatusOK, x, "", done)
}

func (p *Pages) showReferral(w http.ResponseWriter, r *http.Request, status int, x dtm.Referral, message, done string) error {
	ctx, u, now := r.Context(), member(r.Context()), p.Now()
	v := referralView{page: p.inside(r, "referrals", "referral.title", "/referrals/"+x.ID), Message: message, Done: done, HasPerson: x.Person != "", MaySlip: p.Staff.Referring.Slip != nil && x.Desk != "", Today: p.civilToday().Format(time.DateOnly)}
	desks, _, err := p.deskMap(ctx)
	if err != nil {
		return err
	}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	v.Row = p.referralRow(v.page, x, desks)
	v.Title = v.T("referral.of", x.Number)
	for _, n := range x.Needs {
		v.Needs = append(v.Needs, p.Operation.Lists["need"].Label(n, v.Lang))
	}
	if x.Lang != "" {
		v.Language = v.T("language." + x.Lang)
	}
	c := refer.Clocks(x, now)
	v.MetAt, v.CameIn, v.Believed = v.When(c.Start), v.When(x.Received), c.Believed
	if c.Late > time.Hour {
		v.Late = v.Lasting(c.Late)
	}
	v.Due = v.When(c.AckDue)
	if !c.ServiceDue.IsZero() {
		v.Due = v.When(c.ServiceDue)
	}
	answers := a.Answers(x)
	for _, g := range a.Glass {
		if g.Referral == x.ID && a.Breaks() {
			v.Glass = v.When(g.Until)
		}
	}
	v.MaySlip = v.MaySlip && answers
	var actions []dtm.ReferralAction
	if answers {
		actions = refer.Actions(x, doer(u), now)
	}
	tapped := false
	for _, a := range actions {
		if a == dtm.ReferralSend || a == dtm.ReferralRedirect {
			v.OfferAction = a
			continue
		}
		row := actRow{Action: a, Label: v.T("referral.do." + string(a)), Warm: len(refer.Reasons(a)) > 0, Second: a == dtm.ReferralConsent}
		for _, code := range refer.Reasons(a) {
			row.Reasons = append(row.Reasons, option{Value: code, Label: v.T("referral.reason." + code)})
		}
		if row.Reasons == nil {
			row.Quiet, tapped = tapped, true
		}
		v.Acts = append(v.Acts, row)
	}
	if v.OfferAction != "" {
		asked := x
		if v.OfferAction == dtm.ReferralRedirect { // the desk may have said that it is another service's
			for _, q := range p.Operation.Programmes {
				if q.Code == r.FormValue("programme") {
					asked.Programme, v.Elsewhere = q.Code, q.Code != x.Programme
				}
			}
			for _, q := range p.Operation.Programmes {
				v.Programmes = append(v.Programmes, option{Value: q.Code, Label: q.Name.In(v.Lang), Selected: q.Code == asked.Programme})
			}
			v.Asked = asked.Programme
		}
		if err := p.offerRows(ctx, &v, asked); err != nil {
			return err
		}
	}
	if x.Person != "" {
		person, err := p.Staff.Referring.Persons.Person(ctx, x.Person)
		if err != nil {
			return err
		}
		consents, err := p.Staff.Referring.Consents.ConsentsOf(ctx, x.Person)
		if err != nil {
			return err
		}
		may := maySee(a, x, consents, person)
		v.MayPerson, v.PersonWaits = len(may) > 0, u.Role == dtm.RoleDesk && !x.State.Accepted()
		switch {
		case person.Erased != nil:
			v.Shut = v.T("right.erased", v.When(*person.Erased))
		case person.Restricted:
			v.Shut = v.T("right.restricted.text")
		}
		for _, g := range may {
			v.Consented = append(v.Consented, v.T("group."+g))
		}
		if u.Partner != "" {
			if v.PersonNumber, err = p.Staff.Referring.Persons.Pseudonym(ctx, x.Person, u.Partner); err != nil {
				return err
			}
		}
	}
	if dtm.GroupOf(x.Programme) == dtm.GroupReturn {
		if err := p.returnSteps(ctx, &v, x); err != nil {
			return err
		}
		if !answers {
			v.Next = ""
		}
	}
	history, err := p.Staff.Referring.Referrals.ReferralHistory(ctx, x.ID)
	if err != nil {
		return err
	}
	var said map[int64]string
	if x.Person == "" && u.Role == dtm.RoleFocal { // it names nobody: there is no other page for what was written
		if v.Override, err = p.overrideOf(ctx, v.page, u, x); err != nil {
			return err
		}
		if said, err = p.Staff.Referring.Referrals.ReferralWords(ctx, x.ID, "referral "+x.Number); err != nil {
			return err
		}
	}
	for _, e := range history {
		row := entryRow{Words: said[e.Seq], When: v.When(e.At), What: v.T("referral.did." + string(e.Action)), To: v.T("referral.state." + string(e.To)), Who: actorName(e.Actor, u)}
		if d, ok := desks[e.Desk]; ok {
			row.Desk = d.Name.In(v.Lang)
		}
		switch {
		case e.Action == dtm.ReferralConsent && (e.Reason == dtm.ConsentVitalInterest || e.Reason == dtm.ConsentBestInterest):
			row.What = v.T("referral.did." + e.Reason) // it is not the person's consent
		case e.Reason != "":
			row.Reason = v.T("referral.reason." + e.Reason)
		}
		v.History = append(v.History, row)
	}
	for _, l := range []struct {
		id   string
		into **referralRow
	}{{x.Replaces, &v.Replaces}, {x.ReplacedBy, &v.Then}} {
		if l.id == "" {
			continue
		}
		other, err := p.Staff.Referring.Referrals.Referral(ctx, l.id)
		if err != nil {
			return err
		}
		if sees(a, other) {
			row := p.referralRow(v.page, other, desks)
			*l.into = &row
		}
	}
	return p.show(w, status, "referral", v)
}

// actorName is who did something as others of another house may read it: a desk is told
// what its own did by name, of others only that somebody did.
func actorName(actor string, u dtm.User) string {
	name, user := strings.CutPrefix(actor, "user:")
	switch {
	case !user:
		return ""
	case u.Role == dtm.RoleFocal || name == u.Email:
		return name
	}
	return ""
}

func (p *Pages) offerRows(ctx context.Context, v *referralView, x dtm.Referral) error {
	list, err := p.Staff.Referring.Offers(ctx, x)
	if err != nil {
		return err
	}
	first := false
	for _, o := range list {
		row := offerRow{Offer: o, Name: o.Desk.Name.In(v.Lang), Partner: v.Partner(o.Desk.Partner), Places: v.T("desk.places.none")}
		if o.Free != dtm.NoLimit {
			row.Places = v.T("desk.places.free", o.Free)
		}
		if o.Km >= 0 {
			row.Distance = v.T("desk.km", int(o.Km+0.5))
		}
		if o.Why != "" {
			row.Why = v.T("desk.why." + o.Why)
		}
		var warn []string
		before := o.Desk.Code == x.Desk && v.OfferAction == dtm.ReferralRedirect
		if before {
			warn = append(warn, v.T("desk.before"))
		}
		if o.Stale {
			warn = append(warn, v.T("desk.stale"))
		}
		if !o.Speaks {
			warn = append(warn, v.T("desk.language"))
		}
		row.Warn = strings.Join(warn, " · ")
		// What the directory says against a desk is a word of caution, but for these.
		row.Shut = slices.Contains([]string{"barred", "closed", "paused"}, o.Why)
		row.First = !first && !before && o.Why == ""
		first = first || row.First
		v.MaySend = v.MaySend || !row.Shut
		v.Offers = append(v.Offers, row)
	}
	return nil
}

func (p *Pages) returnSteps(ctx context.Context, v *referralView, x dtm.Referral) error {
	done, err := p.Staff.Referring.Cases.ReturnStepsOf(ctx, x.ID)
	if err != nil {
		return err
	}
	for _, name := range dtm.ReturnSteps {
		row := stepRow{Name: v.T("return." + name)}
		if i := slices.IndexFunc(done, func(s dtm.ReturnStep) bool { return s.Step == name }); i >= 0 {
			row.Outcome, row.Day = v.T("return.outcome."+done[i].Outcome), locale.Date(v.Lang, done[i].On)
		} else if v.Next == "" && x.State.TakesPlace() && member(ctx).Role == dtm.RoleDesk && (len(done) == 0 || done[len(done)-1].Outcome != "refused") {
			v.Next = name
		}
		v.Steps = append(v.Steps, row)
	}
	return nil
}

// actOnReferral does what a button of the page asks for.
func (p *Pages) actOnReferral(w http.ResponseWriter, r *http.Request) error {
	x, err := p.referralOf(r)
	if err != nil {
		return err
	}
	if err := p.answers(r, x); err != nil {
		return err
	}
	u := member(r.Context())
	ctx := event.WithActor(r.Context(), actor(r))
	if step := r.PostFormValue("step"); step != "" {
		day, err := time.Parse(time.DateOnly, r.PostFormValue("day"))
		if err != nil {
			err = dtm.Errorf(dtm.Invalid, "%q is not a day", r.PostFormValue("day")).Coded("day.invalid", r.PostFormValue("day"))
		}
		if err == nil && u.Role != dtm.RoleDesk {
			err = dtm.Errorf(dtm.Forbidden, "steps are recorded by the desk").Coded("referral.who")
		}
		if err == nil {
			err = p.Staff.Referring.Cases.DoReturnStep(ctx, dtm.ReturnStep{Referral: x.ID, Step: step, Outcome: r.PostFormValue("outcome"), On: day})
		}
		if err != nil {
			return p.referralRefused(w, r, x, err)
		}
		return p.seeReferral(w, r, x.ID, "")
	}
	if err := tooLong(r, map[string]int{"words": 500}); err != nil {
		return p.referralRefused(w, r, x, err)
	}
	patrolling := r.PostFormValue("back") == "patrol"
	if tap := r.PostFormValue("tap"); tap != "" { // one button says what and why
		what, why, _ := strings.Cut(tap, " ")
		r.PostForm.Set("do", what)
		r.PostForm.Set("reason", why)
	}
	version, err := strconv.Atoi(r.PostFormValue("version"))
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the version of the referral is missing").Coded("referral.stale")
	}
	do := dtm.Do{Action: dtm.ReferralAction(r.PostFormValue("do")), Version: version, Reason: r.PostFormValue("reason"), Words: strings.TrimSpace(r.PostFormValue("words")), Desk: r.PostFormValue("desk"), Programme: r.PostFormValue("programme")}
	if do.Action == dtm.ReferralConsent && do.Reason == "vital_interest" && u.Role == dtm.RoleFocal {
		if do.Second, err = p.override(ctx, x, do.Words); err != nil {
			return p.referralRefused(w, r, x, err)
		}
		if do.Second == "" {
			return p.showReferral(w, r, http.StatusOK, x, "", locale.Say(p.guess(r), "consent.asked"))
		}
	}
	_, next, err := p.Staff.Referring.Referrals.Act(ctx, x.ID, doer(u), do)
	if k := dtm.KindOf(err); err != nil && patrolling && k != dtm.Internal && k != dtm.NotFound {
		return p.showPatrol(w, r, serve.Status(k), locale.Error(p.guess(r), err), "")
	}
	if err != nil {
		return p.referralRefused(w, r, x, err)
	}
	if patrolling {
		http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/referrals/patrol?done="+string(do.Action), http.StatusSeeOther)
		return nil
	}
	if next != nil {
		return p.seeReferral(w, r, next.ID, do.Action)
	}
	return p.seeReferral(w, r, x.ID, do.Action)
}

// override asks to pass somebody on without consent, or confirms what another focal
// point asked for, and gives who that was; "" while it waits.
func (p *Pages) override(ctx context.Context, x dtm.Referral, words string) (asked string, err error) {
	d := p.Staff.Referring.Consents
	list, err := d.ConsentsOf(ctx, dtm.OverrideOf(x.ID))
	if err != nil {
		return "", err
	}
	if x.State != dtm.ReferralHeld {
		return "", dtm.Errorf(dtm.Conflict, "this referral waits for no consent").Coded("referral.stale")
	}
	for _, c := range list {
		if c.Withdrawn != nil {
			continue
		}
		if c.Waits() {
			_, err = d.ConfirmConsent(ctx, c.ID)
		}
		// Confirmed before, and then something came between: whoever goes on is one of two.
		if asked = c.Actor; asked == event.Actor(ctx) {
			asked = c.Second
		}
		return asked, err
	}
	_, err = d.AskOverride(ctx, x.ID, words)
	return "", err
}

func (p *Pages) seeReferral(w http.ResponseWriter, r *http.Request, id string, a dtm.ReferralAction) error {
	to := "/" + string(p.guess(r)) + "/staff/referrals/"
	x, err := p.Staff.Referring.Referrals.Referral(r.Context(), id)
	if err != nil {
		return err
	}
	asker, err := p.asker(r.Context(), member(r.Context()))
	if err != nil {
		return err
	}
	if sees(asker, x) { // a rejected one is not the desk's any more
		to += id
	}
	if a != "" {
		to += "?done=" + string(a)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// referralRefused shows the referral as it is now, with what stands against the action.
func (p *Pages) referralRefused(w http.ResponseWriter, r *http.Request, x dtm.Referral, err error) error {
	if k := dtm.KindOf(err); k == dtm.Internal || k == dtm.NotFound {
		return err
	}
	now, e := p.Staff.Referring.Referrals.Referral(r.Context(), x.ID)
	if e != nil {
		return e
	}
	return p.showReferral(w, r, serve.Status(dtm.KindOf(err)), now, locale.Error(p.guess(r), err), "")
}

// slip prints the paper that the person takes along.
func (p *Pages) slip(w http.ResponseWriter, r *http.Request) error {
	x, err := p.referralOf(r)
	if err != nil {
		return err
	}
	if err := p.answers(r, x); err != nil {
		return err
	}
	if p.Staff.Referring.Slip == nil {
		return dtm.Errorf(dtm.Unsupported, "this program was built without printing; run make assets, then build it again").Coded("report.noassets")
	}
	b, err := p.Staff.Referring.Slip(event.WithActor(r.Context(), actor(r)), x, p.guess(r))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `inline; filename="slip-`+strings.NewReplacer("*", "", "~", "", "$", "", "=", "").Replace(x.Number)+`.pdf"`)
	_, err = w.Write(b)
	return err
}

// slipCode is where the code on a slip leads. It says nothing by itself: only who may
// see the referral is shown the way to it.
func (p *Pages) slipCode(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	u, session, err := p.whoever(r)
	if err != nil {
		return err
	}
	if !session.Armed && access.NeedsSecond(u.Role) || session.Armed && session.Second.IsZero() {
		u = dtm.User{} // half signed in is a stranger
	}
	l := p.guess(r)
	v := struct{ page }{p.page(l, "", locale.Say(l, "slip.title"), "/", nil)}
	if u.Email != "" {
		id, err := p.Staff.Referring.SlipReferral(r.Context(), r.PathValue("token"))
		if err == nil {
			x, err := p.Staff.Referring.Referrals.Referral(r.Context(), id)
			if err != nil {
				return err
			}
			a, err := p.asker(r.Context(), u)
			if err != nil {
				return err
			}
			if sees(a, x) {
				http.Redirect(w, r, "/"+string(l)+"/staff/referrals/"+id, http.StatusSeeOther)
				return nil
			}
		} else if k := dtm.KindOf(err); k != dtm.NotFound && k != dtm.Gone {
			return err
		}
	}
	// The same for a code that is none, one that has expired, and one of somebody else.
	return p.show(w, http.StatusOK, "slip", v)
}
