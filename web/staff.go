package web

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/access/signon"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

// Staff is what the pages behind sign-in need.
type Staff struct {
	// Referring opens the pages about referrals; nil: there are none.
	Referring *Referring

	Sessions   dtm.Sessions
	Secure     bool         // the pages come by TLS, and so do their cookies
	Door       *access.Door // by which users sign in
	Users      dtm.Users
	Accounts   dtm.Accounts
	Agreements dtm.Agreements   // nil: no pages about them
	Seconds    *access.Seconds  // checks second factors
	SignOn     *signon.Provider // the house that vouches for users; nil: none does
	Origin     string           // the address that the pages are open at, "https://dtm.example.org"
	// CheckPassword: Invalid when a new password would be guessed soon or has leaked.
	CheckPassword func(password, email string) error
	Forms         dtm.Forms
	Drafts        dtm.Drafts
	States        dtm.FormStates
	History       dtm.FormHistory
	Devices       dtm.Devices
	DeviceCare    dtm.DeviceCare
	Submissions   dtm.Submissions
	Blobs         dtm.Blobs
	Events        dtm.Events
	Audit         dtm.Audit
	Trail         *access.Trail // notes exports and refusals; nil: they are not noted
	// Retention says what has been kept long enough, and with do erases it; nil: there is no
	// page about it. RetainNightly: the program does so every night.
	Retention     func(ctx context.Context, do bool) ([]Retained, error)
	RetainNightly bool
	Signing       *Signing // signs the log; nil: nothing does
	Points        *Network // nil: no pages about points
	Readings      dtm.Readings
	Entities      dtm.Entities
	Webhooks      dtm.Webhooks
	// EntityCSV writes an entity list as phones read it.
	EntityCSV func(ctx context.Context, w io.Writer, l dtm.EntityList) error
	// CheckWebhook tells whether an address in the public network may be told.
	CheckWebhook func(url string) error
	// TryWebhook sends a trial message and returns the status of the answer.
	TryWebhook func(ctx context.Context, id string) (int, error)
	// Replacement is the id of the edit that replaced a submission: NotFound.
	Replacement func(ctx context.Context, id string) (string, error)
	// Answered writes the answers to a form, of those submissions that a search finds,
	// as the program's tables; nil: there are none.
	Answered func(w http.ResponseWriter, r *http.Request, form string, among dtm.SubmissionSearch) error
	// Answers reads a submission by its form, labels in the language.
	Answers func(ctx context.Context, s dtm.Submission, l dtm.Lang) ([]Answer, error)
	// Name is what a submission calls itself, "obock 2026-11-23 12"; "" when it does
	// not.
	Name func(ctx context.Context, s dtm.Submission) string
	// HashPassword makes the hash that AddUser stores: Invalid when the password is
	// too short or too long.
	HashPassword func(ctx context.Context, password string) (string, error)
	// Phone gives what a new device is set up with: the address for ODK Collect, the
	// text of its code, and the address of the browser's form ("" when there is none).
	Phone func(token string, l dtm.Lang) (address, code, entry string, err error)
	// Trial gives the same for trying a draft.
	Trial func(d dtm.Draft, l dtm.Lang) (address, code, browser string, err error)
	// ReadTrials reads test records of a draft, one for each: their answers, and what
	// the form's own expressions would remark on a record like it.
	ReadTrials func(ctx context.Context, draft dtm.Form, list []dtm.Submission, l dtm.Lang) ([]Trial, error)
	// Compare tells what changed from one version of a form to another, in the form's
	// order: Unsupported when one is no XLSForm.
	Compare func(ctx context.Context, before, after dtm.Form, l dtm.Lang) ([]Change, error)
	// Questions lists what a form asks in one of its languages; language "" is the
	// reader's. Languages are those of the form, used the one that was taken.
	// Unsupported when it is no XLSForm.
	Questions func(ctx context.Context, f dtm.Form, language string, l dtm.Lang) (list []Question, languages []string, used string, err error)
	// Wants names the files that go with a form: those that it asks for, and those that
	// came with it.
	Wants func(ctx context.Context, f dtm.Form) ([]Wanted, error)
	// Check reads an XLSForm and gives the form as it would be published, with what
	// its author should know. What is wrong with it comes as remarks with no error and
	// an empty form.
	Check func(ctx context.Context, name string, data []byte, media []dtm.Media, l dtm.Lang) (dtm.Form, []Remark, error)
	// Import opens the pages about imports; nil: there are none.
	Import *Importing
	// Workshop opens the analyst's pages; nil: there are none.
	Workshop *Workshop
	// Review opens the pages of a review; nil: there are none.
	Review *Reviewing
	// Surveying opens the page about interviews; nil: there is none.
	Surveying *Surveying
	// Planning opens the page about the weeks and months to come; nil: there is none.
	Planning *Planning
	// Alerting opens the inbox of alerts; nil: there is none.
	Alerting *Alerting
	// Viewing opens the views made for partners' mandates; nil: there are none.
	Viewing *Viewing
	// Subscribing opens the pages of subscriptions; nil: there are none.
	Subscribing *Subscribing
	// Paper prints a form; nil where nothing can be printed. Unsupported for one that
	// was published as an XForm.
	Paper func(ctx context.Context, form dtm.Form, l dtm.Lang) ([]byte, error)
}

