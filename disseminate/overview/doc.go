// Package overview chooses what is shown of a period: guarded figures come in,
// one Overview of headlines, sentences, charts and a map goes out, in the reader's
// language. Page, e-mail and PDF lay the same Overview out, so that a number, a
// title or a sentence cannot differ between them.
package overview
