package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"dtm/serve"
)

// mostForm is what a page's form may send, in bytes.
const mostForm = 2 << 20

// files are the addresses that take files; each bounds them itself.
var files = []string{"/forms/{$}", "/forms/check", "/forms/{id}/check", "/forms/{id}/draft", "/forms/{id}/draft/files", "/entities/{list}/upload", "/imports/{$}", "/areas/{$}"}

// bounded refuses more than a page's form may send, before it is read when it says so. Forms
// are read here: net/http would write what is too much for memory to the disk, without end.
func bounded(pattern string, fn serve.Func) serve.Func {
	method, path, _ := strings.Cut(pattern, " ")
	if _, inside, ok := strings.Cut(path, "/staff"); method != http.MethodPost || ok && slices.Contains(files, inside) {
		return fn
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength > mostForm {
			return serve.BodyError(&http.MaxBytesError{Limit: mostForm})
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		var over *http.MaxBytesError
		if err := r.ParseMultipartForm(mostForm); errors.As(err, &over) { // what else is wrong with it, who reads a field sees
			return serve.BodyError(err)
		}
		return fn(w, r)
	}
}