// Answer is one line of a submission as a person reads it.
type Answer struct {
	Depth int    // of groups and turns around it
	Head  bool   // a group's or a turn's own line
	Path  string // in the form
	Label string
	Value string // labels of choices, dates in words
	Raw   string // as sent, when Value says it otherwise
	File  string // name of the attachment that the answer is

	Sealed bool // the answer, if there was one, is kept with the person
}

// Remark is about one place of an XLSForm.
type Remark struct {
	Where string // "survey!B12"
	Text  string
	Fault bool // the form cannot be used with it
}

// Trial is a test record that was read. Err is why its answers cannot be shown.
type Trial struct {
	Answers []Answer
	Flags   []dtm.Flag
	Err     error
}

// Change is one difference between two versions of a form.
type Change struct {
	Kind   string // "added", "removed", "moved", "altered", "choice_added", "choice_removed"
	Place  string // path of the question, "list/choice", "" of the form
	Label  string // of the question or choice, in the reader's language
	What   string // of what was altered: "label English (en)", "constraint" ...
	Before string
	After  string
}

// Question is one line of a form as a person reads it.
type Question struct {
	Depth    int
	Head     bool // a group's or a repeat's own line
	Repeat   bool
	Name     string
	Type     string // "integer", "select_one" ...
	Label    string
	Hint     string
	Choices  []string
	List     string // the file that the choices come from
	Required bool
	Relevant string // as in the workbook
	Limit    string // constraint, likewise
	Message  string // when the limit is not kept
}

// Wanted is a file that goes with a form. From says where it comes from: "form" (it
// was sent with it), "list" (an entity list), "" (missing).
type Wanted struct {
	Name  string
	From  string
	Size  int64
	Spare bool // it came, and the form does not ask for it
}

type userKey struct{}

type sessionKey struct{}

// current is the session of a request that came through a gate.
func current(ctx context.Context) dtm.Session {
	s, _ := ctx.Value(sessionKey{}).(dtm.Session)
	return s
}

// member is who has signed in, as the pages behind sign-in know them.
func member(ctx context.Context) dtm.User {
	u, _ := ctx.Value(userKey{}).(dtm.User)
	return u
}

