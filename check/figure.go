package check

import (
	"cmp"
	"slices"

	"dtm"
)

// Figure is what a device, which is an enumerator or a team, has done in a period. It
// is for support: where a visit, training or another shift would help.
type Figure struct {
	Device   string
	Records  int
	People   int
	Complete float64 // share of records with sex, age, where from and where to of everybody
	Flagged  int     // records with a flag that nobody has dismissed
	Seconds  float64 // median from opening to closing the form; 0: not known
}

// FlaggedShare is the share of records that are flagged.
func (f Figure) FlaggedShare() float64 {
	if f.Records == 0 {
		return 0
	}
	return float64(f.Flagged) / float64(f.Records)
}

// Figures adds up the records of each device, by device, and gives the team's medians,
// which single numbers do not move. flagged counts each device's flagged records.
func Figures(records []*Record, flagged map[string]int) (list []Figure, team Figure) {
	by := map[string]*Figure{}
	complete, took := map[string]int{}, map[string][]float64{}
	for _, x := range records {
		if x.Device == "" || x.monthly() {
			continue
		}
		f := by[x.Device]
		if f == nil {
			f = &Figure{Device: x.Device, Flagged: flagged[x.Device]}
			by[x.Device] = f
		}
		f.Records++
		f.People += x.people()
		if x.unknown() == 0 && !slices.ContainsFunc(x.Rows, func(m dtm.Movement) bool { return m.Previous == "" || m.Next == "" }) {
			complete[x.Device]++
		}
		if s := x.End.Sub(x.Start).Seconds(); !x.Start.IsZero() && s > 0 {
			took[x.Device] = append(took[x.Device], s)
		}
	}
	var all, share, fl, sec, people []float64
	for d, f := range by {
		f.Complete = float64(complete[d]) / float64(f.Records)
		if len(took[d]) > 0 {
			f.Seconds = median(took[d])
			sec = append(sec, f.Seconds)
		}
		list = append(list, *f)
		all, people = append(all, float64(f.Records)), append(people, float64(f.People))
		share, fl = append(share, f.Complete), append(fl, float64(f.Flagged))
	}
	slices.SortFunc(list, func(a, b Figure) int { return cmp.Compare(a.Device, b.Device) })
	if len(list) > 0 {
		team = Figure{Records: int(median(all)), People: int(median(people)), Complete: median(share), Flagged: int(median(fl))}
		if len(sec) > 0 {
			team.Seconds = median(sec)
		}
	}
	return list, team
}
