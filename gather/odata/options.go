package odata

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// options are what a request asks of a table.
type options struct {
	top    int // -1: all
	skip   int
	count  bool
	wkt    bool
	expand bool
	filter *expr
	order  []order
	pick   [][]string // $select: paths
	token  *token
}

type order struct {
	by   *expr
	down bool
}

// token says where the next page begins: after this row.
type token struct {
	Seq    int64  `json:"seq"`
	Repeat string `json:"repeatId,omitempty"`
	ID     string `json:"instanceId"`
}

// tokenVersion begins every token, so that another shape can follow.
const tokenVersion = "01"

func (t token) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // three plain fields
	}
	return tokenVersion + base64.RawURLEncoding.EncodeToString(b)
}

func parseToken(s string) (*token, error) {
	bad := dtm.Errorf(dtm.Invalid, "$skiptoken is not one that this server gave; begin again without it").Coded("odata.token")
	rest, ok := strings.CutPrefix(s, tokenVersion)
	if !ok {
		return nil, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(rest, "="))
	if err != nil {
		return nil, bad
	}
	var t token
	if json.Unmarshal(b, &t) != nil || t.Seq <= 0 {
		return nil, bad
	}
	return &t, nil
}

// parseOptions reads the query. What OData names and we do not serve is
// Unsupported; what is wrong is Invalid.
func parseOptions(q url.Values) (options, error) {
	o := options{top: -1}
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range q {
			if !yield(k) {
				return
			}
		}
	}) {
		v := q.Get(key)
		var err error
		switch key {
		case "$top":
			o.top, err = whole(key, v)
		case "$skip":
			o.skip, err = whole(key, v)
		case "$count":
			o.count, err = truth(key, v)
		case "$wkt":
			o.wkt, err = truth(key, v)
		case "$format":
			if f := strings.ToLower(v); f != "json" && !strings.HasPrefix(f, "application/json") {
				err = unsupported("$format=" + v)
			}
		case "$expand":
			if v != "" && v != "*" {
				err = unsupported("$expand=" + v)
			}
			o.expand = v == "*"
		case "$filter":
			o.filter, err = parseFilter(v)
		case "$orderby":
			o.order, err = parseOrder(v)
		case "$select":
			for _, p := range strings.Split(v, ",") {
				if p = strings.TrimSpace(p); p != "" && p != "*" {
					o.pick = append(o.pick, strings.Split(p, "/"))
				}
			}
		case "$skiptoken":
			o.token, err = parseToken(v)
		default:
			if strings.HasPrefix(key, "$") {
				err = unsupported(key)
			}
		}
		if err != nil {
			return o, err
		}
	}
	switch {
	case o.expand && len(o.pick) > 0:
		return o, dtm.Errorf(dtm.Unsupported, "$select and $expand cannot be asked for together").Coded("odata.together", "$select", "$expand")
	case len(o.order) > 0 && o.token != nil:
		return o, dtm.Errorf(dtm.Unsupported, "$orderby and $skiptoken cannot be asked for together").Coded("odata.together", "$orderby", "$skiptoken")
	}
	return o, nil
}

func unsupported(what string) error {
	return dtm.Errorf(dtm.Unsupported, "%s is not served here; $top, $skip, $count, $filter, $orderby, $select, $expand=*, $wkt and $format=json are", what).Coded("odata.unsupported", what)
}

func whole(key, s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, dtm.Errorf(dtm.Invalid, "%s takes a whole number, 0 or more, not %q", key, s).At(key).Coded("odata.number", key, s)
	}
	return n, nil
}

func truth(key, s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	}
	return false, dtm.Errorf(dtm.Invalid, "%s is true or false, not %q", key, s).At(key).Coded("odata.truth", key, s)
}

// parseOrder reads "a desc, b".
func parseOrder(s string) ([]order, error) {
	p := &parser{text: s}
	if len(s) > maxFilter {
		return nil, p.bad("$orderby is longer than %d characters", maxFilter)
	}
	var out []order
	for {
		e, err := p.sum()
		if err != nil {
			return nil, err
		}
		w, _ := p.take("asc", "desc")
		out = append(out, order{e, w == "desc"})
		if p.sign(',') {
			continue
		}
		if p.skip(); p.pos < len(p.text) {
			return nil, p.bad("$orderby: %q is left over", p.rest())
		}
		return out, nil
	}
}
