package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/access"
)

func runUserAdd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	email := fs.String("email", "", "address the user signs in with")
	role := fs.String("role", "", strings.Join(dtm.StaffRoles, ", "))
	file := fs.String("password-file", "", "`file` whose first line is the password")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	return c.addUser(ctx, h, *email, *role, *file)
}

func (c *call) addUser(ctx context.Context, h *house, email, role, file string) error {
	switch {
	case !strings.Contains(email, "@"):
		return wrongUse("-email %q is not an address", email)
	case !slices.Contains(dtm.StaffRoles, role):
		return wrongUse("-role %q: want one of %s", role, strings.Join(dtm.StaffRoles, ", "))
	case file == "":
		return wrongUse("-password-file is missing; a password on the command line would stay in the shell's history")
	}
	b, err := os.ReadFile(c.path(file))
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the password file cannot be read: %w", err)
	}
	password, _, _ := strings.Cut(string(b), "\n")
	password = strings.TrimRight(password, "\r")
	hash, err := access.HashPassword(ctx, rand.Reader, password)
	if err == nil {
		err = h.goodPassword(password, email)
	}
	if err != nil {
		return err
	}
	if err := h.db.AddUser(ctx, dtm.User{Email: strings.ToLower(email), Role: role}, hash); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "added %s (%s)\n", strings.ToLower(email), role)
	return nil
}

func runUserList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	list, err := h.db.Users(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no user yet: `dtm user add` adds one")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "email\trole\tadded\tstate")
	for _, u := range list {
		state := "open"
		if u.Disabled != nil {
			state = "disabled " + u.Disabled.In(h.op.Zone).Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Email, u.Role, u.Created.In(h.op.Zone).Format(time.DateOnly), state)
	}
	return w.Flush()
}

func runUserDisable(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.DisableUser(ctx, args[0]); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "disabled %s\n", args[0])
	return nil
}

// runUserInvite prints an address by which somebody opens their account.
func runUserInvite(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	email := fs.String("email", "", "address the user signs in with")
	role := fs.String("role", "", strings.Join(dtm.StaffRoles, ", "))
	partner := fs.String("partner", "", "`code` of the partner that they work for")
	desk := fs.String("desk", "", "`code` of the desk at which they answer")
	lang := fs.String("lang", "en", "language of the page")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	switch {
	case !strings.Contains(*email, "@"):
		return wrongUse("-email %q is not an address", *email)
	case !slices.Contains(dtm.StaffRoles, *role):
		return wrongUse("-role %q: want one of %s", *role, strings.Join(dtm.StaffRoles, ", "))
	}
	return c.invitation(ctx, *data, dtm.Invitation{Kind: dtm.InviteNew, Email: *email, Role: *role, Partner: *partner, Desk: *desk}, dtm.Lang(*lang))
}

// runUserReset prints an address by which a user chooses a new password.
func runUserReset(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	second := fs.Bool("second", false, "remove the second factors too, of a user who has lost them")
	lang := fs.String("lang", "en", "language of the page")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *second {
		h, done, err := c.open(ctx, *data)
		if err != nil {
			return err
		}
		err = h.db.RemoveFactor(ctx, args[0], "", "")
		done()
		if err != nil {
			return err
		}
	}
	return c.invitation(ctx, *data, dtm.Invitation{Kind: dtm.InviteReset, Email: args[0]}, dtm.Lang(*lang))
}

func (c *call) invitation(ctx context.Context, data string, i dtm.Invitation, l dtm.Lang) error {
	h, done, err := c.open(ctx, data)
	if err != nil {
		return err
	}
	defer done()
	if i.Partner != "" && !slices.ContainsFunc(h.op.Partners, func(p dtm.Partner) bool { return p.Code == i.Partner }) {
		return dtm.Errorf(dtm.Invalid, "there is no partner %q; they are in partners.csv of the operation", i.Partner)
	}
	if (i.Role == dtm.RoleDesk || i.Role == dtm.RolePartner) && i.Partner == "" {
		return wrongUse("-partner is missing: for which partner do they work?")
	}
	if !slices.Contains(h.op.Languages, l) {
		return wrongUse("-lang %q: the operation has no pages in it", l)
	}
	token := rand.Text() + rand.Text()
	if err := h.db.Invite(ctx, token, i); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s/%s/staff/invitation/%s\n", h.baseURL(), l, token)
	fmt.Fprintf(c.err, "Pass this address on to %s by a way that only they read. It is good once, within %d hours.\n", i.Email, int(dtm.InviteFor.Hours()))
	return nil
}

// runUserSessions ends all sessions of a user.
func runUserSessions(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if _, _, err := h.db.User(ctx, args[0]); err != nil {
		return err
	}
	if err := h.db.RevokeSessions(ctx, args[0]); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "signed %s out everywhere\n", args[0])
	return nil
}
