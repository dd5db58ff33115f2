package xlsform

import (
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// accepted are the parameters that each type takes. A type that is not here is
// not checked.
var accepted = map[string][]string{
	"audit":            {"identify-user", "location-max-age", "location-min-interval", "location-priority", "track-changes", "track-changes-reasons"},
	"audio":            {"quality"},
	"background-audio": {"quality"},
	"geopoint":         {"allow-mock-accuracy", "capture-accuracy", "reference-geometry", "warning-accuracy"},
	"geotrace":         {"allow-mock-accuracy", "incremental", "reference-geometry"},
	"geoshape":         {"allow-mock-accuracy", "incremental", "reference-geometry"},
	"image":            {"app", "max-pixels"},
	"range":            {"end", "placeholder", "start", "step", "tick_interval", "tick_labelset"},
	"select":           {"randomize", "seed"},
	"select file":      {"label", "randomize", "seed", "value"},
	"text":             {"rows"},
}

// keepCase are the parameters whose values name something.
var keepCase = []string{"label", "value", "seed", "tick_labelset", "reference-geometry", "app"}

var (
	pair    = regexp.MustCompile(`^[\s,;]*([^\s=,;]+)\s*=\s*([^\s=,;]+)`)
	aNumber = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)
)

// split reads the column parameters: name=value with blanks, commas or
// semicolons between.
func split(s string) (map[string]string, bool) {
	out := map[string]string{}
	for {
		m := pair.FindStringSubmatch(s)
		if m == nil {
			return out, strings.Trim(s, " \t\r\n,;") == ""
		}
		key, v := strings.ToLower(m[1]), m[2]
		if !slices.Contains(keepCase, key) {
			v = strings.ToLower(v)
		}
		out[key] = v
		s = s[len(m[0]):]
	}
}

// parameters reads and checks the parameters of a question and puts them where
// the XForm has them.
func (p *reading) parameters(n *Node, r *record) {
	params, ok := split(r.get("parameters"))
	if !ok {
		p.at(r, colParameters, "parameters.syntax", "write parameters as name=value, with blanks between")
		return
	}
	n.Parameters = params
	bad := func(code, format string, a ...any) { p.at(r, colParameters, code, format, a...) }
	class := n.Type
	switch n.Type {
	case "select_one", "select_multiple", "rank", "select_one_external":
		class = "select"
		if _, _, file, _ := selectOf(r.get("type")); file {
			class = "select file"
		}
	}
	if list, checked := accepted[class]; checked {
		for _, k := range slices.Sorted(maps.Keys(params)) {
			if !slices.Contains(list, k) {
				bad("parameters.unknown", "%s takes the parameters %s, not %q", n.Type, strings.Join(list, ", "), k)
			}
		}
	}
	oneOf := func(key string, values ...string) (string, bool) {
		v, there := params[key]
		if there && !slices.Contains(values, v) {
			bad("parameters.value", "%s is %s, not %q", key, either(values), v)
			return "", false
		}
		return v, there
	}
	number := func(key string, whole bool) (string, bool) {
		v, there := params[key]
		if !there {
			return "", false
		}
		_, err := strconv.Atoi(v)
		if !whole && aNumber.MatchString(v) {
			err = nil
		}
		if err != nil {
			bad("parameters.number", "%s must be a %snumber, not %q", key, map[bool]hint{true: {"whole ", nil}}[whole], v)
			return "", false
		}
		return v, true
	}
	switch class {
	case "text":
		if v, ok := number("rows", true); ok {
			n.Control["rows"] = v
		}
	case "image":
		if v, ok := number("max-pixels", true); ok {
			n.Bind["orx:max-pixels"] = v
		} else if _, there := params["max-pixels"]; !there {
			p.warn(r.table.sheet, r.cell("parameters"), "image.large", "the picture %q is sent in full size; the parameter max-pixels=1024 makes it small enough for a bad link", n.Name)
		}
		if v, there := params["app"]; there && (n.Appearance() == "" || n.Appearance() == "annotate") {
			if why := badPackage(v); why.format != "" {
				bad("parameters.app", "app: %q is not the name of an Android package: %s", v, why)
			}
			n.Control["intent"] = v
		}
	case "audio":
		if v, ok := oneOf("quality", "voice-only", "low", "normal", "external"); ok {
			n.Bind["odk:quality"] = v
		}
	case "background-audio":
		oneOf("quality", "voice-only", "low", "normal")
	case "geopoint":
		if v, ok := number("capture-accuracy", false); ok {
			n.Control["accuracyThreshold"] = v
		}
		if v, ok := number("warning-accuracy", false); ok {
			n.Control["unacceptableAccuracyThreshold"] = v
		}
		p.geometry(n, oneOf)
	case "geotrace", "geoshape":
		if v, there := params["incremental"]; there {
			if !yes(v) {
				bad("parameters.incremental", "incremental is true or is left out")
			}
			n.Control["incremental"] = "true"
		}
		p.geometry(n, oneOf)
	case "select", "select file":
		for _, k := range []string{"value", "label"} {
			if v, there := params[k]; there && class == "select file" && !xmlName.MatchString(v) {
				bad("parameters.column", "%s names a column of the file; "+badName, k, v)
			}
		}
		_, randomize := oneOf("randomize", "true", "false")
		seed, seeded := params["seed"]
		_, ref := OnlyRef(seed)
		switch {
		case seeded && params["randomize"] == "":
			bad("parameters.seed", "seed needs randomize=true beside it")
		case seeded && randomize && !ref && !aNumber.MatchString(seed):
			bad("parameters.seed", "seed is a number or a reference such as ${name}, not %q", seed)
		}
	case "range":
		p.rangeOf(n, r)
	case "audit":
		p.auditParameters(n, params, oneOf, number, bad)
	}
}

