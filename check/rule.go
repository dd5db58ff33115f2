package check

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"dtm"
)

// Severity says how much a finding weighs.
type Severity string

// Severities, the heaviest first.
const (
	Fault Severity = "fault" // a contradiction
	Doubt Severity = "doubt" // somebody should look
	Note  Severity = "note"  // good to know
)

// Rank orders severities, 0 the heaviest.
func (s Severity) Rank() int {
	switch s {
	case Fault:
		return 0
	case Note:
		return 2
	}
	return 1
}

// Rule is one check. Its name is in the message catalogues, rule.ID.
type Rule struct {
	ID       string
	Severity Severity
	Scope    string // "record", "day", "device", "point", "month"; "form": found by gather/xform
	Owner    string
	Limit    map[string]float64
	Explain  dtm.Text
	Test     string // package and test that prove it finds what it is meant to
}

//go:embed rule.toml
var ruleFile string

// Rules are the checks in use, by identifier.
type Rules map[string]Rule

// Built are the rules that come with the program. They are the caller's: a limit
// may be tried without changing anybody else's.
func Built() Rules {
	var t struct{ Rule []Rule }
	if _, err := toml.Decode(ruleFile, &t); err != nil {
		panic(fmt.Sprintf("check: rule.toml: %v", err)) // embedded, tested
	}
	r := Rules{}
	for _, x := range t.Rule {
		r[x.ID] = x
	}
	return r
}

// Severity is a rule's; of one that is not among them a doubt.
func (r Rules) Severity(id string) Severity {
	if x, ok := r[id]; ok {
		return x.Severity
	}
	return Doubt
}

// With gives the rules as an operation uses them: some off, some with limits of its
// own. A limit that the rule does not have is Invalid, a rule that is none NotFound.
func (r Rules) With(list []dtm.RuleSwitch) (Rules, error) {
	out := maps.Clone(r)
	for _, s := range list {
		x, ok := r[s.Rule]
		if !ok {
			return nil, dtm.Errorf(dtm.NotFound, "there is no rule %q", s.Rule).Coded("quality.rule.none", s.Rule)
		}
		if !s.On {
			delete(out, s.Rule)
			continue
		}
		x.Limit = maps.Clone(x.Limit)
		for name, v := range s.Limit {
			if _, ok := x.Limit[name]; !ok {
				return nil, dtm.Errorf(dtm.Invalid, "rule %s has no limit %q; it has %s", s.Rule, name, strings.Join(slices.Sorted(maps.Keys(x.Limit)), ", ")).Coded("quality.rule.limit", s.Rule, name)
			}
			x.Limit[name] = v
		}
		out[s.Rule] = x
	}
	return out, nil
}

// IDs lists the rules, the heaviest severity first.
func (r Rules) IDs() []string {
	order := []Severity{Fault, Doubt, Note}
	var out []string
	for _, s := range order {
		n := len(out)
		for id, x := range r {
			if x.Severity == s {
				out = append(out, id)
			}
		}
		slices.Sort(out[n:])
	}
	return out
}

// limit is a rule's limit of that name. off tells that the rule is not in use.
func (r Rules) limit(id, name string) (v float64, off bool) {
	x, ok := r[id]
	return x.Limit[name], !ok
}
