package entity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
)

var at = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

// online and offline are updates of site "s" that set properties given as "k=v".
func online(base int, sets ...string) Declared {
	return Declared{List: "sites", ID: "s", Update: true, Base: base, Data: pairs(sets)}
}

func offline(branch string, trunk, base int, sets ...string) Declared {
	d := online(base, sets...)
	d.Branch, d.Trunk = branch, trunk
	return d
}

func creation(label string, sets ...string) Declared {
	return Declared{List: "sites", ID: "s", Create: true, Label: label, Data: pairs(sets)}
}

func pairs(sets []string) map[string]string {
	m := map[string]string{}
	for _, s := range sets {
		k, v, _ := strings.Cut(s, "=")
		m[k] = v
	}
	return m
}

// play applies declarations in order, holding and releasing as a Follower does; a
// declaration "force" applies what is held.
type play struct {
	state  State
	held   []dtm.HeldEntity
	refuse []string
	n      int
}

func (p *play) do(d Declared, force bool) {
	p.n++
	v := Apply(p.state, d, From{Submission: fmt.Sprint("uuid:", p.n), Actor: "device:d", At: at}, force)
	switch {
	case v.Refuse != "":
		p.refuse = append(p.refuse, v.Refuse)
	case v.Hold != nil:
		p.held = append(p.held, *v.Hold)
	case v.Change != nil:
		p.state = p.state.with(*v.Change)
		p.release()
	}
}

func (p *play) release() {
	if h, ok := next(p.held, p.state); ok {
		p.drop(h)
		p.do(declared(h), false)
	}
}

func (p *play) drop(h dtm.HeldEntity) {
	p.held = slices.DeleteFunc(p.held, func(o dtm.HeldEntity) bool { return o.Submission == h.Submission })
}

func (p *play) force() {
	for len(p.held) > 0 {
		h := p.held[0]
		for _, o := range p.held {
			if o.Base < h.Base {
				h = o
			}
		}
		p.drop(h)
		p.do(declared(h), true)
	}
}

func (p *play) String() string {
	if !p.state.exists() {
		return fmt.Sprintf("none refuse=%v held=%d", p.refuse, len(p.held))
	}
	v := p.state.Versions[len(p.state.Versions)-1]
	var data []string
	for k, x := range v.Data {
		data = append(data, k+"="+x)
	}
	slices.Sort(data)
	return fmt.Sprintf("v%d %q %v conflict=%s%v held=%d refuse=%v", v.Number, v.Label, data, p.state.Entity.Conflict, v.Conflicting, len(p.held), p.refuse)
}

