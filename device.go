package dtm

import (
	"context"
	"time"
)

// Events of devices beside DeviceAdded and DeviceRevoked.
const (
	DeviceMoved   = "device.moved"
	DeviceRenewed = "device.renewed" // a new code: the one before it is void
)

// DevicePost is where a device was used from a day on.
type DevicePost struct {
	Seq   int64     // of the event that says so
	Point string    // "" when it moves
	At    time.Time // from then until the next one
	By    string    // who said so, as the log names them
}

// DeviceUse is what came from a device with one version of a form.
type DeviceUse struct {
	Form, Version string
	Submissions   int
	Last          time.Time
}

// DeviceCare looks after devices once they were added.
type DeviceCare interface {
	// NewDevice adds a device of that Name, Point and Lang, and returns it with its
	// token, which is shown this once: Invalid without a name, Conflict when the name
	// is in use.
	NewDevice(ctx context.Context, d Device) (Device, string, error)
	// Device finds one by id, or by the name of one in use: NotFound.
	Device(ctx context.Context, id string) (Device, error)
	// MoveDevice has the device be at another point from now on; where it was before
	// stays known. NotFound when it is not in use. The same point changes nothing.
	MoveDevice(ctx context.Context, id, point string) error
	// RenewDevice gives a device a new token and voids the one before: NotFound when
	// it is not in use.
	RenewDevice(ctx context.Context, id string) (Device, string, error)
	// WithdrawDevice is RevokeDevice with a reason.
	WithdrawDevice(ctx context.Context, id, reason string) error
	// DevicePosts tells where a device was, newest first.
	DevicePosts(ctx context.Context, id string) ([]DevicePost, error)
	// DeviceUses tells what came from a device, by form and version, newest first.
	DeviceUses(ctx context.Context, id string) ([]DeviceUse, error)
	// SawApp notes what a device was heard through. Nobody waits for the note.
	SawApp(id, app string)
}
