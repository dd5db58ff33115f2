package serve

import (
	"net/http"

	"dtm"
)

// Status is the one map from what went wrong to an HTTP status code.
func Status(k dtm.Kind) int {
	switch k {
	case dtm.Invalid:
		return http.StatusBadRequest
	case dtm.NotFound:
		return http.StatusNotFound
	case dtm.Conflict:
		return http.StatusConflict
	case dtm.Forbidden:
		return http.StatusForbidden
	case dtm.Unauthenticated:
		return http.StatusUnauthorized
	case dtm.TooLarge:
		return http.StatusRequestEntityTooLarge
	case dtm.Unsupported:
		return http.StatusUnsupportedMediaType
	case dtm.Unavailable:
		return http.StatusServiceUnavailable
	case dtm.Gone:
		return http.StatusGone
	case dtm.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}
