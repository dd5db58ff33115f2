package xform

// plan is what Recheck works by, made once of a form.
type plan struct{}
