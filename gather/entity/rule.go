package entity

import (
	"maps"
	"slices"
	"strings"
	"time"

	"dtm"
)

// Declared is what one meta/entity element of a submission asks for.
type Declared struct {
	List, ID       string
	Create, Update bool
	Label          string            // "": not given
	Data           map[string]string // by property; only what the submission holds
	Base           int               // baseVersion; 0: none
	Trunk          int               // trunkVersion; 0: none
	Branch         string            // branchId; "": made online
}

// From is where a declaration comes from.
type From struct {
	Submission string
	Actor      string
	At         time.Time
}

// State is an entity as it is. The zero State is of one that does not exist.
type State struct {
	Entity   dtm.Entity
	Versions []dtm.EntityVersion // oldest first
}

func (s State) exists() bool  { return len(s.Versions) > 0 }
func (s State) deleted() bool { return s.Entity.Deleted != nil }

// Verdict is what becomes of a declaration: exactly one of Change, Hold and
// Refuse is set, or none when there is nothing to do.
type Verdict struct {
	Change *dtm.EntityChange
	Hold   *dtm.HeldEntity
	Refuse string // code
}

// Patience is how long an offline update waits for the one before it.
const Patience = 5 * 24 * time.Hour

// Apply decides what a declaration does to an entity. With force an offline
// update is applied although the one before it has not come.
func Apply(s State, d Declared, from From, force bool) Verdict {
	switch {
	case d.List == "" || !d.Create && !d.Update:
		return Verdict{}
	case d.ID == "":
		return Verdict{Refuse: "entity.no_id"}
	case s.deleted():
		return Verdict{Refuse: "entity.deleted"}
	case d.Update && s.exists():
		return update(s, d, from, force)
	case d.Create:
		return create(s, d, from)
	case !d.offline():
		return Verdict{Refuse: "entity.unknown"}
	case d.Trunk > 0:
		// The branch began at a version that the server gave out: it was here, and
		// is of another server or was restored away.
		return Verdict{Refuse: "entity.unknown"}
	case !force:
		return d.hold(from)
	}
	// The submission that created it is late by days, or lost with its phone: what
	// the update says is all that is known.
	v := d.version(from)
	v.Number, v.Data = 1, maps.Clone(d.Data)
	if v.Label == "" {
		v.Label = d.ID
	}
	return Verdict{Change: &dtm.EntityChange{List: d.List, ID: d.ID, Version: &v}}
}

func (d Declared) offline() bool { return d.Branch != "" }

func (d Declared) hold(from From) Verdict {
	return Verdict{Hold: &dtm.HeldEntity{Submission: from.Submission, List: d.List, ID: d.ID, Branch: d.Branch,
		Base: d.Base, Trunk: d.Trunk, Since: from.At, Label: d.Label, Data: d.Data}}
}

// version is the next version as far as the declaration alone says it.
func (d Declared) version(from From) dtm.EntityVersion {
	v := dtm.EntityVersion{At: from.At, Actor: from.Actor, Submission: from.Submission, Label: d.Label, Received: received(d.Label, d.Data)}
	if d.offline() {
		v.Branch, v.Trunk, v.BranchBase = d.Branch, d.Trunk, d.Base
	}
	return v
}

func received(label string, data map[string]string) map[string]string {
	out := maps.Clone(data)
	if out == nil {
		out = map[string]string{}
	}
	if label != "" {
		out["label"] = label
	}
	return out
}

func create(s State, d Declared, from From) Verdict {
	v := d.version(from)
	v.Branch, v.Trunk, v.BranchBase = "", 0, 0
	if s.exists() {
		return lateCreate(s, d, v)
	}
	if d.Label == "" {
		return Verdict{Refuse: "entity.no_label"}
	}
	v.Number, v.Data = 1, filled(d.Data)
	return Verdict{Change: &dtm.EntityChange{List: d.List, ID: d.ID, Version: &v}}
}

// lateCreate handles the creation of an entity that exists because an update was
// applied without waiting for it any longer: it belongs under what came since.
func lateCreate(s State, d Declared, v dtm.EntityVersion) Verdict {
	first, current := s.Versions[0], s.Versions[len(s.Versions)-1]
	if first.Branch == "" {
		return Verdict{Refuse: "entity.exists"}
	}
	v.Number, v.Base = current.Number+1, current.Number
	v.Data = filled(d.Data)
	// It is of the phone's branch, as its latest step: what follows there was made
	// knowing it.
	v.Branch, v.Trunk = first.Branch, first.Trunk
	for _, said := range s.Versions {
		if said.Branch == first.Branch {
			v.BranchBase = max(v.BranchBase, said.BranchBase)
		}
		for k, value := range said.Received {
			if k != "label" {
				v.Data[k] = value
			}
		}
	}
	labelled := func(x dtm.EntityVersion) bool { return x.Received["label"] != "" }
	if slices.ContainsFunc(s.Versions, labelled) || d.Label == "" {
		v.Label = current.Label
	}
	v.Conflict = dtm.SoftConflict
	return Verdict{Change: &dtm.EntityChange{List: d.List, ID: d.ID, After: current.Number, Version: &v, Conflict: worse(s.Entity.Conflict, v.Conflict)}}
}

