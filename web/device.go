package web

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rsc.io/qr"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

type devicesView struct {
	page
	Open, Revoked []deviceRow
	Points        []option
	Langs         []option
	Name          string // as typed
	Message       string // what is wrong with it
}

type deviceRow struct {
	dtm.Device
	Href string
}

// phoneCode is how a phone is set up.
type phoneCode struct {
	Address, Entry string
	Code           template.URL // picture of the code for ODK Collect
	EntryCode      template.URL // picture of Entry
}

// codeOf draws the codes that a phone scans.
func codeOf(address, code, entry string) (phoneCode, error) {
	out := phoneCode{Address: address, Entry: entry}
	for text, to := range map[string]*template.URL{code: &out.Code, entry: &out.EntryCode} {
		if text == "" {
			continue
		}
		picture, err := qr.Encode(text, qr.L)
		if err != nil {
			return out, err
		}
		*to = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.PNG())) //nolint:gosec // our own picture
	}
	return out, nil
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
		row := deviceRow{d, v.Link("/staff/devices/" + url.PathEscape(d.ID) + "/")}
		if d.Revoked != nil {
			v.Revoked = append(v.Revoked, row)
		} else {
			v.Open = append(v.Open, row)
		}
	}
	v.Points = p.pointOptions(v.page, r.PostFormValue("point"))
	chosen := dtm.Lang(r.PostFormValue("lang"))
	if chosen == "" {
		chosen = p.Operation.Languages[0]
	}
	for _, l := range p.langs {
		v.Langs = append(v.Langs, option{string(l), ownNames[l], l == chosen})
	}
	return p.show(w, status, "devices", v)
}

// pointOptions are the points that are open today, and that of the device.
func (p *Pages) pointOptions(g page, chosen string) []option {
	out := []option{{"", g.T("device.anywhere"), chosen == ""}}
	for _, pt := range p.Operation.Network() {
		if dtm.ValueAt(pt.Status, p.Now()) == "open" || pt.Code == chosen {
			out = append(out, option{pt.Code, pt.Name.In(g.Lang), pt.Code == chosen})
		}
	}
	return out
}

// point checks a point that was chosen.
func (p *Pages) point(r *http.Request) (string, error) {
	code := r.PostFormValue("point")
	if _, ok := p.Operation.Point(code); code != "" && !ok {
		return "", dtm.Errorf(dtm.Invalid, "%q is no point of this operation", code).Coded("point.none", code)
	}
	return code, nil
}

