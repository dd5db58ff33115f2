// Package notify tells subscribers: guarded figures, confirmed alerts and published
// releases come in, messages in the subscriber's language go out, by e-mail (SMTP) or as
// the body of a signed webhook; refused and returned mail is told from mail that has to
// be tried again.
package notify
