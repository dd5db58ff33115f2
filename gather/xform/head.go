package xform

import (
	"bytes"

	"dtm"
)

// HeadInfo is what the protocol needs to know of a submission before it is
// stored.
type HeadInfo struct {
	FormID, Version          string
	InstanceID, DeprecatedID string
	Encrypted                bool // the answers are in an encrypted attachment
}

const encryptedNamespace = "http://opendatakit.org/submissions"

// Head reads the head of a submission in one pass, without keeping its answers.
// Its error is Invalid and names line and column, or the element that is missing.
func Head(doc []byte) (HeadInfo, error) {
	var h headReader
	if err := scan(doc, &h); err != nil {
		return HeadInfo{}, err
	}
	return h.HeadInfo, h.complete()
}

func (h HeadInfo) complete() error {
	if h.FormID == "" {
		return dtm.Errorf(dtm.Invalid, "the root element has no attribute id: which form is it?").At("root element").Coded("submission.no_form")
	}
	if h.InstanceID == "" {
		return dtm.Errorf(dtm.Invalid, "the submission has no meta/instanceID; send it from the form as it was downloaded").At("<meta>").Coded("submission.no_id")
	}
	return nil
}

// headReader takes the head from a document as it passes.
type headReader struct {
	HeadInfo
	meta bool
	into *string // the field whose text passes
	held []byte
}

func (h *headReader) open(name []byte, attrs []attr, depth int) error {
	h.into = nil
	switch depth {
	case 1:
		encrypted, space := false, false
		for _, a := range attrs {
			switch string(a.name) {
			case "id":
				h.FormID = string(bytes.TrimSpace([]byte(a.value())))
			case "version":
				h.Version = a.value()
			case "instanceID": // of encrypted submissions by old phones
				h.InstanceID = string(bytes.TrimSpace([]byte(a.value())))
			case "encrypted":
				encrypted = string(a.raw) == "yes"
			case "xmlns":
				space = string(a.raw) == encryptedNamespace
			}
		}
		h.Encrypted = encrypted && space
	case 2:
		h.meta = string(name) == "meta"
	case 3:
		if h.meta {
			switch string(name) {
			case "instanceID":
				h.into = &h.InstanceID
			case "deprecatedID":
				h.into = &h.DeprecatedID
			}
			h.held = h.held[:0]
		}
	}
	return nil
}

func (h *headReader) text(piece []byte) {
	if h.into != nil {
		h.held = append(h.held, piece...)
	}
}

func (h *headReader) close(depth int) error {
	if h.into != nil && depth == 3 {
		*h.into = string(bytes.TrimSpace(h.held))
		h.into = nil
	}
	return nil
}