func TestApply(t *testing.T) {
	t.Parallel()
	made := creation("Obock", "water=yes", "people=10")
	force := Declared{ID: "force"}
	labelled := online(1)
	labelled.Label = "New name"
	upsert := creation("Upserted", "water=no")
	upsert.Update, upsert.Base = true, 1
	deleted := Declared{ID: "delete"}
	for _, c := range []struct {
		name string
		do   []Declared
		want string
	}{
		{"2022.1 create", []Declared{made}, `v1 "Obock" [people=10 water=yes] conflict=[] held=0 refuse=[]`},
		{"blank properties are not set by a creation", []Declared{creation("Obock", "water=")}, `v1 "Obock" [] conflict=[] held=0 refuse=[]`},
		{"no label", []Declared{creation("")}, `none refuse=[entity.no_label] held=0`},
		{"created twice", []Declared{made, made}, `v1 "Obock" [people=10 water=yes] conflict=[] held=0 refuse=[entity.exists]`},
		{"neither created nor updated", []Declared{{List: "sites", ID: "s", Label: "x"}}, `none refuse=[] held=0`},
		{"no id", []Declared{{List: "sites", Create: true, Label: "x"}}, `none refuse=[entity.no_id] held=0`},

		{"2023.1 update", []Declared{made, online(1, "water=no")}, `v2 "Obock" [people=10 water=no] conflict=[] held=0 refuse=[]`},
		{"label", []Declared{made, labelled}, `v2 "New name" [people=10 water=yes] conflict=[] held=0 refuse=[]`},
		{"emptied", []Declared{made, online(1, "water=")}, `v2 "Obock" [people=10 water=] conflict=[] held=0 refuse=[]`},
		{"soft conflict", []Declared{made, online(1, "water=no"), online(1, "people=20")}, `v3 "Obock" [people=20 water=no] conflict=soft[] held=0 refuse=[]`},
		{"same value is soft", []Declared{made, online(1, "water=no"), online(1, "water=no")}, `v3 "Obock" [people=10 water=no] conflict=soft[] held=0 refuse=[]`},
		{"hard conflict", []Declared{made, online(1, "water=no"), online(1, "water=dry")}, `v3 "Obock" [people=10 water=dry] conflict=hard[water] held=0 refuse=[]`},
		{"hard stays hard", []Declared{made, online(1, "water=no"), online(1, "water=dry"), online(2, "people=9")}, `v4 "Obock" [people=9 water=dry] conflict=hard[] held=0 refuse=[]`},
		{"soft stays until resolved", []Declared{made, online(1, "water=no"), online(1, "people=20"), online(3, "people=30")}, `v4 "Obock" [people=30 water=no] conflict=soft[] held=0 refuse=[]`},
		{"hard conflict of labels", []Declared{made, labelled, func() Declared { d := online(1); d.Label = "Third"; return d }()}, `v3 "Third" [people=10 water=yes] conflict=hard[label] held=0 refuse=[]`},
		{"unknown", []Declared{online(1, "water=no")}, `none refuse=[entity.unknown] held=0`},
		{"unknown base", []Declared{made, online(7, "water=no")}, `v1 "Obock" [people=10 water=yes] conflict=[] held=0 refuse=[entity.base_unknown]`},
		{"no base", []Declared{made, online(0, "water=no")}, `v2 "Obock" [people=10 water=no] conflict=soft[] held=0 refuse=[]`},
		{"upsert creates", []Declared{upsert}, `v1 "Upserted" [water=no] conflict=[] held=0 refuse=[]`},
		{"upsert updates", []Declared{made, upsert}, `v2 "Upserted" [people=10 water=no] conflict=[] held=0 refuse=[]`},
		{"deleted", []Declared{made, deleted, online(1, "water=no")}, `v1 "Obock" [people=10 water=yes] conflict=[] held=0 refuse=[entity.deleted]`},

		{"2024.1 branch in order", []Declared{made, offline("b", 1, 1, "water=no"), offline("b", 1, 2, "water=dry")}, `v3 "Obock" [people=10 water=dry] conflict=[] held=0 refuse=[]`},
		{"branch out of order", []Declared{made, offline("b", 1, 3, "people=30"), offline("b", 1, 2, "people=20"), offline("b", 1, 1, "people=15")}, `v4 "Obock" [people=30 water=yes] conflict=[] held=0 refuse=[]`},
		{"branch waits", []Declared{made, offline("b", 1, 2, "people=20")}, `v1 "Obock" [people=10 water=yes] conflict=[] held=1 refuse=[]`},
		{"branch forced", []Declared{made, offline("b", 1, 3, "people=30"), offline("b", 1, 2, "water=no"), force}, `v3 "Obock" [people=30 water=no] conflict=soft[] held=0 refuse=[]`},
		{"offline creation and update", []Declared{made, offline("b", 0, 1, "water=no"), offline("b", 0, 2, "people=3")}, `v3 "Obock" [people=3 water=no] conflict=[] held=0 refuse=[]`},
		{"offline update before its creation", []Declared{offline("b", 0, 2, "people=3"), offline("b", 0, 1, "water=no"), made}, `v3 "Obock" [people=3 water=no] conflict=[] held=0 refuse=[]`},
		{"creation never comes", []Declared{offline("b", 0, 1, "water=no"), offline("b", 0, 2, "people=3"), force}, `v2 "s" [people=3 water=no] conflict=[] held=0 refuse=[]`},
		{"creation comes after days", []Declared{offline("b", 0, 1, "water=no"), force, made}, `v2 "Obock" [people=10 water=no] conflict=soft[] held=0 refuse=[]`},
		{"and the branch goes on", []Declared{offline("b", 0, 1, "water=no"), force, made, offline("b", 0, 2, "people=3")}, `v3 "Obock" [people=3 water=no] conflict=soft[] held=0 refuse=[]`},
		{"two branches, other properties", []Declared{made, offline("b", 1, 1, "water=no"), offline("c", 1, 1, "people=5")}, `v3 "Obock" [people=5 water=no] conflict=soft[] held=0 refuse=[]`},
		{"two branches, same property", []Declared{made, offline("b", 1, 1, "water=no"), offline("c", 1, 1, "water=dry")}, `v3 "Obock" [people=10 water=dry] conflict=hard[water] held=0 refuse=[]`},
		{"branch interrupted by an online update", []Declared{made, offline("b", 1, 1, "water=no"), online(2, "people=5"), offline("b", 1, 2, "water=dry")}, `v4 "Obock" [people=5 water=dry] conflict=soft[] held=0 refuse=[]`},
		{"branch interrupted, same property", []Declared{made, offline("b", 1, 1, "water=no"), online(2, "water=wet"), offline("b", 1, 2, "water=dry")}, `v4 "Obock" [people=10 water=dry] conflict=hard[water] held=0 refuse=[]`},
		{"branch of a lost entity", []Declared{offline("b", 4, 4, "water=no")}, `none refuse=[entity.unknown] held=0`},
		{"branch from an unknown version", []Declared{made, offline("b", 4, 4, "water=no")}, `v1 "Obock" [people=10 water=yes] conflict=[] held=0 refuse=[entity.base_unknown]`},
	} {
		p := &play{}
		for _, d := range c.do {
			switch d.ID {
			case "force":
				p.force()
			case "delete":
				p.state.Entity.Deleted = &at
			default:
				p.do(d, false)
			}
		}
		if got := p.String(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Whatever the order in which a phone's updates arrive, the result is that of the
// order in which they were made, without conflict; nothing is held for ever.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		all := []Declared{creation("Obock", "a=0", "b=0")}
		for n := range 1 + r.IntN(8) {
			all = append(all, offline("x", 0, n+1, fmt.Sprintf("%c=%d", 'a'+rune(r.IntN(3)), r.IntN(100))))
		}
		inOrder, shuffled := &play{}, &play{}
		for _, d := range all {
			inOrder.do(d, false)
		}
		order := r.Perm(len(all))
		for _, i := range order {
			shuffled.do(all[i], false)
		}
		if got, want := shuffled.String(), inOrder.String(); got != want || !strings.Contains(got, "conflict=[] held=0 refuse=[]") {
			t.Fatalf("seed %d, order %v:\n got %s\nwant %s", seed, order, got, want)
		}
	}
}

func TestNormalID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"uuid:AB-1": "ab-1", " ab-1\n": "ab-1", "": "", "UUID:x": "x"} {
		if got := NormalID(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
