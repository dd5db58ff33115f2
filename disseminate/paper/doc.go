// Package paper prints forms: a form as phones fill it in comes in, a PDF to fill in
// with a pen goes out, in one of the form's languages.
//
//	pdf, err := paper.Print(ctx, press, paper.Form{Form: form, Lang: dtm.French, Lists: lists})
//
// Choices are boxes with their codes in small print, repeats are rows, and what a
// form asks only of some is said in words ("only if the answer to 4 is “Yes”"). A
// condition on a computed value is put in words of the questions that it is computed
// from. Long lists stand once, at the end.
package paper