// filled is data without what was left blank: a new entity has no such value.
func filled(data map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range data {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

func worse(a, b string) string {
	if a == dtm.HardConflict || b == "" {
		return a
	}
	return b
}

func update(s State, d Declared, from From, force bool) Verdict {
	current := s.Versions[len(s.Versions)-1]
	base, wait, refuse := s.base(d)
	switch {
	case refuse != "":
		return Verdict{Refuse: refuse}
	case wait && !force:
		return d.hold(from)
	case wait:
		base = current
	}
	v := d.version(from)
	v.Number, v.Base = current.Number+1, base.Number
	v.Data = maps.Clone(current.Data)
	if v.Data == nil {
		v.Data = map[string]string{}
	}
	maps.Copy(v.Data, d.Data)
	if v.Label == "" {
		v.Label = current.Label
	}
	switch {
	case base.Number != current.Number:
		v.Conflicting = conflicting(base, current, v.Received)
		v.Conflict = dtm.SoftConflict
		if len(v.Conflicting) > 0 {
			v.Conflict = dtm.HardConflict
		}
	case wait, !d.offline() && d.Base == 0, s.interrupted(d):
		v.Conflict = dtm.SoftConflict
	}
	return Verdict{Change: &dtm.EntityChange{List: d.List, ID: d.ID, After: current.Number, Version: &v, Conflict: worse(s.Entity.Conflict, v.Conflict)}}
}

// base finds the version that an update was made from. wait tells that it has not
// come yet.
func (s State) base(d Declared) (base dtm.EntityVersion, wait bool, refuse string) {
	numbered := func(n int) (dtm.EntityVersion, bool, string) {
		if n < 1 || n > len(s.Versions) {
			return base, false, "entity.base_unknown"
		}
		return s.Versions[n-1], false, ""
	}
	switch {
	case !d.offline() && d.Base == 0:
		// Without a base the phone's knowledge is unknown: on top, and marked.
		return s.Versions[len(s.Versions)-1], false, ""
	case !d.offline():
		return numbered(d.Base)
	case d.Trunk > 0 && d.Base == d.Trunk:
		return numbered(d.Trunk)
	case d.Trunk == 0 && d.Base <= 1:
		// The first change after an offline creation.
		if s.Versions[0].Branch == "" {
			return s.Versions[0], false, ""
		}
	}
	for _, v := range slices.Backward(s.Versions) {
		if v.Branch == d.Branch && v.BranchBase == d.Base-1 {
			return v, false, ""
		}
	}
	return base, true, ""
}

// interrupted tells whether somebody else changed the entity since the branch
// began, even before the branch's latest version that is here.
func (s State) interrupted(d Declared) bool {
	if !d.offline() {
		return false
	}
	for _, v := range s.Versions {
		if v.Number > max(d.Trunk, 1) && v.Branch != d.Branch {
			return true
		}
	}
	return false
}

// conflicting names what was received and differs from what another version has
// set since base.
func conflicting(base, current dtm.EntityVersion, received map[string]string) []string {
	since := map[string]string{}
	for k, v := range current.Data {
		if old, ok := base.Data[k]; !ok || old != v {
			since[k] = v
		}
	}
	if current.Label != base.Label {
		since["label"] = current.Label
	}
	var out []string
	for k, v := range received {
		if set, ok := since[k]; ok && set != v {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// next picks, of the updates that are held for an entity, one whose predecessor
// is there now.
func next(held []dtm.HeldEntity, s State) (dtm.HeldEntity, bool) {
	if !s.exists() || s.deleted() {
		return dtm.HeldEntity{}, false
	}
	for _, h := range held {
		if _, wait, _ := s.base(declared(h)); !wait {
			return h, true
		}
	}
	return dtm.HeldEntity{}, false
}

// with is the state after a change.
func (s State) with(c dtm.EntityChange) State {
	s.Entity.List, s.Entity.ID, s.Entity.Conflict = c.List, c.ID, c.Conflict
	if c.Version != nil {
		s.Versions = append(slices.Clip(s.Versions), *c.Version)
		s.Entity.Current = *c.Version
	}
	return s
}

// declared is the declaration that was held.
func declared(h dtm.HeldEntity) Declared {
	return Declared{List: h.List, ID: h.ID, Update: true, Label: h.Label, Data: h.Data, Base: h.Base, Trunk: h.Trunk, Branch: h.Branch}
}

// NormalID is the id in the form that the store and phones compare: lower case,
// without "uuid:".
func NormalID(s string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "uuid:")
}