// staffRoutes are the pages behind sign-in. Each names what one must be allowed to
// do; "" is for everybody who has signed in.
func (p *Pages) staffRoutes(mux *http.ServeMux) {
	write := serve.HTML(p.errorPage)
	open := func(pattern string, fn serve.Func) { mux.Handle(pattern, serve.Handle(write, bounded(pattern, fn))) }
	for _, l := range p.langs {
		at := "/" + string(l) + "/staff"
		page := func(pattern string, a access.Action, fn serve.Func) {
			method, path, _ := strings.Cut(pattern, " ")
			open(method+" "+at+path, p.behind(a, fn))
		}
		through := func(pattern string, g gate, fn serve.Func) {
			method, path, _ := strings.Cut(pattern, " ")
			open(method+" "+at+path, p.through(g, fn))
		}
		open("GET "+at+"/signin", p.signIn)
		open("POST "+at+"/signin", p.signIn)
		open("POST "+at+"/signin/ask", p.askSignIn)
		open("POST "+at+"/signin/passkey", p.signInPasskey)
		open("GET "+at+"/invitation/{token}", p.invitation)
		open("POST "+at+"/invitation/{token}", p.invitation)
		if p.Staff.SignOn != nil {
			open("GET "+at+"/signon", p.signOn)
		}
		through("POST /signout", gate{half: true, unarmed: true}, p.signOut)
		through("GET /second", gate{half: true, unarmed: true}, p.second)
		through("POST /second", gate{half: true, unarmed: true}, p.giveSecond)
		through("POST /second/ask", gate{half: true, unarmed: true}, p.askSecond)
		through("GET /account/{$}", gate{unarmed: true}, p.account)
		through("POST /account/{$}", gate{unarmed: true}, p.endSessions)
		through("POST /account/password", gate{unarmed: true}, p.changePassword)
		through("GET /account/app", gate{unarmed: true, proven: true}, p.newApp)
		through("POST /account/app", gate{unarmed: true, proven: true}, p.addApp)
		through("POST /account/passkey/ask", gate{unarmed: true, proven: true}, p.askPasskey)
		through("POST /account/passkey", gate{unarmed: true, proven: true}, p.addPasskey)
		through("POST /account/factor", gate{proven: true}, p.changeFactor)
		page("GET /{$}", "", p.desk)
		if p.Staff.Workshop != nil {
			page("GET /workshop/{$}", "", p.workshop)
			page("GET /workshop/table.csv", "", p.workshopCSV)
			page("POST /workshop/sql", "", p.askSQL)
			page("POST /workshop/views", "", p.keepView)
			page("GET /needs/{$}", "", p.needs)
		}
		page("GET /submissions/{$}", access.ReadSubmissions, p.submissions)
		page("GET /submissions/map", access.ReadSubmissions, p.submissionMap)
		page("GET /submissions/list.csv", access.ExportData, p.submissionList)
		page("GET /submissions/answers.zip", access.ExportData, p.answersZip)
		page("GET /submissions/{form}/{id}", access.ReadSubmissions, p.submissionOf)
		page("GET /submissions/{id}", access.ReadSubmissions, p.submission)
		page("GET /submissions/{id}/xml", access.ReadSubmissions, p.submissionXML)
		page("GET /submissions/{id}/attachments/{name}", access.ReadSubmissions, p.attachment)
		if p.Staff.Review != nil {
			page("GET /review/{$}", access.ReadSubmissions, p.reviewQueue)
			page("POST /review/{$}", access.ReviewSubmissions, p.decideFlags)
			page("GET /rules/{$}", access.ReadSubmissions, p.rules)
			page("GET /rules/{id}", access.ReadSubmissions, p.rule)
			page("POST /rules/{id}", access.ReviewSubmissions, p.switchRule)
			page("GET /enumerators/{$}", access.ReadSubmissions, p.enumerators)
			page("POST /review/undo", access.ReviewSubmissions, p.undoReview)
			page("GET /review/{id}", access.ReadSubmissions, p.record)
			page("POST /review/{id}/state", access.ReviewSubmissions, p.judgeRecord)
			page("POST /review/{id}/correct", access.ReviewSubmissions, p.correctRecord)
			page("POST /review/{id}/ask", access.ReviewSubmissions, p.askEnumerator)
		}
		if p.Staff.Surveying != nil {
			page("GET /survey/{$}", access.ReadSubmissions, p.survey)
		}
		if p.Staff.Planning != nil {
			page("GET /planning/{$}", access.ReadSubmissions, p.planning)
			page("POST /planning/{$}", access.PublishForms, p.declareCapacity)
			page("GET /planning/needs.csv", access.ReadSubmissions, p.needsCSV)
		}
		if p.Staff.Planning != nil && p.Staff.Surveying != nil {
			page("GET /network/{$}", access.ReadSubmissions, p.staffNetwork)
		}
		if p.Staff.Alerting != nil {
			page("GET /alerts/{$}", access.ReadSubmissions, p.alerts)
			page("POST /alerts/{$}", access.ReviewSubmissions, p.decideAlerts)
			page("POST /alerts/undo", access.ReviewSubmissions, p.undoAlerts)
			page("GET /alerts/backtest", access.ReadSubmissions, p.backtest)
			page("GET /alerts/{id...}", access.ReadSubmissions, p.alertPage)
			page("POST /alerts/{id...}", access.ReviewSubmissions, p.commentAlert)
		}
		if p.Staff.Referring != nil {
			page("GET /referrals/{$}", access.ReadReferrals, p.referrals)
			page("GET /referrals/figures", access.ReadReferrals, p.referralFigures)
			page("GET /referrals/waiting", access.ReadReferrals, p.waiting)
			page("GET /referrals/patrol", access.ReadReferrals, p.patrol)
			page("POST /referrals/patrol", access.ReadPersons, p.patrol)
			page("GET /referrals/find", access.ReadPersons, p.findPerson)
			page("POST /referrals/find", access.ReadPersons, p.findPerson)
			page("GET /referrals/{id}", access.ReadReferrals, p.referral)
			page("POST /referrals/{id}", access.ReadReferrals, p.actOnReferral)
			page("POST /referrals/{id}/person", access.ReadPersons, p.person)
			page("POST /referrals/{id}/slip", access.ReadReferrals, p.slip)
			p.rightRoutes(func(pattern string, g gate, fn func(http.ResponseWriter, *http.Request) error) {
				through(pattern, g, fn)
			})
			p.glassRoutes(func(pattern string, g gate, fn func(http.ResponseWriter, *http.Request) error) {
				through(pattern, g, fn)
			})
			page("GET /desks/{$}", access.ReadReferrals, p.serviceDesks)
			page("POST /desks/{code}", access.ReadReferrals, p.keepDesk)
		}
		if p.Staff.Points != nil {
			page("GET /points/{$}", access.ReadSubmissions, p.points)
			page("GET /points/{code}", access.ReadSubmissions, p.pointPage)
			page("GET /points/{code}/{$}", access.ReadSubmissions, func(w http.ResponseWriter, r *http.Request) error {
				http.Redirect(w, r, strings.TrimSuffix(r.URL.EscapedPath(), "/"), http.StatusPermanentRedirect)
				return nil
			})
			page("POST /points/{code}", access.ChangePoints, p.changePoint)
			page("POST /points/{code}/silence", access.ChangePoints, p.dismissSilence)
			page("GET /coverage/{$}", access.ReadSubmissions, p.coverage)
			if p.Staff.Points.Areas != nil {
				page("GET /areas/{$}", access.ReadSubmissions, p.areas)
				page("POST /areas/{$}", access.ChangePoints, p.uploadAreas)
				page("GET /areas/check/{upload}", access.ChangePoints, p.checkAreas)
				page("POST /areas/check/{upload}", access.ChangePoints, p.replaceAreas)
				page("GET /areas/{version}", access.ReadSubmissions, p.areaVersion)
				page("POST /areas/{version}", access.ChangePoints, p.restoreAreas)
				page("GET /areas/{version}/files/{file}", access.ReadSubmissions, p.areaFile)
			}
		}
		page("GET /forms/{$}", access.ReadSubmissions, p.forms)
		page("POST /forms/{$}", access.PublishForms, p.saveDraft)
		page("POST /forms/check", access.PublishForms, p.checkForm)
		page("GET /forms/{id}/paper.pdf", access.ReadSubmissions, p.formPaper)
		page("GET /forms/{id}/{$}", access.ReadSubmissions, p.formPage)
		page("GET /forms/{id}/diff", access.ReadSubmissions, p.formDiff)
		page("GET /forms/{id}/questions", access.ReadSubmissions, p.formQuestions)
		page("GET /forms/{id}/{file}", access.ReadSubmissions, p.formFile)
		page("GET /forms/{id}/media/{name}", access.ReadSubmissions, p.formMedium)
		page("GET /forms/{id}/draft/trials/{record}/{name}", access.ReadSubmissions, p.trialFile)
		page("POST /forms/{id}/check", access.PublishForms, p.checkForm)
		page("POST /forms/{id}/state", access.PublishForms, p.setFormState)
		page("POST /forms/{id}/draft", access.PublishForms, p.saveDraft)
		page("POST /forms/{id}/draft/files", access.PublishForms, p.draftFiles)
		page("POST /forms/{id}/draft/code", access.PublishForms, p.draftCode)
		page("POST /forms/{id}/draft/publish", access.PublishForms, p.publishDraft)
		page("POST /forms/{id}/draft/discard", access.PublishForms, p.discardDraft)
		page("GET /devices/{$}", access.ManageDevices, p.devices)
		page("POST /devices/{$}", access.ManageDevices, p.addDevice)
		page("GET /devices/{id}/{$}", access.ManageDevices, p.device)
		page("POST /devices/{id}/move", access.ManageDevices, p.moveDevice)
		page("POST /devices/{id}/code", access.ManageDevices, p.renewDevice)
		page("POST /devices/{id}/revoke", access.ManageDevices, p.revokeDevice)
		page("GET /entities/{$}", access.ReadSubmissions, p.entityLists)
		page("GET /entities/{list}/{$}", access.ReadSubmissions, p.entityList)
		page("POST /entities/{list}/{$}", access.PublishForms, p.addEntity)
		page("POST /entities/{list}/upload", access.PublishForms, p.uploadEntities)
		page("GET /entities/{list}/list.csv", access.ReadSubmissions, p.entityCSV)
		page("GET /entities/{list}/{id}", access.ReadSubmissions, p.entity)
		page("POST /entities/{list}/{id}", access.PublishForms, p.editEntity)
		page("GET /webhooks/{$}", access.ManageWebhooks, p.webhooks)
		page("POST /webhooks/{$}", access.ManageWebhooks, p.addWebhook)
		page("POST /webhooks/{id}", access.ManageWebhooks, p.workWebhook)
		if p.Staff.Viewing != nil && p.Staff.Workshop != nil {
			page("GET /view/{$}", access.ReceiveFigures, p.view)
			page("POST /view/{$}", access.ReceiveFigures, p.shareView)
			open("GET /"+string(l)+"/shared/{token}", p.sharedView)
		}
		if p.Staff.Subscribing != nil {
			p.subscriptionRoutes(func(pattern string, a access.Action, fn func(http.ResponseWriter, *http.Request) error) {
				page(pattern, a, fn)
			})
			open("GET /"+string(l)+"/stop/{token}", p.stop)
			open("POST /"+string(l)+"/stop/{token}", p.stop)
		}
		page("GET /users/{$}", access.ManageUsers, p.users)
		if p.Staff.Agreements != nil {
			p.agreementRoutes(func(pattern string, g gate, fn func(http.ResponseWriter, *http.Request) error) {
				through(pattern, g, fn)
			})
		}
		through("POST /users/{$}", gate{action: access.ManageUsers, proven: true}, p.inviteUser)
		through("POST /users/{email}", gate{action: access.ManageUsers, proven: true}, p.changeUser)
		if p.Staff.Import != nil {
			p.importRoutes(page)
		}
		page("GET /log", access.ReadLog, p.log)
		if p.Staff.Retention != nil {
			p.retentionRoutes(func(pattern string, g gate, fn func(http.ResponseWriter, *http.Request) error) {
				through(pattern, g, fn)
			})
		}
		if p.Staff.Signing != nil {
			page("GET /log/signed", access.ReadLog, p.signed)
			page("POST /log/signed", access.ReadLog, p.holdSigned)
		}
		if p.Releases != nil {
			page("GET /releases/{$}", access.ReadSubmissions, p.staffReleases)
			page("POST /releases/{$}", access.CreateReleases, p.proposeRelease)
			page("GET /releases/check", access.CreateReleases, p.checkRelease)
			page("GET /releases/{month}/{n}", access.ReadSubmissions, p.staffRelease)
			page("GET /releases/{month}/{n}/{file}", access.ReadSubmissions, p.staffReleasePart)
			page("POST /releases/{month}/{n}/approve", access.CreateReleases, p.approveRelease)
			page("POST /releases/{month}/{n}/withdraw", access.CreateReleases, p.withdrawRelease)
			if p.Editor != nil {
				p.textRoutes(func(pattern string, a access.Action, fn func(http.ResponseWriter, *http.Request) error) {
					page(pattern, a, fn)
				})
			}
		}
	}
	if p.Staff.SignOn != nil {
		open("GET "+SignOnBack, p.signedOn)
	}
	if p.Staff.Referring != nil {
		open("GET /s/{token}", p.slipCode)
	}
	mux.Handle("GET /staff/{rest...}", serve.Handle(write, func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/"+r.PathValue("rest"), http.StatusFound)
		return nil
	}))
}