func (p *reading) geometry(n *Node, oneOf func(string, ...string) (string, bool)) {
	if v, ok := oneOf("allow-mock-accuracy", "true", "false"); ok {
		n.Bind["odk:allow-mock-accuracy"] = v
	}
	if v, there := n.Parameters["reference-geometry"]; there {
		n.List = v // checked once all lists and repeats are known
		if external(v) {
			n.List, n.File = "", v
		}
	}
}

func badPackage(s string) hint {
	switch {
	case !strings.Contains(s, "."):
		return hint{"it holds no dot", nil}
	case strings.HasSuffix(s, "."), strings.HasPrefix(s, "."), strings.Contains(s, ".."):
		return hint{"a part between dots is empty", nil}
	}
	for _, part := range strings.Split(s, ".") {
		if part[0] == '_' || part[0] >= '0' && part[0] <= '9' {
			return hint{"a part begins with a digit or _", nil}
		}
		if strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return hint{"it holds a sign that is no letter, digit, dot or _", nil}
		}
	}
	return hint{}
}

func rational(s string) (*big.Rat, bool) {
	if !aNumber.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// multiple tells whether a is a whole multiple of b.
func multiple(a, b *big.Rat) bool { return new(big.Rat).Quo(a, b).IsInt() }

// rangeOf checks a range: its ends, its step, the ticks and their labels.
func (p *reading) rangeOf(n *Node, r *record) {
	bad := func(code, format string, a ...any) { p.at(r, colParameters, code, format, a...) }
	look := n.Appearance()
	params := n.Parameters
	for k, v := range map[string]string{"start": "1", "end": "10", "step": "1"} {
		if _, given := params[k]; !given {
			params[k] = v
		}
	}
	for _, k := range []string{"tick_interval", "placeholder", "tick_labelset"} {
		if _, given := params[k]; given && look != "" && !strings.Contains(look, "vertical") && !strings.Contains(look, "no-ticks") {
			bad("range.appearance", "%s goes with the appearances vertical and no-ticks, or none", k)
			return
		}
	}
	values := map[string]*big.Rat{}
	decimal := false
	for _, k := range []string{"start", "end", "step", "tick_interval", "placeholder"} {
		s, given := params[k]
		if !given {
			continue
		}
		v, ok := rational(s)
		if !ok {
			bad("range.number", "%s must be a number, not %q", k, s)
			return
		}
		values[k] = v
		decimal = decimal || !v.IsInt()
		if !strings.HasPrefix(k, "tick") && k != "placeholder" {
			n.Control[k] = s
		}
	}
	start, end, step, tick, placeholder := values["start"], values["end"], values["step"], values["tick_interval"], values["placeholder"]
	low, high := start, end
	if low.Cmp(high) > 0 {
		low, high = high, low
	}
	width := new(big.Rat).Sub(high, low)
	for _, k := range []string{"step", "tick_interval"} {
		switch v := values[k]; {
		case v == nil:
		case v.Sign() == 0:
			bad("range.zero", "%s must not be 0", k)
			return
		case v.Cmp(width) > 0:
			bad("range.wide", "%s is larger than the range from %s to %s", k, params["start"], params["end"])
			return
		}
	}
	if tick != nil {
		if !multiple(tick, step) {
			bad("range.tick", "tick_interval must be a multiple of step")
		}
		n.Control["odk:tick-interval"] = params["tick_interval"]
	}
	if placeholder != nil {
		if !multiple(new(big.Rat).Sub(placeholder, start), step) {
			bad("range.placeholder", "placeholder must be start plus a multiple of step")
		}
		if placeholder.Cmp(low) < 0 || placeholder.Cmp(high) > 0 {
			bad("range.outside", "placeholder lies outside the range")
		}
		n.Control["odk:placeholder"] = params["placeholder"]
	}
	if name, given := params["tick_labelset"]; given {
		l := p.form.ChoiceList(name)
		if l == nil {
			bad("range.list", "tick_labelset: there is no choice list %q%s", name, p.similarList(name))
			return
		}
		n.List = name
		unit, unitName := step, "step"
		if tick != nil {
			unit, unitName = tick, "tick_interval"
		}
		var ends []*big.Rat
		for _, c := range l.Choices {
			v, ok := rational(c.Name)
			switch {
			case !ok:
				bad("range.label", "the names of the choices of %q must be numbers, not %q", name, c.Name)
				return
			case v.Cmp(low) < 0 || v.Cmp(high) > 0:
				bad("range.label_outside", "the choice %s of %q lies outside the range", c.Name, name)
			case !multiple(new(big.Rat).Sub(v, start), unit):
				bad("range.label_tick", "the choice %s of %q is not start plus a multiple of %s", c.Name, name, unitName)
			}
			if !slices.ContainsFunc(ends, func(e *big.Rat) bool { return e.Cmp(v) == 0 }) {
				ends = append(ends, v)
			}
		}
		if strings.Contains(look, "no-ticks") {
			atEnds := len(ends) == 2 || len(ends) == 1 && start.Cmp(end) == 0
			for _, e := range ends {
				atEnds = atEnds && (e.Cmp(start) == 0 || e.Cmp(end) == 0)
			}
			if !atEnds {
				bad("range.ends", "without ticks only the two ends have labels: %q must hold the choices %s and %s", name, params["start"], params["end"])
			}
		}
	}
	if decimal && n.Bind["type"] == "int" {
		n.Bind["type"] = "decimal"
	}
}

// audit reads the row of an audit log, which lies in the meta group.
func (p *reading) audit(n *Node, r *record) {
	if n.Name != "" && n.Name != "audit" {
		p.at(r, colName, "audit.name", "an audit is always named audit; leave the name empty")
	}
	n.Name = "audit"
	if len(p.audits) > 0 {
		p.at(r, colType, "audit.twice", "the form has an audit already, at %s", p.audits[0].row.cell("type"))
		return
	}
	p.typed(n, types["audit"])
	p.parameters(n, r)
	p.audits = append(p.audits, n)
}

func (p *reading) auditParameters(n *Node, params map[string]string, oneOf func(string, ...string) (string, bool), number func(string, bool) (string, bool), bad func(string, string, ...any)) {
	set := func(k, v string, ok bool) {
		if ok {
			n.Bind["odk:"+k] = v
		}
	}
	for _, k := range []string{"track-changes", "identify-user"} {
		v, ok := oneOf(k, "true", "false")
		set(k, v, ok)
	}
	v, ok := oneOf("track-changes-reasons", "on-form-edit")
	set("track-changes-reasons", v, ok)
	given := 0
	for _, k := range []string{"location-priority", "location-min-interval", "location-max-age"} {
		if _, there := params[k]; there {
			given++
		}
	}
	if given == 0 {
		return
	}
	if given < 3 {
		bad("audit.location", "a log of positions needs location-priority, location-min-interval and location-max-age")
		return
	}
	v, ok = oneOf("location-priority", "no-power", "low-power", "balanced", "high-accuracy")
	set("location-priority", v, ok)
	interval, ok1 := number("location-min-interval", true)
	age, ok2 := number("location-max-age", true)
	if !ok1 || !ok2 {
		return
	}
	least, _ := strconv.Atoi(interval)
	most, _ := strconv.Atoi(age)
	if least < 0 || most < 0 || most < least {
		bad("audit.interval", "location-min-interval is 0 or more seconds, and location-max-age at least as much")
	}
	set("location-min-interval", interval, true)
	set("location-max-age", age, true)
}
