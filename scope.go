package dtm

import "time"

// ReferralScope says which referrals somebody may know of: package access makes it, the
// store leaves out all others. The zero scope is none.
type ReferralScope struct {
	All bool
	// IDs are referrals that may be known whatever else is said: glass that was broken.
	IDs []string
	// Desk, States and EndedSince hold together: those of the desk in these states that
	// have not ended, or not before.
	Desk       string
	States     []ReferralState
	EndedSince time.Time
	// Grants are what agreements allow; of the desk's referrals those that one of them
	// covers.
	Grants []ReferralGrant
}

// ReferralGrant is what one agreement allows.
type ReferralGrant struct {
	Programmes []string
	Points     []string // where people were met
	AnyPoint   bool
}
