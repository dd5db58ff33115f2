package notify

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"dtm"
)

// Bounce is what a mail system says of a message that it could not deliver (RFC 3464).
type Bounce struct {
	ID      string // of our message
	Status  string // "5.1.1"
	Reason  string // as the other side put it
	ForGood bool   // a status of class 5; others are only delayed
}

// Most of a bounce that is read, and of its parts that are looked at.
const (
	mostBounce = 1 << 20
	mostParts  = 20
	mostReason = 300
)

var ourID = regexp.MustCompile(`(?i)<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@[^<>\s]+>`)

// ReadBounce reads a delivery status notification: Invalid when it is none, or is not of
// a message of ours.
func ReadBounce(r io.Reader) (Bounce, error) {
	bad := func(why string) error {
		return dtm.Errorf(dtm.Invalid, "this is no report of a message that came back: %s", why).Coded("bounce.form")
	}
	m, err := mail.ReadMessage(io.LimitReader(r, mostBounce))
	if err != nil {
		return Bounce{}, bad(err.Error())
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return Bounce{}, bad("it is not multipart/report of delivery-status")
	}
	var b Bounce
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range mostParts {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Bounce{}, bad(err.Error())
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return Bounce{}, bad(err.Error())
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			b.status(text)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			head, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.TrimLeft(text, "\r\n"), "\r\n\r\n"...)))).ReadMIMEHeader()
			if id := ourID.FindStringSubmatch(head.Get("Message-Id")); id != nil && (err == nil || len(head) > 0) {
				b.ID = strings.ToLower(id[1])
			}
		}
	}
	switch {
	case b.Status == "":
		return Bounce{}, bad("it gives no status")
	case b.ID == "":
		return Bounce{}, bad("it does not name a message of ours")
	}
	return b, nil
}

// status reads the fields of a delivery status: those of the message, an empty line,
// those of each recipient. The first recipient that failed counts; ours have one.
func (b *Bounce) status(text []byte) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.TrimLeft(text, "\r\n"), "\r\n\r\n\r\n"...))))
	for range mostParts {
		h, err := r.ReadMIMEHeader()
		if s, _, _ := strings.Cut(strings.TrimSpace(h.Get("Status")), " "); s != "" && !b.ForGood {
			b.Status, b.ForGood = s, strings.HasPrefix(s, "5") && !strings.EqualFold(strings.TrimSpace(h.Get("Action")), "delayed")
			_, why, _ := strings.Cut(h.Get("Diagnostic-Code"), ";")
			b.Reason = strings.Join(strings.Fields(strings.ToValidUTF8(why, "�")), " ")
			if len(b.Reason) > mostReason {
				b.Reason = strings.ToValidUTF8(b.Reason[:mostReason], "")
			}
		}
		if err != nil {
			return
		}
	}
}
