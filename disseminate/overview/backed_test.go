package overview_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/overview"
)

// TestBacked: over the published history, in every language, each number in the
// sentences is a published figure; a sentence with another number is found.
func TestBacked(t *testing.T) {
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
	ctx := context.Background()
	digits := regexp.MustCompile(`\d+`)
	sentences, altered := 0, 0
	for m := month(t, "2018-02"); m.Before(month(t, "2023-01")); m = m.Add(5) {
		tables, err := release.Tables(ctx, fig, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			record := overview.NewRecord(fig)
			o := build(t, record, op, overview.Filter{From: m, To: m}, l)
			all := append(slices.Clone(tables), record.Of("panel_movements")...)
			for _, s := range overview.Unbacked(o, op, all) {
				t.Errorf("%s %s: no published figure says %q (%v)", m, l, s.Text, s.Indicators)
			}
			sentences += len(o.Narrative)
			for i, s := range o.Narrative {
				if s.Topic != overview.HowMany {
					continue
				}
				// 7 more than the last number of the sentence, which is not of a year.
				at := digits.FindAllStringIndex(s.Text, -1)
				last := at[len(at)-1]
				n, err := strconv.Atoi(s.Text[last[0]:last[1]])
				if err != nil {
					t.Fatal(err)
				}
				other := *o
				other.Narrative = slices.Clone(o.Narrative)
				other.Narrative[i].Text = s.Text[:last[0]] + strconv.Itoa(n+7) + s.Text[last[1]:]
				altered++
				if len(overview.Unbacked(&other, op, all)) != 1 {
					t.Errorf("%s %s: %q was not found", m, l, other.Narrative[i].Text)
				}
			}
		}
	}
	if sentences < 300 || altered < 80 {
		t.Errorf("%d sentences, %d altered ones", sentences, altered)
	}
}
