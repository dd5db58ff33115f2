package relational

import (
	"context"
	"encoding/json"
	"strings"

	"dtm"
	"dtm/event"
)

var _ dtm.RuleSwitches = (*DB)(nil)

// SwitchRule notes that a rule is used or not, and with which limits: Invalid
// without a reason.
func (db *DB) SwitchRule(ctx context.Context, s dtm.RuleSwitch) error {
	if strings.TrimSpace(s.Why) == "" {
		return noReason()
	}
	if s.Limit == nil {
		s.Limit = map[string]float64{}
	}
	state := "off"
	if s.On {
		state = "on"
	}
	return db.update(ctx, "store.SwitchRule", func(t *tx) error {
		actor := event.Actor(ctx)
		seq, err := t.log(dtm.RuleSwitched, s.Rule, actor, jsonText(map[string]any{"state": state, "limits": s.Limit}))
		if err != nil {
			return err
		}
		return t.exec(`
			INSERT INTO rule_switch (operation, seq, rule, state, limits, actor, at, why)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.db.operation, seq, s.Rule, state, jsonText(s.Limit), actor, timeText(t.now), s.Why)
	})
}

// RuleSwitches gives the last of each rule, by rule.
func (db *DB) RuleSwitches(ctx context.Context) ([]dtm.RuleSwitch, error) {
	const op = "store.RuleSwitches"
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.seq, r.rule, r.state, r.limits, r.actor, r.at, r.why
		FROM rule_switch r
		WHERE r.operation = $1
		  AND r.seq = (SELECT max(x.seq) FROM rule_switch x WHERE x.operation = r.operation AND x.rule = r.rule)
		ORDER BY r.rule`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.RuleSwitch
	for rows.Next() {
		var s dtm.RuleSwitch
		var state, limits, at string
		err := rows.Scan(&s.Seq, &s.Rule, &state, &limits, &s.Actor, &at, &s.Why)
		if err == nil {
			s.At, err = textTime(at)
		}
		if err == nil {
			err = json.Unmarshal([]byte(limits), &s.Limit)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		s.On = state == "on"
		out = append(out, s)
	}
	return out, failure(op, rows.Err())
}
