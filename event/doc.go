// Package event turns the audit log into work: in come the entries that the
// store writes with every change, out go calls of the rooms that follow them.
// It also says what makes the log a chain (Hash) and who acts (WithActor).
// It knows no SQL: the log is read through dtm.Events.
package event
