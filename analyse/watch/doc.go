// Package watch turns figures over time into early warnings and an outlook:
// dtm.Figures and the operation's calendar come in, series with their expected
// ranges, alarms, back-tests and forecasts go out. The methods are those of
// analyse/stat; this package chooses among them.
//
// It counts nobody itself. Given guarded figures it never sees a withheld count, so
// that what it answers can be published: a withheld count is a missing one.
package watch
