package refer

import "dtm"

// reasons are the codes that an action needs one of.
var reasons = map[dtm.ReferralAction][]string{
	dtm.ReferralReject:     {"no_capacity", "not_eligible", "out_of_area", "duplicate", "cannot_locate", "unsafe", "wrong_service", "other"},
	dtm.ReferralMiss:       {"not_found", "moved_on", "did_not_come"},
	dtm.ReferralFail:       {"person_declined", "person_left", "not_eligible", "no_means", "referred_on", "died", "other"},
	dtm.ReferralWithdraw:   {"person_asked", "caregiver_asked"},
	dtm.ReferralCancel:     {"wrong_person", "twice", "wrong_service", "other"},
	dtm.ReferralMistake:    {"test", "wrong_person", "other"},
	dtm.ReferralCloseUnmet: {"no_service", "no_capacity", "rejected", "not_found", "declined", "other"},
	dtm.ReferralConsent:    {"given_later", "best_interest", "vital_interest"},
}

// Reasons lists the codes of an action; nil when it needs none.
func Reasons(a dtm.ReferralAction) []string { return reasons[a] }