// SignOnBack is where the house that vouches for users sends them back to.
const SignOnBack = "/staff/signon"

// behind lets in who has signed in and may do a; others are asked to sign in, and
// come back to where they wanted to go.
func (p *Pages) behind(a access.Action, fn serve.Func) serve.Func {
	return p.through(gate{action: a}, fn)
}

// through lets in who comes through the gate. Who does not is sent to where they can do
// what is missing; a refusal is recorded.
func (p *Pages) through(g gate, fn serve.Func) serve.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		u, s, err := p.whoever(r)
		if err != nil {
			return err
		}
		l, err := p.lang(r)
		if err != nil {
			return err
		}
		send := func(to string) error {
			http.Redirect(w, r, "/"+string(l)+to, http.StatusSeeOther)
			return nil
		}
		back := "?" + url.Values{"to": {here(r)}}.Encode()
		if u.Email == "" {
			to := "/staff/signin"
			if r.Method == http.MethodGet {
				to += back
			}
			return send(to)
		}
		if g.action != "" {
			if err := access.Decide(u, g.action); err != nil {
				if dtm.KindOf(err) == dtm.Forbidden {
					err = cmp.Or(p.Staff.Trail.Refused(event.WithActor(r.Context(), "user:"+u.Email), u, g.action, r.Pattern), err)
				}
				return err
			}
		}
		switch {
		case s.Armed && s.Second.IsZero() && !g.half:
			return send("/staff/second" + back)
		case !s.Armed && access.NeedsSecond(u.Role) && !g.unarmed:
			return send("/staff/account/")
		case g.proven && p.Now().Sub(s.Proved).Abs() > provedFor:
			return send("/staff/second" + back)
		}
		ctx := event.WithActor(context.WithValue(context.WithValue(r.Context(), userKey{}, u), sessionKey{}, s), "user:"+u.Email)
		n, err := p.countSeconds(ctx, u)
		if err != nil {
			return err
		}
		if n > 0 {
			ctx = context.WithValue(ctx, secondsKey{}, n)
		}
		return fn(w, r.WithContext(ctx))
	}
}

