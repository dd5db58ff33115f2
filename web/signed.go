package web

import (
	"context"
	"net/http"
	"time"

	"dtm"
	"dtm/locale"
)

// Signing is what the page of the log's signed states needs.
type Signing struct {
	// Checkpoint is the newest signed state, made now when the log has grown; Seq 0 when
	// the log is empty.
	Checkpoint func(ctx context.Context) (dtm.Checkpoint, error)
	// Key is the public key that they are signed with; "" when the key file is lost.
	Key func() (string, error)
	// Hold holds states that were kept elsewhere against the log.
	Hold func(ctx context.Context, text string) ([]Held, error)
}

// Held is a signed state that was held against the log. Known: this program's key signed
// it. Err is what does not fit.
type Held struct {
	Seq   int64
	At    time.Time
	Known bool
	Err   error
}

type signedView struct {
	page
	Note, Key, Text string
	Held            []heldRow
	Asked           bool
}

type heldRow struct {
	Seq        int64
	When, Says string
	Good       bool
}

// signed shows the newest signed state of the log, to be kept elsewhere, and takes those
// that were.
func (p *Pages) signed(w http.ResponseWriter, r *http.Request) error {
	return p.showSigned(w, r, signedView{})
}

func (p *Pages) holdSigned(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	v := signedView{Asked: true, Text: r.PostFormValue("states")}
	list, err := p.Staff.Signing.Hold(r.Context(), v.Text)
	if err != nil {
		return err
	}
	l := p.guess(r)
	for _, h := range list {
		row := heldRow{Seq: h.Seq, Good: h.Err == nil && h.Known}
		if !h.At.IsZero() {
			row.When = locale.Date(l, h.At.In(p.Operation.Zone)) + " " + h.At.In(p.Operation.Zone).Format("15:04")
		}
		switch {
		case h.Err != nil:
			row.Says = locale.Error(l, h.Err)
		case !h.Known:
			row.Says = locale.Say(l, "log.signed.foreign")
		default:
			row.Says = locale.Say(l, "log.signed.holds")
		}
		v.Held = append(v.Held, row)
	}
	return p.showSigned(w, r, v)
}

func (p *Pages) showSigned(w http.ResponseWriter, r *http.Request, v signedView) error {
	v.page = p.inside(r, "log", "log.signed", "/log/signed")
	key, err := p.Staff.Signing.Key()
	if err != nil {
		return err
	}
	if v.Key = key; key != "" {
		c, err := p.Staff.Signing.Checkpoint(r.Context())
		if err != nil {
			return err
		}
		v.Note = c.Note
	}
	return p.show(w, http.StatusOK, "signed", v)
}
