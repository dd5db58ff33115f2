package xform_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm/gather/xform"
)

// screening is the model of the form and the codes that its lists hold.
func screening(t *testing.T) (*xform.Model, map[string][]string) {
	t.Helper()
	_, form := packed(t, "screening")
	doc, err := xform.Write(form)
	if err != nil {
		t.Fatal(err)
	}
	m, err := xform.ReadModel(doc)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	for _, l := range form.Lists {
		for _, c := range l.Choices {
			lists[l.Name] = append(lists[l.Name], c.Name)
		}
	}
	return m, lists
}

// screened is a submission with the answers, by the questions' names.
func screened(m *xform.Model, answers map[string]string) []byte {
	var b strings.Builder
	var write func(n *xform.Node)
	write = func(n *xform.Node) {
		b.WriteString("<" + n.Name + ">" + answers[n.Name])
		for _, c := range n.Children {
			write(c)
		}
		b.WriteString("</" + n.Name + ">")
	}
	write(m.Root)
	return []byte(b.String())
}

// TestScreeningProtects is the hard rule: who asks for asylum, was trafficked, or is
// a child is never proposed for, nor can be referred to, a return programme, and no
// consulate is told. Every answer to the questions that decide is tried with every
// other, left unanswered and unknown included; the rest is drawn. Whether the answers
// shut the way home is judged here from the answers alone, not by the form's own
// sums.
func TestScreeningProtects(t *testing.T) {
	t.Parallel()
	m, lists := screening(t)
	r := rand.New(rand.NewPCG(7, 1))
	draw := func(list string) string { return lists[list][r.IntN(len(lists[list]))] }
	several := func(list string) string {
		var out []string
		for _, c := range lists[list] {
			if r.IntN(4) == 0 {
				out = append(out, c)
			}
		}
		return strings.Join(out, " ")
	}
	ynu := append([]string{""}, lists["yes_no_unsure"]...)
	env := xform.Env{Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	tried, open, closed := 0, 0, 0
	for _, age := range []string{"", "0", "14", "17", "18", "40"} {
		for _, asylum := range ynu {
			for _, forced := range ynu {
				for _, home := range ynu {
					for _, risk := range ynu {
						tried++
						answers := map[string]string{
							"consent": "yes", "age": age, "asylum": asylum, "forced": forced, "go_home": home, "child_risk": risk, "child_with": draw("child_with"),
							"sex": draw("sex"), "health": draw("health"), "need": several("need"), "vulnerability": several("vulnerability"),
							"danger": draw("yes_no"), "violence": draw("yes_no_unsure"), "reach": draw("yes_no"), "papers": "yes", "share": "yes",
							"refer": "vhr protection", "consulate": "yes", // the enumerator tries to, all the same
						}
						got := xform.Computed(m, screened(m, answers), env)
						path := func(name string) string { return "/data/screen/result/" + name }
						proposed := strings.Fields(got["/data/screen/proposed"])
						years, err := strconv.Atoi(age)
						protected := err != nil || years < 18 || asylum != "no" || forced != "no"
						_, asked := got[path("consulate")]
						answers["return_open"] = got["/data/screen/return_open"] // as the phone computes it
						refused := false
						for _, f := range xform.Recheck(m, screened(m, answers), env) {
							refused = refused || f.Rule == "answer.constraint" && f.Path == path("refer")
						}
						switch {
						case protected && (slices.Contains(proposed, "vhr") || asked || !refused):
							t.Fatalf("%v: proposed %v, consulate asked %v, VHR refused %v", answers, proposed, asked, refused)
						case protected && !slices.Contains(proposed, "protection"):
							t.Fatalf("%v: protection is not proposed, but %v", answers, proposed)
						case !protected && (refused || !asked):
							t.Fatalf("%v: an adult with nothing against it is kept from going home", answers)
						case !protected && home == "yes" != slices.Contains(proposed, "vhr") && !strings.Contains(answers["need"], "return"):
							t.Fatalf("%v: proposed %v", answers, proposed)
						}
						if protected {
							closed++
						} else {
							open++
						}
					}
				}
			}
		}
	}
	t.Logf("%d sets of answers: %d shut the way home, %d do not", tried, closed, open)
	if open == 0 || closed == 0 {
		t.Error("one side was never tried")
	}
}

// TestScreeningProposes: what each answer leads to.
func TestScreeningProposes(t *testing.T) {
	t.Parallel()
	m, _ := screening(t)
	plain := map[string]string{"consent": "yes", "sex": "male", "age": "25", "nationality": "ETH", "health": "no", "need": "none", "reach": "yes",
		"danger": "no", "asylum": "no", "forced": "no", "violence": "no", "go_home": "no", "papers": "no", "share": "no"}
	for _, c := range []struct{ name, change, proposed, priority string }{
		{"nothing", "", "", "normal"},
		{"thirsty", "need=water", "direct_assistance", "normal"},
		{"sick", "health=soon", "health", "urgent"},
		{"an emergency far from help", "health=emergency reach=no", "health mrrm", "emergency"},
		{"hungry, far from help", "need=food reach=no", "direct_assistance mrrm", "normal"},
		{"wants home", "go_home=yes", "vhr", "normal"},
		{"asks for help to go home", "need=return go_home=unsure", "vhr", "normal"},
		{"needs a lift and does not want home", "need=return", "", "normal"},
		{"asylum", "asylum=yes go_home=yes need=return", "protection", "urgent"},
		{"held, not sure", "forced=unsure go_home=yes", "protection", "urgent"},
		{"beaten, wants home", "violence=yes go_home=yes", "protection vhr", "urgent"},
		{"a child with its parents", "age=9 child_with=parents child_risk=no go_home=yes", "protection", "urgent"},
		{"in danger", "danger=yes", "protection", "emergency"},
		{"no consent", "consent=no health=emergency go_home=yes", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]string{}
			for k, v := range plain {
				answers[k] = v
			}
			for _, x := range strings.Fields(c.change) {
				k, v, _ := strings.Cut(x, "=")
				answers[k] = v
			}
			got := xform.Computed(m, screened(m, answers), xform.Env{})
			if s := fmt.Sprint(got["/data/screen/proposed"], "|", got["/data/screen/priority"]); s != c.proposed+"|"+c.priority {
				t.Errorf("got %s, want %s|%s", s, c.proposed, c.priority)
			}
		})
	}
}
