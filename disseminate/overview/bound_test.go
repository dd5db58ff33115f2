package overview_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/overview"
)

func binder(t *testing.T, fig dtm.Figures, op *dtm.Operation, m dtm.Month, l dtm.Lang) (*overview.Overview, *overview.Binder) {
	t.Helper()
	record := overview.NewRecord(fig)
	o := build(t, record, op, overview.Filter{From: m, To: m}, l)
	tables, err := release.Tables(context.Background(), fig, m)
	if err != nil {
		t.Fatal(err)
	}
	return o, &overview.Binder{Teller: overview.Teller{Op: op, Lang: l, When: o.When}, Month: m, Tables: append(tables, record.All()...)}
}

// TestBound: over the published history every sentence has its figures in places; filled,
// the places give the sentence; its own words have no fault, and a typed figure that is
// another one has.
func TestBound(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", "DJI_dmg_2018_2022.csv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("real material is missing: ", err)
	}
	fig := figures(t, op, b)
	bound, altered := 0, 0
	for _, m := range []dtm.Month{month(t, "2019-03"), month(t, "2022-12")} {
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			o, binder := binder(t, fig, op, m, l)
			for _, s := range o.Narrative {
				x := binder.Bind("x/1", "", s.Text, s.Indicators)
				if got := x.Fill(x.Base); got != s.Text {
					t.Errorf("%s %s: %q filled is %q, not %q", m, l, x.Base, got, s.Text)
				}
				for _, words := range []string{x.Base, x.Text} {
					if f := x.Check(words); len(f) > 0 {
						t.Errorf("%s %s: %q: %+v", m, l, words, f)
					}
				}
				for _, f := range x.Figures {
					bound++
					if f.Name == "" {
						t.Errorf("%s %s: %s of %q has no name", m, l, f.Mark, x.Base)
					}
					typed := strings.Replace(x.Base, f.Mark, "987654", 1)
					got := x.Check(typed)
					if len(got) != 1 || got[0].Kind != overview.Differs || got[0].Number != "987654" || got[0].Value == "" {
						t.Errorf("%s %s: %q: %+v", m, l, typed, got)
					}
					altered++
				}
			}
		}
	}
	if bound < 60 || altered != bound {
		t.Errorf("%d figures in places, %d altered: this proves little", bound, altered)
	}
}

// TestBoundSaysWhich: a typed number is held against the figure of what the words name,
// and one of what guard withholds is told.
func TestBoundSaysWhich(t *testing.T) {
	t.Parallel()
	point := dtm.Indicator{ID: "total_movements", Name: dtm.Text{"en": "Movements observed", "fr": "Mouvements observés", "ar": "التحركات"}, Unit: "movements"}
	v := func(f float64) *float64 { return &f }
	op := djibouti(t)
	b := &overview.Binder{Teller: overview.Teller{Op: op, Lang: dtm.English}, Month: month(t, "2022-12"), Tables: []dtm.Table{
		{Indicator: point, Figures: []dtm.Figure{{Value: v(19156)}}},
		{Indicator: point, Query: dtm.Query{By: []string{"point"}}, By: []string{"point"}, Figures: []dtm.Figure{{Keys: []string{"obock"}, Value: v(12345)}, {Keys: []string{"galafi"}, Suppressed: true}}},
	}}
	s := b.Bind("how_many/1", "How many", "In December 2022, 19,156 movements were observed.", []string{"total_movements"})
	if s.Base != "In December 2022, {1} movements were observed." || s.Figures[0].Name != "Movements observed" {
		t.Fatalf("bound: %+v", s)
	}
	for _, c := range []struct {
		words string
		want  []overview.Finding
	}{
		{"{1} movements, of them 12,345 at Obock, in 2021 too.", nil},
		{"19,156 movements.", nil},
		{"19,165 movements.", []overview.Finding{{Kind: overview.Differs, Number: "19,165", Name: "Movements observed", Value: "19,156"}}},
		{"12,346 at Obock.", []overview.Finding{{Kind: overview.Differs, Number: "12,346", Name: "Movements observed · Obock", Value: "12,345"}}},
		{"12,345 in all.", []overview.Finding{{Kind: overview.Differs, Number: "12,345", Name: "Movements observed", Value: "19,156"}}}, // Obock's, unsaid
		{"{1}, and 7 at Galafi.", []overview.Finding{{Kind: overview.Kept, Number: "7", Name: "Movements observed · Galafi"}}},
		{"{2} movements.", []overview.Finding{{Kind: overview.NoMark, Number: "{2}"}}},
	} {
		if got := s.Check(c.words); !slices.Equal(got, c.want) {
			t.Errorf("%q: %+v, want %+v", c.words, got, c.want)
		}
	}
	if got := s.Fill("{1} movements ({2})."); got != "19,156 movements ({2})." {
		t.Errorf("filled: %q", got)
	}
	if got := overview.Typeset(dtm.French, " 12 345 à Obock :\r\n« 5 % » ; 3 h "); got != "12\u202f345 à Obock\u202f: «\u202f5\u202f%\u202f»\u202f; 3 h" {
		t.Errorf("set: %q", got)
	}
}

