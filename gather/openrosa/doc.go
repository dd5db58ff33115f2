// Package openrosa is the way phones come in: it hands out published forms and
// takes submissions with their attachments, as ODK Collect and other clients of
// the OpenRosa 1.0 API expect. Published forms go in; submissions go out to the
// store, attachments to the blob store. What is in a submission's answers is
// never a reason to refuse it.
package openrosa
