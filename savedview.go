package dtm

import (
	"context"
	"time"
)

// Events of saved views.
const (
	ViewSaved    = "view.saved"
	ViewRenamed  = "view.renamed"
	ViewDeleted  = "view.deleted"
	ViewRestored = "view.restored"
)

// SavedView is a question of the workshop that somebody keeps under a name.
type SavedView struct {
	ID      int64
	Owner   string // e-mail address
	Name    string
	Query   string // of the workshop's address: "indicator=entries&by=point&from=2022-12"
	Shared  bool   // colleagues see it too
	Changed time.Time
}

// SavedViews keeps them.
type SavedViews interface {
	// Views lists those of the owner and those that others share, by name.
	Views(ctx context.Context, owner string) ([]SavedView, error)
	// SaveView keeps a view: Invalid without a name or longer than it may be,
	// Conflict when the owner has one of that name.
	SaveView(ctx context.Context, v SavedView) (id int64, err error)
	// RenameView gives a view of the owner another name and says who sees it: NotFound,
	// Invalid, Conflict.
	RenameView(ctx context.Context, owner string, id int64, name string, shared bool) error
	// DeleteView takes a view of the owner away, RestoreView brings it back: NotFound.
	DeleteView(ctx context.Context, owner string, id int64) error
	RestoreView(ctx context.Context, owner string, id int64) error
}
