package dtm

import (
	"context"
	"time"
)

// Events of drafts.
const (
	DraftSaved   = "draft.saved"
	DraftDeleted = "draft.deleted"
	DraftRenewed = "draft.renewed" // another code for phones that try it
	DraftEnded   = "draft.ended"   // its code was withdrawn
)

// DraftTrialDays is for how many days after a draft was last saved, or its code
// renewed, phones may try it.
const DraftTrialDays = 14

// MaxTrials is how many test records of a draft are kept, the newest.
const MaxTrials = 100

// MaxTrialMedia is the size of a test record's file that is kept, in bytes: a photo as
// phones send them. A larger one is named only.
const MaxTrialMedia = 8 << 20

// Draft is a form that is tried before it is published. There is one for each form.
type Draft struct {
	Form
	Token   string    // admits phones that try it
	Until   time.Time // when Token ends
	Created time.Time
	Updated time.Time
	Trials  int // test records that are kept
}

// Drafts keeps drafts and what phones send while they try them. Test records are
// apart from submissions: they are in no count, table or export, have no events, and
// go with the draft, whether it is published or deleted.
type Drafts interface {
	// SaveDraft sets the form's draft, its Media kept from the one before unless new
	// ones of the name are given. Its token stays while the draft does, for
	// DraftTrialDays more.
	SaveDraft(ctx context.Context, f Form) (Draft, error)
	// Drafts lists all by form, without XForm, Source and Media.
	Drafts(ctx context.Context) ([]Draft, error)
	// Draft returns it: NotFound.
	Draft(ctx context.Context, form string) (Draft, error)
	// DraftByToken finds the draft that a phone tries: Forbidden, when the token has
	// ended too.
	DraftByToken(ctx context.Context, token string) (Draft, error)
	// DraftMedia sets or, with nil, removes a file of the draft: NotFound.
	DraftMedia(ctx context.Context, form, name string, m *Media) error
	// DeleteDraft forgets the draft and its test records: NotFound. Forms that were
	// published stay.
	DeleteDraft(ctx context.Context, form string) error
	// PublishDraft is Publish of f and DeleteDraft of its id in one: NotFound when
	// there is no draft of it.
	PublishDraft(ctx context.Context, f Form) error
	// RenewDraft gives the draft another token, for DraftTrialDays; EndDraft lets its
	// token end now. Both: NotFound.
	RenewDraft(ctx context.Context, form string) (Draft, error)
	EndDraft(ctx context.Context, form string) error
	// ReceiveTrial keeps a test record of the draft with the content of its
	// attachments as far as files has it; beyond MaxTrials the oldest go. The same id
	// with the same bytes adds missing attachments only, with other bytes it is a
	// Conflict. NotFound when there is no draft.
	ReceiveTrial(ctx context.Context, form string, s Submission, files []Media) (Receipt, error)
	// TrialMedia returns a file of a test record: NotFound, when only its name was
	// kept too.
	TrialMedia(ctx context.Context, form, id, name string) (Media, error)
	// Trials returns the draft's test records, newest first.
	Trials(ctx context.Context, form string) ([]Submission, error)
}
