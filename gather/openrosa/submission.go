package openrosa

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dtm"
	"dtm/serve"
)

// xmlPart is the name of the part that holds the answers. A part named
// *isIncomplete* says that more requests with attachments of the same instance
// follow: nothing need be done about it, because each request is stored whole.
const xmlPart = "xml_submission_file"

// submit takes one request of a submission: the answers and any number of
// attachments. It is answered 201 after all of it is on disk; the same again is
// answered 201 and adds only what was missing.
func (h *Handler) submit(w http.ResponseWriter, r *http.Request, device dtm.Device) error {
	limit := or(h.MaxRequest, defaultMaxRequest)
	if r.ContentLength > limit {
		return serve.BodyError(&http.MaxBytesError{Limit: limit})
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	parts, err := r.MultipartReader()
	if err != nil {
		return (&dtm.Error{Kind: dtm.Unsupported, Err: err,
			Msg: "a submission comes as multipart/form-data with a part named " + xmlPart}).Coded("submission.not_multipart", xmlPart)
	}
	s := dtm.Submission{Device: device.ID, DeviceID: clean(r.URL.Query().Get("deviceID"))}
	seen := false
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return partError(err)
		}
		if n == maxParts {
			return dtm.Errorf(dtm.Invalid, "the submission has more than %d parts; send the attachments in several requests", maxParts).
				Coded("submission.parts", maxParts)
		}
		switch {
		case part.FormName() == xmlPart:
			if seen {
				return dtm.Errorf(dtm.Invalid, "the submission has two parts named %s; send one", xmlPart).Coded("submission.two_xml", xmlPart)
			}
			seen = true
			// The answers come first: what is wrong with them is known before
			// any attachment is stored.
			if err := h.answers(r, part, &s); err != nil {
				return err
			}
		case isFile(part):
			a, err := h.attachment(r, part, s.Expected)
			if err != nil {
				return err
			}
			if a.Name != "" && !slices.ContainsFunc(s.Attachments, func(o dtm.Attachment) bool { return o.Name == a.Name }) {
				s.Attachments = append(s.Attachments, a)
			}
		}
	}
	if !seen {
		return dtm.Errorf(dtm.Invalid, "the submission has no part named %s", xmlPart).Coded("submission.no_xml", xmlPart)
	}
	if err := h.Admit(r.Context(), s); err != nil {
		return err
	}
	receipt, err := h.Submissions.Receive(r.Context(), s)
	if err != nil {
		return err
	}
	serve.WriteOpenRosa(w, http.StatusCreated, "submit_success", h.receipt(r, !receipt.New))
	return nil
}

// partError tells a request that is put together wrongly from one that broke off.
func partError(err error) error {
	var head textproto.ProtocolError
	if errors.As(err, &head) || errors.Is(err, multipart.ErrMessageTooLarge) {
		return (&dtm.Error{Kind: dtm.Invalid, Err: err,
			Msg: "a part of the submission has a head that cannot be read: " + err.Error()}).Coded("submission.part_head")
	}
	return serve.BodyError(err)
}

// answers reads the XML part into s and finds its form.
func (h *Handler) answers(r *http.Request, part io.Reader, s *dtm.Submission) error {
	limit := or(h.MaxXML, defaultMaxXML)
	var err error
	if s.XML, err = serve.ReadAll(r.Context(), part, limit); err != nil {
		return serve.BodyError(err)
	}
	return h.Understand(r.Context(), s)
}

// Understand fills in what the XML of s says: its form and version, its id, the
// instance that it replaces, and the attachments to expect. Its errors are those of a
// submission.
func (h *Handler) Understand(ctx context.Context, s *dtm.Submission) error {
	head, err := h.Head(s.XML)
	if err != nil {
		return malformed(err)
	}
	switch {
	case head.FormID == "":
		return dtm.Errorf(dtm.Invalid, "the submission does not name its form: its outermost element needs an attribute id").
			At("/@id").Coded("submission.no_form")
	case head.InstanceID == "":
		return dtm.Errorf(dtm.Invalid, "the submission does not name itself: the element meta/instanceID is missing or empty").
			At("meta/instanceID").Coded("submission.no_id")
	}
	f, err := h.versions.form(ctx, h.Forms, head.FormID, head.Version)
	if err != nil {
		return err
	}
	s.ID, s.Form, s.Version, s.Deprecates = head.InstanceID, f.ID, f.Version, head.DeprecatedID
	if h.Expected != nil {
		s.Expected = h.Expected(f, s.XML)
	}
	return nil
}

// malformed makes sure that what is wrong with the XML is the sender's fault in
// the answer too, whichever error the reader gave.
func malformed(err error) error {
	var own *dtm.Error
	if errors.As(err, &own) {
		if !strings.HasPrefix(own.Code, "submission.") {
			own = own.Coded("submission.malformed", dtm.At(own.Where))
		}
		return own
	}
	return (&dtm.Error{Kind: dtm.Invalid, Err: err, Msg: "the answers are not well-formed XML: " + err.Error()}).
		Coded("submission.malformed", dtm.At(""))
}

// isFile tells attachments from form fields: they have a file name or a type.
func isFile(p *multipart.Part) bool {
	return p.FileName() != "" || p.Header.Get("Content-Type") != ""
}

// attachment stores one file and returns it; without a usable name it is left
// out and its Name is "".
func (h *Handler) attachment(r *http.Request, part *multipart.Part, expected []string) (dtm.Attachment, error) {
	name := attachmentName(part, expected)
	if name == "" {
		return dtm.Attachment{}, nil
	}
	hash, size, err := h.Blobs.Put(r.Context(), part)
	if err != nil {
		return dtm.Attachment{}, serve.BodyError(err)
	}
	return dtm.Attachment{Name: name, Type: attachmentType(part, name), Size: size, Hash: hash}, nil
}

// attachmentName is the name by which the answers mention the file. Clients put
// it in the part's name and file name alike; where the two differ, the one that
// the answers expect counts. OkHttp writes a quotation mark as %22.
func attachmentName(part *multipart.Part, expected []string) string {
	candidates := []string{part.FileName(), part.FormName()}
	for i, c := range candidates {
		if !utf8.ValidString(c) {
			c = latin1(c)
		}
		candidates[i] = clean(strings.ReplaceAll(c, "%22", `"`))
	}
	for _, c := range candidates {
		if c != "" && slices.Contains(expected, c) {
			return c
		}
	}
	for _, c := range candidates {
		// A name is a name: no folders, wherever the phone kept the file.
		c = path.Base(strings.ReplaceAll(c, `\`, "/"))
		if c != "" && c != "." && c != ".." && c != "/" {
			return c
		}
	}
	return ""
}

// clean leaves out what no store, log or page should have to deal with: control
// characters, and bytes that are no UTF-8.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// latin1 reads a name that is not UTF-8 as the encoding that old clients use.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func attachmentType(part *multipart.Part, name string) string {
	if t, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err == nil && t != "application/octet-stream" {
		return t
	}
	if t, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(name))); err == nil {
		return t
	}
	return "application/octet-stream"
}
