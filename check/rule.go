package check

import (
	_ "embed"
	"fmt"
	"slices"

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

// Rule is one check. Its name is in the message catalogues, rule.ID.
type Rule struct {
	ID       string
	Severity Severity
	Scope    string // "record", "day", "device", "point", "month"
	Owner    string
	Limit    map[string]float64
	Explain  dtm.Text
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
