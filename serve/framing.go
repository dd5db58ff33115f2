package serve

import "net/http"

// Unambiguous ends the connection after a request of HTTP/1 whose length two readers
// could take for two lengths: one in pieces, which may have named a length as well, and
// one of HTTP/1.0 with a body, whose pieces are not read as pieces. net/http takes one of
// the two and says nothing of the other; what a proxy in front took for the rest of the
// same request would be answered as the next one, with somebody else's rights.
func Unambiguous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0 && r.ContentLength != 0) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