// whoever is the user of the session, as they are now: who was disabled meanwhile
// is nobody.
func (p *Pages) whoever(r *http.Request) (dtm.User, dtm.Session, error) {
	s, err := p.session(r.Context(), r)
	if err != nil || s.Email == "" {
		return dtm.User{}, s, err
	}
	u, _, err := p.Staff.Users.User(r.Context(), s.Email)
	if dtm.KindOf(err) == dtm.NotFound && err != nil || err == nil && u.Disabled != nil {
		return dtm.User{}, dtm.Session{}, nil
	}
	return u, s, err
}

// inside is the page of a signed-in user.
func (p *Pages) inside(r *http.Request, section, title, here string) page {
	l := p.guess(r)
	g := p.page(l, section, locale.Say(l, title), "/staff"+here, r.URL.Query())
	g.User = member(r.Context())
	st := p.Staff
	absent := map[string]bool{"review": st.Review == nil, "enumerators": st.Review == nil, "releases": p.Releases == nil, "alerts": st.Alerting == nil, "planning": st.Planning == nil, "network": st.Planning == nil || st.Surveying == nil, "survey": st.Surveying == nil, "agreements": st.Agreements == nil, "retention": st.Retention == nil,
		"points": st.Points == nil, "coverage": st.Points == nil, "imports": st.Import == nil, "workshop": st.Workshop == nil, "needs": st.Workshop == nil, "subscriptions": st.Subscribing == nil, "view": st.Viewing == nil || st.Workshop == nil}
	for _, m := range []struct {
		section, key, path string
		need               access.Action
	}{
		{"desk", "staff.desk", "/", ""},
		{"referrals", "referral.title", "/referrals/", access.ReadReferrals},
		{"desks", "desk.title", "/desks/", access.ReadReferrals},
		{"glass", "glass.title", "/glass/", access.BreakGlass},
		{"glasses", "glass.menu", "/glass/queue", access.ReviewGlass},
		{"review", "staff.review", "/review/", access.ReadSubmissions},
		{"alerts", "alert.title", "/alerts/", access.ReadSubmissions},
		{"planning", "planning.title", "/planning/", access.ReadSubmissions},
		{"network", "network.staff", "/network/", access.ReadSubmissions},
		{"survey", "survey.title", "/survey/", access.ReadSubmissions},
		{"enumerators", "staff.enumerators", "/enumerators/", access.ReadSubmissions},
		{"submissions", "staff.submissions", "/submissions/", access.ReadSubmissions},
		{"releases", "release.title", "/releases/", access.ReadSubmissions},
		{"workshop", "workshop.title", "/workshop/", ""},
		{"needs", "need.title", "/needs/", ""},
		{"view", "view.title", "/view/", access.ReceiveFigures},
		{"subscriptions", "subscription.title", "/subscriptions/", access.ReceiveFigures},
		{"points", "point.title", "/points/", access.ReadSubmissions},
		{"coverage", "coverage.title", "/coverage/", access.ReadSubmissions},
		{"imports", "import.title", "/imports/", access.ImportData},
		{"forms", "staff.forms", "/forms/", access.ReadSubmissions},
		{"devices", "staff.devices", "/devices/", access.ManageDevices},
		{"entities", "staff.entities", "/entities/", access.ReadSubmissions},
		{"webhooks", "staff.webhooks", "/webhooks/", access.ManageWebhooks},
		{"agreements", "agreement.title", "/agreements/", access.ReadAgreements},
		{"users", "staff.users", "/users/", access.ManageUsers},
		{"retention", "retention.title", "/retention/", access.ReadRetention},
		{"log", "staff.log", "/log", access.ReadLog},
	} {
		if absent[m.section] || st.Referring == nil && slices.Contains([]string{"referrals", "desks", "glass", "glasses"}, m.section) {
			continue
		}
		if m.need == "" || access.Decide(g.User, m.need) == nil {
			item := menuItem{Label: locale.Say(l, m.key), Href: g.Link("/staff" + m.path), Current: m.section == section}
			if n := secondsWaiting(r.Context()); n > 0 && m.section == "referrals" {
				item.Count, item.Counted = g.Number(n), g.T("second.menu", n)
			}
			g.Menu = append(g.Menu, item)
		}
	}
	return g
}

