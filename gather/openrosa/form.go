package openrosa

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"dtm"
	"dtm/serve"
)

type formListXML struct {
	XMLName xml.Name      `xml:"http://openrosa.org/xforms/xformsList xforms"`
	Forms   []formItemXML `xml:"xform"`
}

// formItemXML: Collect drops the whole list when one entry lacks formID, name or
// downloadUrl, and fails when hash is absent or does not begin with "md5:".
type formItemXML struct {
	FormID      string `xml:"formID"`
	Name        string `xml:"name"`
	Version     string `xml:"version"`
	Hash        string `xml:"hash"`
	DownloadURL string `xml:"downloadUrl"`
	ManifestURL string `xml:"manifestUrl,omitempty"`

	Titles []titleXML `xml:"urn:dtm:form-list title"`
}

// titleXML is the form's title in one language. The protocol has one name for a form;
// these are for our own page, which has no network when the reader changes the
// language. Only ?titles=all gets them: nothing that phones do not know is sent to them.
type titleXML struct {
	Lang string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Text string `xml:",chardata"`
}

type manifestXML struct {
	XMLName xml.Name       `xml:"http://openrosa.org/xforms/xformsManifest manifest"`
	Files   []mediaFileXML `xml:"mediaFile"`
}

type mediaFileXML struct {
	Type         string `xml:"type,attr,omitempty"` // "entityList": rows are entities, which the phone may create and change
	Filename     string `xml:"filename"`
	Hash         string `xml:"hash"`
	DownloadURL  string `xml:"downloadUrl"`
	IntegrityURL string `xml:"integrityUrl,omitempty"`
}

// formList lists the current version of every form, or of the one named by
// ?formID. A phone that matches exactly deletes what is not listed, so nothing
// but the whole truth is answered with 200.
func (h *Handler) formList(w http.ResponseWriter, r *http.Request, device dtm.Device) error {
	forms, err := h.Forms.Forms(r.Context())
	if err != nil {
		return err
	}
	only, filtered := r.URL.Query()["formID"]
	base := h.address(r)
	list := formListXML{}
	for _, f := range forms {
		if filtered && f.ID != only[0] {
			continue
		}
		state, err := h.state(r.Context(), f.ID)
		if err != nil {
			return err
		}
		if state != dtm.FormOpen {
			continue // phones that match exactly take it off; what is filled is sent all the same
		}
		media, err := h.mediaOf(r.Context(), f)
		if err != nil {
			return err
		}
		lists, err := h.entityFiles(r.Context(), f, device)
		if err != nil {
			return err
		}
		item := formItemXML{FormID: f.ID, Name: title(r, f, device), Version: f.Version, Hash: md5Of(f.Hash, f.XForm),
			DownloadURL: base + "/forms/" + url.PathEscape(f.ID) + ".xml?version=" + url.QueryEscape(f.Version)}
		if strings.TrimSpace(item.Name) == "" {
			item.Name = f.ID
		}
		if len(media)+len(lists) > 0 {
			item.ManifestURL = base + "/forms/" + url.PathEscape(f.ID) + "/manifest?version=" + url.QueryEscape(f.Version)
		}
		if r.URL.Query().Get("titles") == "all" {
			for _, l := range slices.Sorted(maps.Keys(f.Titles)) {
				item.Titles = append(item.Titles, titleXML{string(l), f.Titles[l]})
			}
		}
		list.Forms = append(list.Forms, item)
	}
	return writeXML(w, r, list)
}

// title is the form's one name in a list: in a language that the request asks for, else
// in that of the device's menus (Collect asks for none), else as the form calls itself.
func title(r *http.Request, f dtm.Form, device dtm.Device) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err == nil {
		for _, t := range tags {
			base, _ := t.Base()
			if s := f.Titles[dtm.Lang(base.String())]; s != "" {
				return s
			}
		}
	}
	return f.TitleIn(device.Lang)
}

// address is the base that URLs in answers begin with; they must be absolute.
func (h *Handler) address(r *http.Request) string {
	server := strings.TrimRight(h.Base, "/")
	if server == "" {
		server = "http://" + r.Host
		if serve.Secure(r) {
			server = "https://" + r.Host
		}
	}
	if h.Trial {
		return server + TrialPath(r.PathValue("token"), r.PathValue("form"))
	}
	return server + Path(r.PathValue("token"))
}

// md5Of returns hash if it has the form OpenRosa wants, else that of content.
func md5Of(hash string, content []byte) string {
	if strings.HasPrefix(hash, "md5:") && len(hash) == len("md5:")+2*md5.Size {
		return hash
	}
	sum := md5.Sum(content) // identity of content, as the protocol says; no protection
	return "md5:" + hex.EncodeToString(sum[:])
}

