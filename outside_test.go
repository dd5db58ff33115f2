package dtm_test

import (
	"strings"
	"testing"
	"time"

	"dtm"
)

func TestReadOutside(t *testing.T) {
	list, faults, err := dtm.ReadOutside("a.csv", strings.NewReader("\ufeffMonth,Place,Arrivals,Source\n2020-07,Al-Aarah,257,report\n2020-08, Al-Aarah ,\"1,130\",report\n2020-08,,900,report\n2020-13,x,1,report\n2020-09,x,many,report\n2020-09,x,-1,report\n2020-09,x,3,\n"), "far_shore")
	if err != nil || len(list) != 3 || len(faults) != 4 {
		t.Fatalf("%d counts, %v, %v", len(list), faults, err)
	}
	if !strings.Contains(faults[0].Error(), "a.csv:5") {
		t.Errorf("the fault does not say where: %v", faults[0])
	}
	if x := list[1]; x.Place != "Al-Aarah" || x.People != 1130 || x.Series != "far_shore" || x.Month.Month != time.August {
		t.Errorf("%+v", x)
	}
	months := dtm.OutsideMonths(list, "far_shore")
	if len(months) != 2 || months[0].People != 257 || months[0].Places != 1 || months[1].People != 900 || months[1].Places != 0 {
		t.Errorf("the whole of a month is not the sum of its parts and itself: %+v", months)
	}
	if !(dtm.OutsideMonth{People: 9}).Small(10) || (dtm.OutsideMonth{People: 10}).Small(10) || (dtm.OutsideMonth{}).Small(10) {
		t.Error("small counts are 1 to 9")
	}
	if _, _, err = dtm.ReadOutside("a.csv", strings.NewReader("month,people\n2020-07,1\n"), "x"); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("a file without sources: %v", err)
	}
	if _, faults, _ = dtm.ReadOutside("a.csv", strings.NewReader("month,people,source\n2020-07,1,x\n"), ""); len(faults) != 1 {
		t.Error("a row of no series was taken")
	}
}

func FuzzReadOutside(f *testing.F) {
	f.Add("month,people,source\n2020-07,1,x\n")
	f.Add("month,place,series,people,source\n2020-07,\"a\nb\",s,\"1,0\",x\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _, err := dtm.ReadOutside("f", strings.NewReader(text), "s")
		if err != nil {
			return
		}
		for _, x := range list {
			if x.People < 0 || x.Series == "" || x.Source == "" || x.Month.IsZero() {
				t.Errorf("%+v", x)
			}
		}
	})
}
