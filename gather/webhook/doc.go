// Package webhook tells other systems of new submissions: entries of the event log
// come in, signed HTTP requests go out to the addresses that were added. A request
// names the submission by its id and says its form, time and flags; answers never
// leave this way, so that who receives it has to come and be let in for them.
package webhook
