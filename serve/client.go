package serve

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Client is the network address that a request comes from, of IPv6 the /64 that one
// customer has; "" when it is not known. What a proxy on this machine or in a private
// network says in X-Forwarded-For is believed in its last entry, the one that the
// proxy itself wrote. It is used for bounds, never for a right.
func Client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	if a = a.Unmap(); a.IsLoopback() || a.IsPrivate() {
		list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if b, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			a = b.Unmap()
		}
	}
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
