package dtm

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"time"
)

// Form is one published version of an XLSForm.
type Form struct {
	ID         string // the form's form_id
	Version    string
	Title      string // in the form's default language
	Titles     Text   // by language, as far as the form says it; nil when it names no language
	Hash       string // "md5:" + hex of XForm, as OpenRosa wants it
	XForm      []byte // what phones download
	Source     []byte // the XLSForm as uploaded
	SourceName string
	Media      []Media // attachments of this version
	Published  time.Time
}

// TitleIn is the title in a language, as far as the form says it.
func (f Form) TitleIn(l Lang) string {
	if t := f.Titles[l]; t != "" {
		return t
	}
	return f.Title
}

// Media is a file that goes with a form: a list of points, a picture, a sound.
type Media struct {
	Name string
	Type string // MIME type
	Hash string // "md5:" + hex
	Data []byte
}

// FileHash is the hash of a form or a file that goes with it, as OpenRosa wants it.
func FileHash(content []byte) string {
	sum := md5.Sum(content)
	return "md5:" + hex.EncodeToString(sum[:])
}

// Forms keeps published forms. Every version stays; the newest is current.
type Forms interface {
	// Publish adds a version. The same id, version and content again is no error
	// and adds nothing; the same id and version with other content, files or titles is
	// a Conflict.
	Publish(ctx context.Context, f Form) error
	// Forms lists the current version of every form, by id, without Source and
	// Media data.
	Forms(ctx context.Context) ([]Form, error)
	// Form returns one version, the current one when version is "": NotFound.
	Form(ctx context.Context, id, version string) (Form, error)
}

// FormVersion is one published version and what came of it.
type FormVersion struct {
	Form        // without XForm, Source and Media
	Seq         int64
	By          string    // who published it, as the log names them
	Submissions int       // received with it
	Last        time.Time // when the newest of them came; zero: none did
}

// FormHistory tells how a form came to be what it is.
type FormHistory interface {
	// FormVersions returns every version of a form, newest first: NotFound.
	FormVersions(ctx context.Context, form string) ([]FormVersion, error)
}

// Device is a phone or browser allowed to send submissions (ODK: app user).
type Device struct {
	ID       string
	Name     string
	Point    string // code of the point it is used at; "" when it moves
	Lang     Lang   // of its menus; "" leaves the phone's
	App      string // what it was last heard through: "ODK Collect v2025.2.3"; "" when it was not
	Created  time.Time
	Revoked  *time.Time
	Reason   string // why it was revoked
	LastSeen *time.Time
}

// Devices keeps devices and the tokens that admit them. Tokens are stored hashed.
type Devices interface {
	// AddDevice returns the new device and its token, which is shown this once.
	AddDevice(ctx context.Context, name, point string) (Device, string, error)
	// DeviceByToken finds the device: Forbidden when the token is unknown or
	// revoked (Collect would ask for a password on Unauthenticated).
	DeviceByToken(ctx context.Context, token string) (Device, error)
	Devices(ctx context.Context) ([]Device, error)
	// RevokeDevice takes the id or the name: NotFound.
	RevokeDevice(ctx context.Context, id string) error
}
