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
	hash, err := access.HashPassword(ctx, rand.Reader, strings.TrimRight(password, "\r"))
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
