// Package refer decides what becomes of referrals: screening answers, desks, consents,
// a referral and an action come in; proposals, deadlines, the next state or the reason
// why not go out. It keeps nothing and is given the time.
//
// States, reasons and clocks: inter-agency referral form and the state machine in
// doc/referrals.md. Hard rule, kept in Barred and asked on every send and redirect:
// where asylum, trafficking or a child may be at stake, no return programme and no
// consulate is addressed, whoever asks.
package refer
