package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func users(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	must(t, s.AddUser(ctx, dtm.User{Email: "B@Example.org ", Role: dtm.RoleDesk, Partner: "onars", Desk: "health-obock"}, "hash b"))
	must(t, s.AddUser(ctx, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin}, "hash a"))
	wantKind(t, s.AddUser(ctx, dtm.User{Email: "b@example.ORG", Role: dtm.RoleAdmin}, "h"), dtm.Conflict)
	wantKind(t, s.AddUser(ctx, dtm.User{Email: "c@example.org", Role: "king"}, "h"), dtm.Invalid)
	wantKind(t, s.AddUser(ctx, dtm.User{Email: "nobody", Role: dtm.RoleAdmin}, "h"), dtm.Invalid)

	u, hash, err := s.User(ctx, "b@EXAMPLE.org")
	must(t, err)
	if u.Email != "b@example.org" || u.Role != dtm.RoleDesk || u.Partner != "onars" || u.Desk != "health-obock" || hash != "hash b" || u.Created.IsZero() || u.Disabled != nil {
		t.Errorf("user = %+v %q", u, hash)
	}
	_, _, err = s.User(ctx, "none@example.org")
	wantKind(t, err, dtm.NotFound)
	must(t, s.DisableUser(ctx, "b@example.org"))
	first, _, err := s.User(ctx, "b@example.org")
	must(t, err)
	must(t, s.DisableUser(ctx, "b@example.org"))
	again, _, err := s.User(ctx, "b@example.org")
	must(t, err)
	if first.Disabled == nil || again.Disabled == nil || !first.Disabled.Equal(*again.Disabled) {
		t.Errorf("disabled = %v, then %v", first.Disabled, again.Disabled)
	}
	wantKind(t, s.DisableUser(ctx, "none@example.org"), dtm.NotFound)
	list, err := s.Users(ctx)
	must(t, err)
	if len(list) != 2 || list[0].Email != "a@example.org" {
		t.Errorf("list = %+v", list)
	}
	if e := names(allEvents(t, s)); !cmp.Equal(e, []string{dtm.UserAdded, dtm.UserAdded, dtm.UserDisabled}) {
		t.Errorf("events = %v", e)
	}
}
