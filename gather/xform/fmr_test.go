package xform_test

import (
	"bytes"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

func fmr(t testing.TB) (*dtm.Operation, *xlsform.Form) { return packed(t, "fmr") }

// TestStable: the same form gives the same bytes, for phones tell a new version
// by them.
func TestStable(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 30 {
		_, form := fmr(t)
		out, err := xform.Write(form)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out
		}
		if !bytes.Equal(first, out) {
			t.Fatal("the form was written in two ways")
		}
	}
}

// TestFMRComplete fills the form in as a phone does and finds nothing to remark.
func TestFMRComplete(t *testing.T) {
	t.Parallel()
	op, form := fmr(t)
	in, err := xform.Read(form, group(answers("total", "7", "vulnerable_seen", "yes", "v_uac", "1", "photo", "1.jpg"),
		map[string]string{"nationality": "ETH", "men": "3", "women": "1", "boys": "2", "girls": "0", "not_known": "0"},
		map[string]string{"nationality": "SOM", "men": "0", "women": "1", "boys": "0", "girls": "0", "not_known": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	rows, flags := xform.Movements(op, form, in)
	if len(rows) != 4 || len(flags)+len(in.Flags) > 0 || len(in.Files) != 1 {
		t.Errorf("%d rows, flags %v %v, files %v", len(rows), in.Flags, flags, in.Files)
	}
}

// TestFMRTime keeps the registry short: what a group of eight Ethiopians on their
// way to Saudi Arabia takes to enter in ODK Collect is counted from the form itself,
// and priced as a keystroke-level estimate. M is the mental act of Card, Moran and
// Newell (1983); tap, key and swipe are assumptions on the slow side for a thumb at
// the roadside. The talk with the group is not in it.
func TestFMRTime(t *testing.T) {
	t.Parallel()
	const mental, tap, key, swipe = 1.35, 0.8, 0.5, 0.8 // seconds
	_, form := fmr(t)
	answer := map[string]string{"point": "obock", "mode": "group_leader", "direction": "outgoing", "flow_type": "arabian_peninsula", "next": "SAU",
		"men": "5", "women": "2", "boys": "1", "reason": "economic", "transport": "foot", "vulnerable_seen": "no"}
	var screens, prompts, checks, taps, keys int
	screen := func(n *xlsform.Node) bool { // one that is drawn by itself
		for p := n.Parent; p != nil; p = p.Parent {
			if p.Appearance() == "field-list" {
				return false
			}
		}
		return n.Kind == xlsform.Question || n.Appearance() == "field-list"
	}
	form.Root.Walk(func(n *xlsform.Node) {
		if n.Tag == "" && n.Kind == xlsform.Question || n.Name == "vulnerable" || n.Parent.Name == "vulnerable" {
			return
		}
		if screen(n) {
			screens++
		}
		if n.Kind == xlsform.Repeat {
			prompts, taps = prompts+1, taps+1 // another nationality? no
		}
		value, answered := answer[n.Name]
		delete(answer, n.Name)
		switch {
		case !answered && n.Bind["required"] != "" && n.Default == "":
			t.Errorf("%s is required, and the ordinary group has no answer to it", n.Name)
		case !answered && n.Bind["required"] != "" && n.Type != "integer":
			checks++ // a default to be looked at
		case !answered:
		case n.Type == "integer":
			prompts, taps, keys = prompts+1, taps+1, keys+len(value)+1 // the 0 goes
		case n.Appearance() == "minimal autocomplete":
			prompts, taps, keys = prompts+1, taps+2, keys+2 // open, two letters, choose
		default:
			prompts, taps = prompts+1, taps+1
		}
	})
	if len(answer) > 0 {
		t.Errorf("the form does not ask %v", answer)
	}
	screens, prompts, taps = screens+1, prompts+1, taps+2 // the last screen: finish, send
	seconds := mental*float64(prompts+checks) + tap*float64(taps) + key*float64(keys) + swipe*float64(screens)
	t.Logf("%d screens, %d prompts, %d defaults looked at, %d taps, %d keys: about %.0f s", screens, prompts, checks, taps, keys, seconds)
	if seconds >= 60 || prompts > 14 || screens > 14 {
		t.Errorf("a group takes %d prompts on %d screens, about %.0f s", prompts, screens, seconds)
	}
}
