package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mdp/qrterminal/v3"

	"dtm"
	"dtm/gather/entry"
	"dtm/gather/openrosa"
)

func runDeviceAdd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	name := fs.String("name", "", "name of the phone, for example `Obock-1`")
	point := fs.String("point", "", "code of the point it is used at")
	lang := fs.String("lang", "", "language of the phone's menus: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *name == "" {
		return wrongUse("-name is missing")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *point, err = h.pointCode(*point); err != nil {
		return err
	}
	if *lang == "" {
		*lang = string(h.op.Languages[0])
	}
	d, token, err := h.db.NewDevice(ctx, dtm.Device{Name: *name, Point: *point, Lang: dtm.Lang(*lang)})
	if err != nil {
		return err
	}
	return c.admitted(h, d, token)
}

// pointCode is the code of a point that is named in any way, "" for none.
func (h *house) pointCode(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	code, ok := h.op.ResolvePoint(name)
	if !ok {
		return "", dtm.Errorf(dtm.Invalid, "there is no point %q; `dtm indicator -by point` or the file points.csv of the operation lists them", name)
	}
	return code, nil
}

// admitted prints how a phone is set up, which can be done this once.
func (c *call) admitted(h *house, d dtm.Device, token string) error {
	base := h.baseURL() + openrosa.Path(token)
	settings, err := openrosa.Settings(base, h.op.Title.In(d.Lang), d.Lang)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "device %s (%s)\n%s\n\n", d.Name, d.ID, base)
	fmt.Fprintln(c.out, "In ODK Collect or KoboCollect: add a project, scan this code. The address is shown this once.")
	c.code(settings)
	fmt.Fprintf(c.out, "\nWithout the app, in a browser: open this link once on the device.\n%s\n", h.baseURL()+entry.Path(token))
	return nil
}

// runDeviceCode gives a phone that lost its settings a new code.
func runDeviceCode(ctx context.Context, c *call) error {
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
	d, token, err := h.db.RenewDevice(ctx, args[0])
	if err != nil {
		return err
	}
	return c.admitted(h, d, token)
}

// runDeviceMove has a phone be at another point from now on.
func runDeviceMove(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	point := ""
	if args[1] != "-" {
		if point, err = h.pointCode(args[1]); err != nil {
			return err
		}
	}
	if err := h.db.MoveDevice(ctx, args[0], point); err != nil {
		return err
	}
	d, err := h.db.Device(ctx, args[0])
	if err != nil {
		return err
	}
	posts, err := h.db.DevicePosts(ctx, d.ID)
	if err != nil {
		return err
	}
	for _, p := range posts {
		where := p.Point
		if where == "" {
			where = "-"
		}
		fmt.Fprintf(c.out, "%s  %s  since %s\n", d.Name, where, p.At.In(h.op.Zone).Format("2006-01-02 15:04"))
	}
	return nil
}

// code prints what a phone scans.
func (c *call) code(text string) {
	qrterminal.GenerateWithConfig(text, qrterminal.Config{Level: qrterminal.L, Writer: c.out, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteBlackChar: qrterminal.WHITE_BLACK, WhiteChar: qrterminal.WHITE_WHITE, BlackWhiteChar: qrterminal.BLACK_WHITE})
}

func runDeviceList(ctx context.Context, c *call) error {
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
	list, err := h.db.Devices(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no device yet: `dtm device add` admits one")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "name\tpoint\tadded\tlast seen\twith\tstate\tid")
	for _, d := range list {
		seen, state := "never", "open"
		if d.LastSeen != nil {
			seen = d.LastSeen.In(h.op.Zone).Format("2006-01-02 15:04")
		}
		if d.Revoked != nil {
			state = strings.TrimSpace("revoked " + d.Revoked.In(h.op.Zone).Format(time.DateOnly) + " " + d.Reason)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, d.Point, d.Created.In(h.op.Zone).Format(time.DateOnly), seen, d.App, state, d.ID)
	}
	return w.Flush()
}

func runDeviceRevoke(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	reason := fs.String("reason", "", "why, for those who look at the list later: `lost`")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.WithdrawDevice(ctx, args[0], *reason); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "revoked %s; its next request is refused\n", strings.TrimSpace(args[0]))
	return nil
}
