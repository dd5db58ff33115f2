package warehousetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
)

// records adds the rows of a table of facts besides movements as lines.
func records(t testing.TB, r warehouse.Reader, table warehouse.Table, out *[]string) error {
	return r.Query(t.Context(), `SELECT `+strings.Join(table.Names(), ", ")+` FROM `+table.Name, nil, func(scan func(...any) error) error {
		values := make([]any, len(table.Columns)+1)
		dest := make([]any, len(values))
		for i := range values {
			dest[i] = &values[i]
		}
		err := scan(dest...)
		line := []string{table.Name}
		for _, v := range values[1:] {
			if at, ok := v.(time.Time); ok {
				v = at.UTC().Format(time.RFC3339)
			}
			line = append(line, fmt.Sprint(v))
		}
		*out = append(*out, strings.Join(line, "|"))
		return err
	})
}

// someFacts invents what forms besides the registry say.
func someFacts(r *rand.Rand, id string) dtm.Facts {
	day := time.Date(2022, time.Month(1+r.IntN(3)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var some []string
	for _, c := range []string{"a", "b", "c"} {
		if r.IntN(2) == 0 {
			some = append(some, c)
		}
	}
	where := dtm.Where{Point: pick("GATE", "ROAD", "PORT", ""), PointText: "Nowhere"}
	site := dtm.Where{Site: pick("The Wells", "the wells", "Old station"), Region: "AL01", Area: pick("AL0101", "AL0102")}
	switch r.IntN(4) {
	case 0:
		p := &dtm.Presence{Where: site, Observed: day, Counted: day.Add(time.Duration(r.IntN(20)) * time.Hour), Slot: "morning", Arrived: r.IntN(5) - 1, Left: dtm.NotRecorded}
		n := 0
		for _, sex := range []string{"male", "female", dtm.Unknown} {
			if k := r.IntN(9); k > 0 {
				n += k
				p.People = append(p.People, dtm.Present{Nationality: "BEL", Sex: sex, Age: pick("adults", "0_4"), People: k})
			}
		}
		return dtm.Facts{Presence: p, Need: &dtm.Need{Where: site, Observed: day, Subject: dtm.SubjectSite, People: n, Years: dtm.NotRecorded, Asked: []string{"a", "b", "c"}, Lacks: some}}
	case 1:
		return dtm.Facts{Interview: &dtm.Interview{Where: where, Source: id, Observed: day, Consent: pick("yes", "no"), Sex: pick("male", "female"), Years: r.IntN(40), Nationality: "BEL", Reasons: some, Difficulties: some}}
	case 2:
		return dtm.Facts{Incident: &dtm.Incident{Where: site, Observed: day, Kind: "flood", Affected: r.IntN(50), Dead: dtm.NotRecorded, Population: some}}
	}
	return dtm.Facts{Need: &dtm.Need{Where: where, Observed: day, Subject: dtm.SubjectPerson, People: 1, Years: r.IntN(40), Asked: []string{"a", "b", "c"}, Lacks: some, Proposed: some}}
}

// runRecords: facts besides movements follow the log as movements do: replaced,
// corrected and rejected, in pieces of any size, and moved when a point's role
// changes.
func runRecords(t *testing.T, open Open) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 5))
			log := NewLog()
			var ids []string
			want := map[string]dtm.Facts{}
			replaced := map[string]bool{}
			whole, parts := open(t, Operation()), open(t, Operation())
			step := log.Loader(Operation(), parts)
			for i := range 60 {
				id := fmt.Sprintf("r%d", i)
				replaces := ""
				if i > 3 && r.IntN(6) == 0 {
					replaces = ids[r.IntN(len(ids))]
				}
				f := someFacts(r, id)
				log.SubmitFacts(id, replaces, f)
				ids = append(ids, id)
				want[id] = f
				delete(want, replaces)
				replaced[replaces] = true
				if r.IntN(4) == 0 {
					MustCatchUp(t, step)
				}
				switch x := ids[r.IntN(len(ids))]; r.IntN(6) {
				case 0:
					log.Review(x, dtm.StateRejected)
					delete(want, x)
				case 1:
					f := someFacts(r, x)
					log.CorrectFacts(x, f)
					if !replaced[x] {
						want[x] = f
					}
				}
			}
			MustCatchUp(t, log.Loader(Operation(), whole))
			MustCatchUp(t, step)
			a, b := Facts(t, whole), Facts(t, parts)
			if d := cmp.Diff(a, b); d != "" {
				t.Errorf("in pieces the facts are others:\n%s", d)
			}
			count := map[string]int{}
			for _, line := range a {
				table, _, _ := strings.Cut(line, "|")
				count[table]++
			}
			expect := map[string]int{}
			for _, f := range want {
				for table, is := range map[string]bool{"site_count": f.Presence != nil, "interview": f.Interview != nil, "need": f.Need != nil, "incident": f.Incident != nil} {
					if is {
						expect[table]++
					}
				}
			}
			for _, table := range []string{"site_count", "interview", "need", "incident"} {
				if count[table] != expect[table] {
					t.Errorf("%d rows of %s, want %d", count[table], table, expect[table])
				}
			}
		})
	}
	t.Run("Role", func(t *testing.T) {
		t.Parallel()
		day := time.Date(2022, 3, 10, 0, 0, 0, 0, time.UTC)
		facts := dtm.Facts{Interview: &dtm.Interview{Where: dtm.Where{Point: "GATE"}, Observed: day, Years: 20}, Need: &dtm.Need{Where: dtm.Where{Point: "GATE"}, Observed: day, Subject: dtm.SubjectPerson, People: 1, Years: 20}}
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		log.SubmitFacts("a", "", facts)
		MustCatchUp(t, l)
		log.Change(dtm.PointChange{Kind: dtm.PointRoleSet, Point: "GATE", From: day, Role: dtm.RoleReturn})
		MustCatchUp(t, l)
		n := 0
		for _, line := range Facts(t, w) {
			if strings.HasPrefix(line, "interview|") || strings.HasPrefix(line, "need|") {
				n++
				if !slices.Contains(strings.Split(line, "|"), dtm.RoleReturn) {
					t.Errorf("the role is not the point's: %s", line)
				}
			}
		}
		if n != 2 {
			t.Errorf("%d facts, want 2", n)
		}
	})
}