func (p *Pages) addDevice(w http.ResponseWriter, r *http.Request) error {
	v := devicesView{Name: strings.TrimSpace(r.PostFormValue("name"))}
	l := p.guess(r)
	point, err := p.point(r)
	if err != nil {
		return err
	}
	lang := dtm.Lang(r.PostFormValue("lang"))
	if lang != "" && !slices.Contains(p.langs, lang) {
		return dtm.Errorf(dtm.Invalid, "%q is no language of this operation", lang).Coded("code.unknown", string(lang), "lang")
	}
	if v.Name == "" {
		v.Message = locale.Say(l, "device.name.missing")
		return p.showDevices(w, r, http.StatusUnprocessableEntity, v)
	}
	d, token, err := p.Staff.DeviceCare.NewDevice(event.WithActor(r.Context(), actor(r)), dtm.Device{Name: v.Name, Point: point, Lang: lang})
	if dtm.KindOf(err) == dtm.Conflict && err != nil {
		v.Message = locale.Say(l, "device.name.taken", v.Name)
		return p.showDevices(w, r, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	return p.sheet(w, r, d, token, "device.added")
}

// sheetView is the sheet that a new device is set up by, on the screen and on paper.
// It is shown this once: the token is stored as a hash only.
type sheetView struct {
	page
	Device dtm.Device
	Href   string
	Said   string
	Phone  phoneCode
	Steps  []sheetSteps
}

// sheetSteps are what the enumerator does, in one language.
type sheetSteps struct {
	Lang  dtm.Lang
	Dir   string
	Title string
	Steps []string
	Note  string
}

// sheetLanguages are those of the sheet: enumerators read them, whatever the staff's.
var sheetLanguages = []dtm.Lang{dtm.English, dtm.French, dtm.Arabic}

func (p *Pages) sheet(w http.ResponseWriter, r *http.Request, d dtm.Device, token, said string) error {
	v := sheetView{page: p.inside(r, "devices", "device.sheet", "/devices/"), Device: d}
	v.Href, v.Said = v.Link("/staff/devices/"+url.PathEscape(d.ID)+"/"), v.T(said, d.Name)
	lang := d.Lang
	if lang == "" {
		lang = v.Lang
	}
	address, code, entry, err := p.Staff.Phone(token, lang)
	if err != nil {
		return err
	}
	if v.Phone, err = codeOf(address, code, entry); err != nil {
		return err
	}
	// The device's language comes first.
	langs := slices.Clone(sheetLanguages)
	slices.SortStableFunc(langs, func(a, b dtm.Lang) int {
		switch {
		case a == lang && b != lang:
			return -1
		case b == lang && a != lang:
			return 1
		}
		return 0
	})
	for _, l := range langs {
		s := sheetSteps{Lang: l, Dir: "ltr", Title: locale.Say(l, "device.sheet.title"), Note: locale.Say(l, "device.sheet.note", p.Operation.Contact)}
		if l.RTL() {
			s.Dir = "rtl"
		}
		for _, k := range []string{"device.sheet.1", "device.sheet.2", "device.sheet.3", "device.sheet.4"} {
			s.Steps = append(s.Steps, locale.Say(l, k))
		}
		v.Steps = append(v.Steps, s)
	}
	return p.show(w, http.StatusOK, "devicesheet", v)
}

// deviceView is the page of one device.
type deviceView struct {
	page
	Device dtm.Device
	Base   string
	Done   string
	Posts  []dtm.DevicePost
	Uses   []useRow
	Count  int
	Rows   string // its submissions
	Points []option
}

type useRow struct {
	dtm.DeviceUse
	Title string
	Old   bool // a newer version is published
}

func (p *Pages) device(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, err := p.Staff.DeviceCare.Device(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	at := "/devices/" + url.PathEscape(d.ID) + "/"
	v := deviceView{page: p.inside(r, "devices", "word.device", at), Device: d}
	v.Title, v.Base, v.Rows = d.Name, v.Link("/staff"+at), v.Link("/staff/submissions/?device="+url.QueryEscape(d.ID))
	if key := "device.done." + r.URL.Query().Get("done"); locale.Has(key) {
		v.Done = v.T(key)
	}
	if v.Posts, err = p.Staff.DeviceCare.DevicePosts(ctx, d.ID); err != nil {
		return err
	}
	uses, err := p.Staff.DeviceCare.DeviceUses(ctx, d.ID)
	if err != nil {
		return err
	}
	forms, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return err
	}
	for _, u := range uses {
		row := useRow{DeviceUse: u, Title: u.Form}
		for _, f := range forms {
			if f.ID == u.Form {
				row.Title, row.Old = f.TitleIn(v.Lang), f.Version != u.Version
			}
		}
		v.Count += u.Submissions
		v.Uses = append(v.Uses, row)
	}
	v.Points = p.pointOptions(v.page, d.Point)
	return p.show(w, http.StatusOK, "device", v)
}

func (p *Pages) backToDevice(w http.ResponseWriter, r *http.Request, done string) error {
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/devices/"+url.PathEscape(r.PathValue("id"))+"/?done="+done, http.StatusSeeOther)
	return nil
}

func (p *Pages) moveDevice(w http.ResponseWriter, r *http.Request) error {
	point, err := p.point(r)
	if err != nil {
		return err
	}
	if err := p.Staff.DeviceCare.MoveDevice(event.WithActor(r.Context(), actor(r)), r.PathValue("id"), point); err != nil {
		return err
	}
	return p.backToDevice(w, r, "moved")
}

func (p *Pages) renewDevice(w http.ResponseWriter, r *http.Request) error {
	d, token, err := p.Staff.DeviceCare.RenewDevice(event.WithActor(r.Context(), actor(r)), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.sheet(w, r, d, token, "device.renewed")
}

// maxReason is how much is kept of why a device was shut out, in characters.
const maxReason = 200

func (p *Pages) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	reason := []rune(strings.Join(strings.Fields(r.PostFormValue("reason")), " "))
	if err := p.Staff.DeviceCare.WithdrawDevice(event.WithActor(r.Context(), actor(r)), r.PathValue("id"), string(reason[:min(len(reason), maxReason)])); err != nil {
		return err
	}
	return p.backToDevice(w, r, "revoked")
}

// actor is how the log names who asks.
func actor(r *http.Request) string { return "user:" + member(r.Context()).Email }
