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
	RoleFocal      = "focal"   // referral focal point: sends, redirects and closes referrals
	RoleDesk       = "desk"    // of a partner's desk: answers the referrals addressed to it
	RolePartner    = "partner" // of a partner that receives figures
	RoleAuditor    = "auditor" // reads the log, and nothing that it is about
)

// StaffRoles are all of them, those of the field first.
var StaffRoles = []string{RoleSupervisor, RoleEnumerator, RoleManager, RoleFocal, RoleDesk, RolePartner, RoleAuditor, RoleAdmin}

// User is a person who signs in.
type User struct {
	Email    string // lower case
	Role     string
	Partner  string // code of the partner they work for; "" for the operation's own staff
	Desk     string // code of the desk they answer at; "" when at none
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