// runInterviews: a respondent comes out as it went in.
func runInterviews(t *testing.T, open Open) {
	t.Parallel()
	op, log := Operation(), NewLog()
	w := open(t, op)
	day := time.Date(2022, 3, 10, 0, 0, 0, 0, time.UTC)
	want := []dtm.Interview{{
		Where: dtm.Where{Point: "GATE", Region: "AL01"}, Source: "a", Observed: day, Consent: "yes", Before: "no", Sex: "female", Years: 24, Nationality: "BEL",
		Marital: "single", Education: "none", Employment: "looking", Origin: "BEL", LeftWhen: "longer", Company: "others", CompanySize: 4, Reasons: []string{"conflict", "economic"},
		Transports: []string{"foot"}, PaidBy: []string{"savings"}, Next: "DNK", Final: "UNK", WhyFinal: []string{"jobs"}, Stay: "unknown", GoBack: "no",
		Difficulties: []string{"none"}, Information: []string{"jobs", "risks"}, KnowsHelp: "no", WantsHelp: "yes", Counted: "yes", CountedAt: "SHORE",
	}, {
		Where: dtm.Where{PointText: "Somewhere"}, Source: "b", Observed: day, Consent: "no", Years: dtm.NotRecorded, CompanySize: dtm.NotRecorded,
	}}
	for _, i := range want {
		log.SubmitFacts(i.Source, "", dtm.Facts{Interview: &i})
	}
	MustCatchUp(t, log.Loader(op, w))
	e, err := indicator.New(op, w)
	if err != nil {
		t.Fatal(err)
	}
	var got []dtm.Interview
	if err := e.Interviews(t.Context(), dtm.Months(dtm.MonthOf(day), dtm.MonthOf(day)), func(i dtm.Interview) error {
		got = append(got, i)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
