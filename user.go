package dtm

import (
	"context"
	"time"
)

// Roles of users.
const (
	RoleAdmin      = "admin"
	RoleManager    = "manager" // data manager: imports, reviews, publishes
	RoleSupervisor = "supervisor"
	RoleEnumerator = "enumerator"
	RolePartner    = "partner"
)

// User is a person who signs in.
type User struct {
	Email    string // lower case
	Role     string
	Created  time.Time
	Disabled *time.Time
}

// Users keeps users and their passwords, hashed by the caller (package access).
type Users interface {
	// AddUser: Conflict when the address is taken.
	AddUser(ctx context.Context, u User, passwordHash string) error
	// User returns the user and the password hash: NotFound.
	User(ctx context.Context, email string) (User, string, error)
	Users(ctx context.Context) ([]User, error)
	// DisableUser: NotFound.
	DisableUser(ctx context.Context, email string) error
}