// form hands out the XForm: /forms/{id}.xml, the version by ?version.
func (h *Handler) form(w http.ResponseWriter, r *http.Request, _ dtm.Device) error {
	id, ok := strings.CutSuffix(r.PathValue("file"), ".xml")
	if !ok {
		return dtm.Errorf(dtm.NotFound, "there is nothing at this address; form %q is at %s.xml", id, id).Coded("form.unknown", id)
	}
	f, err := h.asked(r, id)
	if err != nil {
		return err
	}
	return writeBytes(w, r, md5Of(f.Hash, f.XForm), f.XForm)
}

// asked returns the form in the version that the request names, else the current
// one.
func (h *Handler) asked(r *http.Request, id string) (dtm.Form, error) {
	return h.versions.form(r.Context(), h.Forms, id, r.URL.Query().Get("version"))
}

// manifest lists a form's attachments. Collect takes a manifest whole or not at
// all.
func (h *Handler) manifest(w http.ResponseWriter, r *http.Request, device dtm.Device) error {
	f, err := h.asked(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	media, err := h.mediaOf(r.Context(), f)
	if err != nil {
		return err
	}
	lists, err := h.entityFiles(r.Context(), f, device)
	if err != nil {
		return err
	}
	base := h.address(r) + "/forms/" + url.PathEscape(f.ID) + "/media/"
	m := manifestXML{}
	for _, file := range lists {
		m.Files = append(m.Files, mediaFileXML{Type: "entityList", Filename: file.name(), Hash: file.hash(),
			DownloadURL:  base + url.PathEscape(file.name()) + "?version=" + url.QueryEscape(f.Version),
			IntegrityURL: h.address(r) + "/datasets/" + url.PathEscape(file.list) + "/integrity"})
	}
	for _, file := range media {
		if covers(lists, file.Name) {
			continue
		}
		m.Files = append(m.Files, mediaFileXML{
			Filename:    file.Name,
			Hash:        md5Of(file.Hash, file.Data),
			DownloadURL: base + url.PathEscape(file.Name) + "?version=" + url.QueryEscape(f.Version),
		})
	}
	return writeXML(w, r, m)
}

// media hands out one attachment of a form.
func (h *Handler) media(w http.ResponseWriter, r *http.Request, device dtm.Device) error {
	f, err := h.asked(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	lists, err := h.entityFiles(r.Context(), f, device)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if l.name() == name {
			return h.entityFile(w, r, l)
		}
	}
	media, err := h.mediaOf(r.Context(), f)
	if err != nil {
		return err
	}
	for _, m := range media {
		if m.Name != name {
			continue
		}
		typ := m.Type
		if typ == "" {
			typ = "application/octet-stream"
		}
		w.Header().Set("Content-Type", typ)
		// A form's attachment is opened by phones, never shown as a page of ours.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
		return writeBytes(w, r, md5Of(m.Hash, m.Data), m.Data)
	}
	return dtm.Errorf(dtm.NotFound, "form %q has no attachment %q", f.ID, name).Coded("media.unknown", f.ID, name)
}

func (h *Handler) mediaOf(ctx context.Context, f dtm.Form) ([]dtm.Media, error) {
	if h.Media == nil {
		return f.Media, nil
	}
	return h.Media(ctx, f)
}

func writeXML(w http.ResponseWriter, r *http.Request, v any) error {
	b, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	b = append([]byte(xml.Header), b...)
	sum := md5.Sum(b)
	return writeBytes(w, r, hex.EncodeToString(sum[:]), b)
}

// writeBytes answers with b, or 304 when the client has it. The ETag is weak:
// the answer may be compressed on its way.
func writeBytes(w http.ResponseWriter, r *http.Request, tag string, b []byte) error {
	w.Header().Set("ETag", `W/"`+path.Base(strings.TrimPrefix(tag, "md5:"))+`"`)
	w.Header().Set("Cache-Control", "private, no-cache") // keep, but ask each time
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return nil
}

// versions remembers forms by id and version. A published version never changes,
// so what is found may be kept. What is not found, and which version is current
// (version ""), is asked for again each time.
type versions struct {
	mu    sync.RWMutex
	forms map[[2]string]dtm.Form
}

// versionsKept bounds the memory: an operation has a few dozen.
const versionsKept = 200

func (v *versions) form(ctx context.Context, forms dtm.Forms, id, version string) (dtm.Form, error) {
	key := [2]string{id, version}
	v.mu.RLock()
	f, ok := v.forms[key]
	v.mu.RUnlock()
	if ok {
		return f, nil
	}
	f, err := forms.Form(ctx, id, version)
	if err != nil {
		return dtm.Form{}, err
	}
	f.Source = nil // not needed here, and the largest part
	if version == "" {
		return f, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.forms == nil || len(v.forms) >= versionsKept {
		v.forms = map[[2]string]dtm.Form{}
	}
	v.forms[key] = f
	return f, nil
}