// TestBoundEqual: of two equal figures each place is named after what stands at it.
func TestBoundEqual(t *testing.T) {
	t.Parallel()
	v := func(f float64) *float64 { return &f }
	op := djibouti(t)
	shares := dtm.Indicator{ID: "destination_share_pct", Name: dtm.Text{"en": "Share by destination"}, Unit: "percent"}
	b := &overview.Binder{Teller: overview.Teller{Op: op, Lang: dtm.English}, Month: month(t, "2022-12"), Tables: []dtm.Table{
		{Indicator: shares, Query: dtm.Query{By: []string{"next"}}, By: []string{"next"}, Figures: []dtm.Figure{{Keys: []string{"DJI"}, Value: v(3)}, {Keys: []string{"SOM"}, Value: v(3)}, {Keys: []string{"SAU"}, Value: v(91)}, {Keys: []string{"ETH"}, Value: v(3)}}},
	}}
	for text, want := range map[string][]string{
		"Destinations: Saudi Arabia 91%, Somalia 3%, Ethiopia 3%, Djibouti 3%.":            {"Saudi Arabia", "Somalia", "Ethiopia", "Djibouti"},
		"91% went to Saudi Arabia, 3% to Somalia, 3% to Djibouti and 3% back to Ethiopia.": {"Saudi Arabia", "Somalia", "Djibouti", "Ethiopia"},
		"Of all, 3% are bound for Ethiopia.":                                               {"Ethiopia"},
	} {
		s := b.Bind("where/1", "Where", text, []string{shares.ID})
		var got []string
		for _, f := range s.Figures {
			_, of, _ := strings.Cut(f.Name, " · ")
			got = append(got, of)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestCarry: words go over to a sentence in which the figures stand in another order, and
// not to one that lacks one of them.
func TestCarry(t *testing.T) {
	t.Parallel()
	figures := func(names ...string) (b overview.Bound) {
		for i, n := range names {
			b.Figures = append(b.Figures, overview.BoundFigure{Mark: "{" + strconv.Itoa(i+1) + "}", Name: n})
		}
		return b
	}
	was := figures("all", "Obock", "Galafi", "all")
	for _, c := range []struct {
		words string
		now   overview.Bound
		want  string
		ok    bool
	}{
		{"{1}, at Obock {2}, Galafi {3}.", figures("all", "Galafi", "Obock"), "{1}, at Obock {3}, Galafi {2}.", true},
		{"{1}, at Galafi {3}.", figures("all", "Obock"), "", false},
		{"Then {4}, now {1}.", figures("all", "all"), "Then {2}, now {1}.", true},
		{"Then {4}.", figures("all"), "", false},
		{"No figure.", figures(), "No figure.", true},
		{"{9}", figures("all"), "", false},
	} {
		got, ok := c.now.Carry(was, c.words)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %q, %v", c.words, got, ok)
		}
	}
}
