package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

type agreementsView struct {
	page
	Standing, Over            []agreementRow
	Partners, Kinds           []option
	Programmes, Groups, Areas []option
	Purpose, Basis, From, To  string
	Office, Document          string
	Onward                    bool
	Message, Done             string
}

type agreementRow struct {
	dtm.Agreement
	Name, What, Days, Where, Which, For, State string
	Coming                                     bool
}

func (p *Pages) agreements(w http.ResponseWriter, r *http.Request) error {
	return p.showAgreements(w, r, http.StatusOK, agreementsView{})
}

func (p *Pages) showAgreements(w http.ResponseWriter, r *http.Request, status int, v agreementsView) error {
	v.page = p.inside(r, "agreements", "agreement.title", "/agreements/")
	list, err := p.Staff.Agreements.Agreements(r.Context(), "")
	if err != nil {
		return err
	}
	now, chosen := p.Now(), func(name string) []string { return r.PostForm[name] }
	names := func(list []string, name func(string) string) string {
		var out []string
		for _, x := range list {
			out = append(out, name(x))
		}
		return together(v.Lang, out)
	}
	programme := func(code string) string { return p.programmeName(v.Lang, code) }
	group := func(code string) string { return v.T("group." + code) }
	area := func(code string) string { return p.areaName(v.Lang, code) }
	for _, a := range list {
		row := agreementRow{Agreement: a, Name: p.partnerName(v.page, a.Partner), What: v.T("agreement.kind." + a.Kind), Days: locale.Date(v.Lang, a.From) + " – " + locale.Date(v.Lang, a.To),
			Where: names(a.Areas, area), Which: names(a.Groups, group), For: names(a.Programmes, programme)}
		if row.Where == "" {
			row.Where = v.T("agreement.everywhere")
		}
		switch {
		case a.Ended != nil:
			row.State = v.T("agreement.ended", v.When(*a.Ended), strings.TrimPrefix(a.EndedBy, "user:"))
		case !a.Stands(now, p.Operation.Zone) && now.After(a.To):
			row.State = v.T("agreement.over")
		case !a.Stands(now, p.Operation.Zone):
			row.State, row.Coming = v.T("agreement.coming"), true
		}
		if row.State == "" || row.Coming {
			v.Standing = append(v.Standing, row)
		} else {
			v.Over = append(v.Over, row)
		}
	}
	for _, x := range p.Operation.Partners {
		v.Partners = append(v.Partners, option{x.Code, x.Name.In(v.Lang), x.Code == r.PostFormValue("partner")})
	}
	for _, k := range []string{dtm.AgreementCases, dtm.AgreementFigures} {
		v.Kinds = append(v.Kinds, option{k, v.T("agreement.kind." + k), k == r.PostFormValue("kind")})
	}
	for _, x := range p.Operation.Programmes {
		v.Programmes = append(v.Programmes, option{x.Code, x.Name.In(v.Lang), slices.Contains(chosen("programme"), x.Code)})
	}
	for _, g := range dtm.FieldGroups {
		v.Groups = append(v.Groups, option{g, group(g), slices.Contains(chosen("group"), g)})
	}
	for _, x := range p.Operation.Areas {
		if x.Level == 1 {
			v.Areas = append(v.Areas, option{x.Code, x.Name.In(v.Lang), slices.Contains(chosen("area"), x.Code)})
		}
	}
	return p.show(w, status, "agreements", v)
}

func (p *Pages) programmeName(l dtm.Lang, code string) string {
	for _, x := range p.Operation.Programmes {
		if x.Code == code {
			return x.Name.In(l)
		}
	}
	return code
}

func (p *Pages) areaName(l dtm.Lang, code string) string {
	for _, x := range p.Operation.Areas {
		if x.Code == code {
			return x.Name.In(l)
		}
	}
	return code
}

// changeAgreements adds an agreement, or ends one.
func (p *Pages) changeAgreements(w http.ResponseWriter, r *http.Request) error {
	ctx, l := event.WithActor(r.Context(), actor(r)), p.guess(r)
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	var err error
	v := agreementsView{}
	if id := r.PostFormValue("end"); id != "" {
		why := trimmed(r.PostFormValue("why"), 300)
		if why == "" {
			err = dtm.Errorf(dtm.Invalid, "say why it ends").Coded("agreement.why")
		} else {
			err = p.Staff.Agreements.EndAgreement(ctx, id, why)
		}
		v.Done = locale.Say(l, "agreement.done.end")
	} else {
		a := dtm.Agreement{Partner: r.PostFormValue("partner"), Kind: r.PostFormValue("kind"), Purpose: trimmed(r.PostFormValue("purpose"), 500), Basis: trimmed(r.PostFormValue("basis"), 500),
			Programmes: r.PostForm["programme"], Groups: r.PostForm["group"], Areas: r.PostForm["area"], Onward: r.PostFormValue("onward") == "yes",
			Contact: trimmed(r.PostFormValue("contact"), 200), Document: trimmed(r.PostFormValue("document"), 100)}
		a.From, _ = time.Parse(time.DateOnly, r.PostFormValue("from"))
		a.To, _ = time.Parse(time.DateOnly, r.PostFormValue("to"))
		v = agreementsView{Purpose: a.Purpose, Basis: a.Basis, From: r.PostFormValue("from"), To: r.PostFormValue("to"), Office: a.Contact, Document: a.Document, Onward: a.Onward}
		if err = a.Check(p.Operation); err == nil {
			_, err = p.Staff.Agreements.AddAgreement(ctx, a)
		}
		if err == nil {
			r.PostForm = nil
			v = agreementsView{Done: locale.Say(l, "agreement.done.add")}
		}
	}
	if refused(err) {
		v.Message, v.Done = locale.Error(l, err), ""
		return p.showAgreements(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	return p.showAgreements(w, r, http.StatusOK, v)
}

// agreementRoutes are the pages about agreements.
func (p *Pages) agreementRoutes(through func(string, gate, func(http.ResponseWriter, *http.Request) error)) {
	through("GET /agreements/{$}", gate{action: access.ReadAgreements}, p.agreements)
	through("POST /agreements/{$}", gate{action: access.ManageAgreements, proven: true}, p.changeAgreements)
}
