package webhook

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"dtm"
)

// CheckURL tells whether a webhook may have the address: https, or http within
// the networks that were allowed; no user name or password in it. Where its name
// leads is checked at each connection. Its error is Invalid.
func CheckURL(address string, allow []string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return dtm.Errorf(dtm.Invalid, "%q is not an address; it is like https://example.org/dtm", address).Coded("webhook.url", address)
	}
	nets, err := prefixes(allow)
	if err != nil {
		return err
	}
	switch {
	case u.User != nil:
		return dtm.Errorf(dtm.Invalid, "leave user name and password out of the address: messages are signed instead").Coded("webhook.user")
	case u.Fragment != "":
		return dtm.Errorf(dtm.Invalid, "leave the part after # out of the address").Coded("webhook.fragment")
	case u.Scheme != "https" && u.Scheme != "http", u.Scheme == "http" && len(nets) == 0:
		return dtm.Errorf(dtm.Invalid, "a webhook's address begins with https://; http:// is for networks of your own, named by -allow").Coded("webhook.scheme")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return admits(ip, u.Scheme == "https", nets)
	}
	return nil
}

func prefixes(allow []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, a := range allow {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			ip, err := netip.ParseAddr(a)
			if err != nil {
				return nil, dtm.Errorf(dtm.Invalid, "%q is not a network; it is like 10.1.0.0/16 or 127.0.0.1", a).Coded("webhook.network", a)
			}
			ip = ip.Unmap()
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// reserved are networks that are not the public Internet and that netip does not
// tell by itself (IANA special-purpose address registries, RFC 6890). Those that
// embed an IPv4 address could lead inside.
var reserved = func() (out []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
		"3fff::/20", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// admits tells whether a connection to an IP address may be made: the public
// Internet by https, allowed networks by either.
func admits(ip netip.Addr, secure bool, allow []netip.Prefix) error {
	ip = ip.Unmap().WithZone("")
	for _, p := range allow {
		if p.Contains(ip) {
			return nil
		}
	}
	public := ip.IsGlobalUnicast() && !ip.IsPrivate()
	for _, p := range reserved {
		public = public && !p.Contains(ip)
	}
	switch {
	case !public:
		return dtm.Errorf(dtm.Forbidden, "%s is not on the public Internet; if it is yours, allow it with -allow %s", ip, ip).Coded("webhook.private", ip.String())
	case !secure:
		return dtm.Errorf(dtm.Forbidden, "%s is not in the networks allowed for http://; use https://", ip).Coded("webhook.plain", ip.String())
	}
	return nil
}

// client makes connections only where admits allows: the check is of the address
// that is connected to, after its name was resolved, so that a name cannot lead
// elsewhere than it did when it was looked at. Redirections are not followed, and
// proxies of the environment not used.
func client(secure bool, allow []netip.Prefix, timeout time.Duration) *http.Client {
	dial := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return admits(to.Addr(), secure, allow)
		}}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{DialContext: dial.DialContext, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