type menuItem struct {
	Label, Href    string
	Current        bool
	Count, Counted string // what waits there, and the same in words
}

// May tells whether the page's user may do it: what is not allowed is not offered.
func (g page) May(a string) bool { return access.Decide(g.User, access.Action(a)) == nil }

// When is a time in the operation's zone, to the minute.
func (g page) When(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(g.p.Operation.Zone)
	return locale.Date(g.Lang, t) + " " + t.Format("15:04")
}

// WhenPtr is When of a time that may not have come.
func (g page) WhenPtr(t *time.Time) string {
	if t == nil {
		return ""
	}
	return g.When(*t)
}

// Reviewed tells whether there are pages of a review.
func (g page) Reviewed() bool { return g.p.Staff != nil && g.p.Staff.Review != nil }

// Ago is how long before now, in the largest unit that is at least one.
func (g page) Ago(t *time.Time) string {
	if t == nil {
		return g.T("staff.never")
	}
	switch d := g.p.Now().Sub(*t); {
	case d < time.Minute:
		return g.T("staff.ago.now")
	case d < time.Hour:
		return g.T("staff.ago.minutes", int(d.Minutes()))
	case d < 24*time.Hour:
		return g.T("staff.ago.hours", int(d.Hours()))
	default:
		return g.T("staff.ago.days", int(d.Hours()/24))
	}
}

