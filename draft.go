package dtm

import (
	"context"
	"time"
)

// Events of drafts.
const (
	DraftSaved   = "draft.saved"
	DraftDeleted = "draft.deleted"
)

// Draft is a form that is tried before it is published. There is one for each form.
type Draft struct {
	Form
	Token   string // admits phones that try it
	Created time.Time
	Updated time.Time
}

// Drafts keeps drafts.
type Drafts interface {
	// SaveDraft sets the form's draft, its Media kept from the one before unless new
	// ones of the name are given. Its token stays while the draft does.
	SaveDraft(ctx context.Context, f Form) (Draft, error)
	// Draft returns it: NotFound.
	Draft(ctx context.Context, form string) (Draft, error)
	// DraftByToken finds the draft that a phone tries: Forbidden.
	DraftByToken(ctx context.Context, token string) (Draft, error)
	// DraftMedia sets or, with nil, removes a file of the draft: NotFound.
	DraftMedia(ctx context.Context, form, name string, m *Media) error
	// DeleteDraft: NotFound. Forms that were published stay.
	DeleteDraft(ctx context.Context, form string) error
}
