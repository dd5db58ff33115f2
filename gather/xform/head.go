package xform

import (
	"encoding/xml"
	"strings"

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
	h := headVisitor{}
	if err := walk(doc, &h); err != nil {
		return HeadInfo{}, err
	}
	if h.FormID == "" {
		return h.HeadInfo, dtm.Errorf(dtm.Invalid, "the root element has no attribute id: which form is it?").At("<" + h.root + ">").Coded("submission.no_form")
	}
	if h.InstanceID == "" {
		return h.HeadInfo, dtm.Errorf(dtm.Invalid, "the submission has no meta/instanceID; send it from the form as it was downloaded").At("<meta>").Coded("submission.no_id")
	}
	return h.HeadInfo, nil
}

type headVisitor struct {
	HeadInfo
	root string
	meta bool
}

func (h *headVisitor) open(e xml.StartElement, depth int) error {
	switch depth {
	case 1:
		h.root = e.Name.Local
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "id":
				if a.Name.Space == "" {
					h.FormID = strings.TrimSpace(a.Value)
				}
			case "version":
				if a.Name.Space == "" {
					h.Version = a.Value
				}
			case "encrypted":
				h.Encrypted = a.Value == "yes" && e.Name.Space == encryptedNamespace
			case "instanceID":
				h.InstanceID = strings.TrimSpace(a.Value)
			}
		}
	case 2:
		h.meta = e.Name.Local == "meta"
	}
	return nil
}

func (h *headVisitor) close(name xml.Name, text []byte, leaf bool, depth int) error {
	if depth == 3 && h.meta && leaf {
		switch name.Local {
		case "instanceID":
			h.InstanceID = strings.TrimSpace(string(text))
		case "deprecatedID":
			h.DeprecatedID = strings.TrimSpace(string(text))
		}
	}
	return nil
}