// PointName is the point's in the page's language; the code when it is not known.
func (g page) PointName(code string) string {
	if pt, ok := g.p.Operation.Point(code); ok {
		return pt.Name.In(g.Lang)
	}
	return code
}

// deskView is the first page after signing in: what needs attention, and what is
// still to be set up.
type deskView struct {
	page
	Total, Flagged int
	Newest         []submissionRow
	Silent         []dtm.Device // have sent before, and not for three days
	Devices        int
	Forms          int
	Steps          []step // to do before the first submission can come
	Silences       []silenceRow
	Alerts         int  // open
	Alerting       bool // there is an inbox
	Glass          int  // accesses in an emergency that the user has to judge
	Own            *ownView
	Answers        []dtm.Question // of enumerators, in the last days
}

type step struct {
	Text, Href string
	Done       bool
}

// silentAfter is how long a device may send nothing before the desk says so.
const silentAfter = 72 * time.Hour

// openFlags counts the flags that nobody has decided on, from sums that are kept;
// without a review the submissions that have one.
func (p *Pages) openFlags(ctx context.Context) (n int, err error) {
	if p.Staff.Review == nil {
		flagged := "flagged"
		_, n, err = p.Staff.Submissions.Submissions(ctx, dtm.SubmissionFilter{State: &flagged, Limit: 1})
		return n, err
	}
	counts, err := p.Staff.Review.Flags.FlagCounts(ctx, dtm.Month{})
	for _, c := range counts {
		if c.State == dtm.FlagOpen {
			n += c.N
		}
	}
	return n, err
}

