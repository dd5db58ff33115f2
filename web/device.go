package web

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"rsc.io/qr"

	"dtm"
	"dtm/event"
)

type devicesView struct {
	page
	Open, Revoked []dtm.Device
	Points        []option
	Name, Point   string // as typed
	Message       string // what is wrong with it
	New           *newDevice
}

// newDevice is shown this once: the token is stored as a hash only.
type newDevice struct {
	dtm.Device
	Address, Entry string
	Code           template.URL // picture of the code for ODK Collect
}

func (p *Pages) devices(w http.ResponseWriter, r *http.Request) error {
	return p.showDevices(w, r, http.StatusOK, devicesView{})
}

func (p *Pages) showDevices(w http.ResponseWriter, r *http.Request, status int, v devicesView) error {
	v.page = p.inside(r, "devices", "staff.devices", "/devices/")
	list, err := p.Staff.Devices.Devices(r.Context())
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Revoked != nil {
			v.Revoked = append(v.Revoked, d)
		} else {
			v.Open = append(v.Open, d)
		}
	}
	v.Points = []option{{"", v.T("device.anywhere"), v.Point == ""}}
	for _, pt := range p.Operation.Network() {
		if dtm.ValueAt(pt.Status, p.Now()) == "open" {
			v.Points = append(v.Points, option{pt.Code, pt.Name.In(v.Lang), pt.Code == v.Point})
		}
	}
	return p.show(w, status, "devices", v)
}

func (p *Pages) addDevice(w http.ResponseWriter, r *http.Request) error {
	v := devicesView{Name: strings.TrimSpace(r.PostFormValue("name")), Point: r.PostFormValue("point")}
	l := p.guess(r)
	if _, ok := p.Operation.Point(v.Point); v.Point != "" && !ok {
		return dtm.Errorf(dtm.Invalid, "%q is no point of this operation", v.Point).Coded("code.unknown", v.Point, "point")
	}
	if v.Name == "" {
		v.Message = p.page(l, "", "", "", nil).T("device.name.missing")
		return p.showDevices(w, r, http.StatusUnprocessableEntity, v)
	}
	d, token, err := p.Staff.Devices.AddDevice(event.WithActor(r.Context(), actor(r)), v.Name, v.Point)
	if dtm.KindOf(err) == dtm.Conflict && err != nil {
		v.Message = p.page(l, "", "", "", nil).T("device.name.taken", v.Name)
		return p.showDevices(w, r, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	n := newDevice{Device: d}
	var code string
	if n.Address, code, n.Entry, err = p.Staff.Phone(token, l); err != nil {
		return err
	}
	picture, err := qr.Encode(code, qr.L)
	if err != nil {
		return err
	}
	n.Code = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.PNG())) //nolint:gosec // our own picture
	return p.showDevices(w, r, http.StatusOK, devicesView{New: &n})
}

func (p *Pages) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	if err := p.Staff.Devices.RevokeDevice(event.WithActor(r.Context(), actor(r)), r.PathValue("id")); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/devices/", http.StatusSeeOther)
	return nil
}

// actor is how the log names who asks.
func actor(r *http.Request) string { return "user:" + member(r.Context()).Email }
