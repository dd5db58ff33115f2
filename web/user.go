package web

import (
	"crypto/rand"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

type usersView struct {
	page
	Users    []userRow
	Desks    []dtm.Desk
	Roles    []option
	Partners []option
	Email    string // as typed
	Desk     string
	Message  string
	Done     string
	For, Way string // who is to be given an address, and the address: shown this once
}

type userRow struct {
	dtm.User
	What, Partner string
	Roles         []option
	Partners      []option
	Self          bool
}

// RoleName says a role.
func (g page) RoleName(role string) string { return g.T("user.role." + role) }

func (p *Pages) users(w http.ResponseWriter, r *http.Request) error {
	return p.showUsers(w, r, http.StatusOK, usersView{})
}

func (p *Pages) showUsers(w http.ResponseWriter, r *http.Request, status int, v usersView) error {
	v.page = p.inside(r, "users", "staff.users", "/users/")
	list, err := p.Staff.Users.Users(r.Context())
	if err != nil {
		return err
	}
	for _, u := range list {
		row := userRow{User: u, What: v.RoleName(u.Role), Partner: p.partnerName(v.page, u.Partner), Self: u.Email == v.User.Email}
		row.Roles, row.Partners = p.rights(v.page, u)
		v.Users = append(v.Users, row)
	}
	if p.Staff.Referring != nil {
		if v.Desks, err = p.Staff.Referring.Desks.Desks(r.Context()); err != nil {
			return err
		}
	}
	v.Roles, v.Partners = p.rights(v.page, dtm.User{Role: r.PostFormValue("role"), Partner: r.PostFormValue("partner")})
	return p.show(w, status, "users", v)
}

// rights are what a user may be: a role, and at which partner.
func (p *Pages) rights(g page, u dtm.User) (roles, partners []option) {
	for _, role := range dtm.StaffRoles {
		roles = append(roles, option{role, g.RoleName(role), role == u.Role})
	}
	partners = []option{{"", g.T("user.partner.none"), u.Partner == ""}}
	for _, x := range p.Operation.Partners {
		partners = append(partners, option{x.Code, x.Name.In(g.Lang), x.Code == u.Partner})
	}
	return roles, partners
}

// asked is who the form of a page describes.
func (p *Pages) asked(r *http.Request) (dtm.User, error) {
	u := dtm.User{Role: r.PostFormValue("role"), Partner: r.PostFormValue("partner"), Desk: trimmed(r.PostFormValue("desk"), 60)}
	if !slices.Contains(dtm.StaffRoles, u.Role) {
		return u, dtm.Errorf(dtm.Invalid, "%q is no role", u.Role).Coded("user.role", u.Role, strings.Join(dtm.StaffRoles, ", "))
	}
	if u.Partner != "" && !slices.ContainsFunc(p.Operation.Partners, func(x dtm.Partner) bool { return x.Code == u.Partner }) {
		return u, dtm.Errorf(dtm.Invalid, "%q is no partner", u.Partner).Coded("agreement.partner", u.Partner)
	}
	if (u.Role == dtm.RoleDesk || u.Role == dtm.RolePartner) && u.Partner == "" {
		return u, dtm.Errorf(dtm.Invalid, "say which partner they work for").Coded("user.partner.missing")
	}
	return u, nil
}

// inviteUser makes an address by which somebody opens their account.
func (p *Pages) inviteUser(w http.ResponseWriter, r *http.Request) error {
	l := p.guess(r)
	v := usersView{Email: strings.ToLower(strings.TrimSpace(r.PostFormValue("email"))), Desk: r.PostFormValue("desk")}
	u, err := p.asked(r)
	if err == nil {
		if a, e := mail.ParseAddress(v.Email); e != nil || a.Address != v.Email {
			err = dtm.Errorf(dtm.Invalid, "%s is not an e-mail address", v.Email).Coded("user.email", v.Email)
		}
	}
	if err == nil {
		var way string
		way, err = p.invite(r, dtm.Invitation{Kind: dtm.InviteNew, Email: v.Email, Role: u.Role, Partner: u.Partner, Desk: u.Desk})
		if err == nil {
			return p.showUsers(w, r, http.StatusOK, usersView{For: v.Email, Way: way, Done: locale.Say(l, "user.invited", v.Email)})
		}
	}
	if !refused(err) {
		return err
	}
	v.Message = locale.Error(l, err)
	return p.showUsers(w, r, http.StatusUnprocessableEntity, v)
}

func (p *Pages) invite(r *http.Request, i dtm.Invitation) (string, error) {
	token := rand.Text() + rand.Text()
	err := p.Staff.Accounts.Invite(event.WithActor(r.Context(), actor(r)), token, i)
	return p.origin(r) + "/" + string(p.guess(r)) + "/staff/invitation/" + token, err
}

// changeUser does one thing to an account.
func (p *Pages) changeUser(w http.ResponseWriter, r *http.Request) error {
	ctx, l, email, do := event.WithActor(r.Context(), actor(r)), p.guess(r), r.PathValue("email"), r.PostFormValue("do")
	if email == member(r.Context()).Email {
		return dtm.Errorf(dtm.Invalid, "you cannot change your own account here; ask another administrator").Coded("user.self")
	}
	var v usersView
	var err error
	switch do {
	case "close":
		err = p.Staff.Users.DisableUser(ctx, email)
	case "open":
		err = p.Staff.Accounts.EnableUser(ctx, email)
	case "sessions":
		err = p.Staff.Accounts.RevokeSessions(ctx, email)
	case "factors":
		err = p.Staff.Accounts.RemoveFactor(ctx, email, "", "")
	case "rights":
		var u dtm.User
		if u, err = p.asked(r); err == nil {
			u.Email = email
			err = p.Staff.Accounts.ChangeUser(ctx, u)
		}
	case "reset":
		if v.Way, err = p.invite(r, dtm.Invitation{Kind: dtm.InviteReset, Email: email}); err == nil {
			v.For = email
		}
	default:
		return dtm.Errorf(dtm.Invalid, "%q is nothing that can be done to an account", do).Coded("code.unknown", do, "do")
	}
	if refused(err) {
		return p.showUsers(w, r, http.StatusUnprocessableEntity, usersView{Message: locale.Error(l, err)})
	}
	if err != nil {
		return err
	}
	v.Done = locale.Say(l, "user.done."+do, email)
	return p.showUsers(w, r, http.StatusOK, v)
}

// rightsView are the fields of a form about what a user may be.
type rightsView struct {
	G                      page
	Roles, Partners, Desks []option
}

// desksFor are the referral desks to choose from, the chosen one even if it is there no
// more.
func (v usersView) desksFor(chosen string) []option {
	list := []option{{Label: v.T("user.desk.none")}}
	known := chosen == ""
	for _, d := range v.Desks {
		known = known || d.Code == chosen
		list = append(list, option{Value: d.Code, Label: d.Name.In(v.Lang), Selected: d.Code == chosen})
	}
	if !known {
		list = append(list, option{Value: chosen, Label: chosen, Selected: true})
	}
	return list
}

// DeskName is the name of a desk by its code.
func (v usersView) DeskName(code string) string {
	for _, d := range v.Desks {
		if d.Code == code {
			return d.Name.In(v.Lang)
		}
	}
	return code
}

// RightsOf are those of a user, as they are.
func (v usersView) RightsOf(u userRow) rightsView {
	return rightsView{v.page, u.Roles, u.Partners, v.desksFor(u.Desk)}
}

// RightsNew are those of one to be invited, as typed.
func (v usersView) RightsNew() rightsView {
	return rightsView{v.page, v.Roles, v.Partners, v.desksFor(v.Desk)}
}