// answerDays is how long the desk shows answers of enumerators.
const answerDays = 14

func (p *Pages) desk(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := deskView{page: p.inside(r, "desk", "staff.desk", "/")}
	if p.Staff.Referring != nil && v.May(string(access.ReadReferrals)) && !v.May(string(access.ReadSubmissions)) {
		http.Redirect(w, r, v.Link("/staff/referrals/"), http.StatusSeeOther) // their desk is the inbox
		return nil
	}
	var err error
	if v.Own, err = p.own(ctx, v.page); err != nil {
		return err
	}
	if v.Glass, err = p.glassWaiting(ctx, v.User); err != nil {
		return err
	}
	if v.May(string(access.ReadSubmissions)) {
		list, total, err := p.Staff.Readings.Find(ctx, dtm.SubmissionSearch{SubmissionFilter: dtm.SubmissionFilter{Limit: 8}})
		if err != nil {
			return err
		}
		n, err := p.openFlags(ctx)
		if err != nil {
			return err
		}
		names, err := p.deviceNames(ctx)
		if err != nil {
			return err
		}
		forms, err := p.Staff.Forms.Forms(ctx)
		if err != nil {
			return err
		}
		titles := map[string]string{}
		for _, f := range forms {
			titles[f.ID] = f.TitleIn(v.Lang)
		}
		v.Total, v.Flagged = total.N, n
		for _, s := range list {
			v.Newest = append(v.Newest, p.row(v.page, s, names, titles))
		}
		if v.Silences, err = p.openSilences(ctx, v.page); err != nil {
			return err
		}
		if v.Alerts, err = p.openAlerts(ctx); err != nil {
			return err
		}
		v.Alerting = p.Staff.Alerting != nil
		if p.Staff.Review != nil {
			if v.Answers, err = p.Staff.Review.Questions.Answered(ctx, p.Now().AddDate(0, 0, -answerDays)); err != nil {
				return err
			}
		}
		devices, err := p.Staff.Devices.Devices(ctx)
		if err != nil {
			return err
		}
		v.Forms = len(forms)
		for _, d := range devices {
			if d.Revoked != nil {
				continue
			}
			v.Devices++
			if d.LastSeen != nil && p.Now().Sub(*d.LastSeen) > silentAfter {
				v.Silent = append(v.Silent, d)
			}
		}
		slices.SortFunc(v.Silent, func(a, b dtm.Device) int { return a.LastSeen.Compare(*b.LastSeen) })
		if total.N == 0 {
			v.Steps = []step{{v.T("staff.step.form"), v.Link("/staff/forms/"), v.Forms > 0}, {v.T("staff.step.device"), v.Link("/staff/devices/"), v.Devices > 0}, {v.T("staff.step.send"), "", false}}
		}
	}
	return p.show(w, http.StatusOK, "desk", v)
}

func (p *Pages) deviceNames(ctx context.Context) (map[string]string, error) {
	list, err := p.Staff.Devices.Devices(ctx)
	names := map[string]string{}
	for _, d := range list {
		names[d.ID] = d.Name
	}
	return names, err
}
