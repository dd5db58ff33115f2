package web

import (
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
	Users   []dtm.User
	Roles   []option
	Email   string // as typed
	Message string
	Added   string
}

// RoleName says a role.
func (g page) RoleName(role string) string { return g.T("user.role." + role) }

func (p *Pages) users(w http.ResponseWriter, r *http.Request) error {
	return p.showUsers(w, r, http.StatusOK, usersView{})
}

func (p *Pages) showUsers(w http.ResponseWriter, r *http.Request, status int, v usersView) error {
	v.page = p.inside(r, "users", "staff.users", "/users/")
	var err error
	if v.Users, err = p.Staff.Users.Users(r.Context()); err != nil {
		return err
	}
	chosen := r.PostFormValue("role")
	for i, role := range dtm.StaffRoles {
		v.Roles = append(v.Roles, option{role, v.RoleName(role), role == chosen || chosen == "" && i == 0})
	}
	return p.show(w, status, "users", v)
}

func (p *Pages) addUser(w http.ResponseWriter, r *http.Request) error {
	ctx, l := event.WithActor(r.Context(), actor(r)), p.guess(r)
	v := usersView{Email: strings.ToLower(strings.TrimSpace(r.PostFormValue("email")))}
	role := r.PostFormValue("role")
	if !slices.Contains(dtm.StaffRoles, role) {
		return dtm.Errorf(dtm.Invalid, "%q is no role", role).Coded("code.unknown", role, "role")
	}
	if a, err := mail.ParseAddress(v.Email); err != nil || a.Address != v.Email {
		v.Message = locale.Say(l, "user.email.invalid", v.Email)
		return p.showUsers(w, r, http.StatusUnprocessableEntity, v)
	}
	hash, err := p.Staff.HashPassword(ctx, r.PostFormValue("password"))
	if err == nil {
		err = p.Staff.Users.AddUser(ctx, dtm.User{Email: v.Email, Role: role}, hash)
	}
	switch {
	case err == nil:
		return p.showUsers(w, r, http.StatusOK, usersView{Added: v.Email})
	case dtm.KindOf(err) == dtm.Conflict:
		v.Message = locale.Say(l, "user.email.taken", v.Email)
	case dtm.KindOf(err) == dtm.Invalid:
		v.Message = locale.Error(l, err)
	default:
		return err
	}
	return p.showUsers(w, r, http.StatusUnprocessableEntity, v)
}

func (p *Pages) disableUser(w http.ResponseWriter, r *http.Request) error {
	email := r.PathValue("email")
	if email == member(r.Context()).Email {
		return dtm.Errorf(dtm.Invalid, "you cannot close your own account; ask another administrator").Coded("user.self")
	}
	if err := p.Staff.Users.DisableUser(event.WithActor(r.Context(), actor(r)), email); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/users/", http.StatusSeeOther)
	return nil
}
