// Package dtm is the domain of a displacement tracking operation: the words of
// doc/design (operation, point, form, submission, movement, indicator, release,
// event), their rules, and the small contracts by which the rooms meet.
//
// It imports the standard library only, keeps no state and reads no clock: what
// depends on the time of day is given now.
package dtm
