package main

import (
	"context"
	"crypto/rand"
	"path"
	"strings"

	"github.com/google/uuid"

	"dtm"
	"dtm/gather/central"
	"dtm/gather/odata"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
)

// central is the API in the shape of ODK Central, beside the phones' way in.
func (h *house) central(phones *openrosa.Handler) *central.Handler {
	lists := &central.Datasets{Entities: h.db, NewID: uuid.NewString}
	tables := &odata.Handler{Stream: h.db, Submissions: h.db, Blobs: h.blobs, Devices: h.db, Audit: h.db, Exported: h.exported, Now: h.now, Base: h.config.BaseURL, Tags: h.tags}
	entities := &odata.Entities{Entities: h.db, Now: h.now, Base: h.config.BaseURL, ActorID: lists.Actor}
	return &central.Handler{
		Operation: h.op, Sessions: h.db, Door: h.door(), PasswordSuffices: h.second().PasswordSuffices, Users: h.db, Forms: h.db, States: h.db, Drafts: h.db, Stream: h.db, Submissions: h.db, Blobs: bareBlobs{h.blobs},
		Reviews: h.db, Devices: h.db, Events: h.db, Audit: h.db, Trail: h.trail(), Points: &central.Points{Register: h, Crew: h.crew, Touched: h.touched, Today: h.today}, Convert: convertForm, Fields: central.FieldsOf, Rand: rand.Reader, Now: h.now,
		Understand: func(ctx context.Context, s *dtm.Submission) error {
			if err := phones.Understand(ctx, s); err != nil {
				return err
			}
			return phones.Admit(ctx, *s)
		},
		OData: tables.Form, CSV: tables.CSV, Entities: lists, EntityTable: entities.List,
		Secure: strings.HasPrefix(h.baseURL(), "https://"), MaxBody: h.config.MaxUpload << 20,
	}
}

// convertForm reads an XLSForm, or an XForm as it is.
func convertForm(_ context.Context, name string, data []byte, fallback string) (dtm.Form, []string, error) {
	if path.Ext(name) == ".xml" {
		m, err := xform.ReadModel(data)
		if err != nil {
			return dtm.Form{}, nil, err
		}
		if m.ID == "" {
			return dtm.Form{}, nil, dtm.Errorf(dtm.Invalid, "the form has no id: the root element of its main instance needs an attribute id").Coded("form.no_root_id")
		}
		title := m.Title
		if title == "" {
			title = m.ID
		}
		return dtm.Form{ID: m.ID, Version: m.Version, Title: title, Hash: dtm.FileHash(data), XForm: data}, nil, nil
	}
	f, xml, warnings, err := readForm(name, data)
	var said []string
	for _, w := range warnings {
		said = append(said, w.String())
	}
	if err != nil {
		return dtm.Form{}, said, err
	}
	return published(f, xml, name, data, nil), said, nil
}

// tags are a form's HXL tags by the questions' paths.
func (h *house) tags(ctx context.Context, form string) (map[string]string, error) {
	f, err := h.forms.form(ctx, form, "")
	if err != nil || f == nil {
		return nil, err
	}
	return f.Tags(), nil
}
