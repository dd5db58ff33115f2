package stat

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// The numbers in these tests are of R 4.2.2 with surveillance 1.20.3, forecast 8.20
// and survey 4.1-1, or of the papers named. The series themselves ship with those
// packages and stay outside the repository.

// outside opens a file of the folder shared/data beside the project; the test is
// skipped where there is none, other than in CI.
func outside(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		if f := filepath.Join(d, "shared", "data", name); exists(f) {
			return f
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("shared/data is not beside the project")
	}
	t.Skip("shared/data is not beside the project")
	return ""
}

func exists(f string) bool { _, err := os.Stat(f); return err == nil }

// columns reads a CSV file; NA is NaN. Columns of text are in the second map.
func columns(t *testing.T, name string) (map[string][]float64, map[string][]string) {
	t.Helper()
	f, err := os.Open(outside(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	nums, texts := map[string][]float64{}, map[string][]string{}
	for k, h := range rows[0] {
		for _, r := range rows[1:] {
			v, err := strconv.ParseFloat(r[k], 64)
			if err != nil {
				v = math.NaN()
			}
			nums[h] = append(nums[h], v)
			texts[h] = append(texts[h], r[k])
		}
	}
	return nums, texts
}

// near compares to the given number of significant digits.
func near(t *testing.T, what string, got, want float64, digits int) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 0.5000001*math.Pow(10, math.Floor(math.Log10(math.Max(math.Abs(want), 1e-12)))-float64(digits)+1) {
		t.Errorf("%s = %.12g, want %.12g to %d digits", what, got, want, digits)
	}
}

func alarmsEqual(t *testing.T, what string, got []bool, want []float64) {
	t.Helper()
	n := 0
	for i := range got {
		if got[i] != (want[i] == 1) {
			t.Errorf("%s: step %d: alarm %v, want %v", what, i+1, got[i], want[i])
		}
		if got[i] {
			n++
		}
	}
	if n == 0 {
		t.Logf("%s: no alarm", what)
	}
}

func agona(t *testing.T) map[string][]float64 {
	c, _ := columns(t, "stats/salmonella_agona_surveillance_1.20.3.csv")
	sum := 0.0
	for _, v := range c["observed"] {
		sum += v
	}
	if len(c["observed"]) != 312 || sum != 897 {
		t.Fatalf("%d weeks, %v cases", len(c["observed"]), sum)
	}
	return c
}

func TestEARSOnSalmonellaAgona(t *testing.T) {
	c := agona(t)
	for m, name := range map[EARSMethod]string{C1: "C1", C2: "C2", C3: "C3"} {
		b, err := EARS(c["observed"], m, 0.001)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c[name+"_upper"] {
			if !math.IsNaN(want) {
				near(t, name+" U"+strconv.Itoa(i+1), b.Upper[i], want, 12)
			} else {
				b.Alarm[i] = false // R was asked from week 10 on
			}
		}
		alarmsEqual(t, name, b.Alarm, c[name+"_alarm"])
	}
}

func TestCUSUMOnSalmonellaAgona(t *testing.T) {
	c := agona(t)
	b, s, err := CUSUM(c["observed"], 208, 1.04, 2.26)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range c["cusum"] {
		if !math.IsNaN(want) {
			near(t, "S"+strconv.Itoa(i+1), s[i], want, 12)
		}
	}
	alarmsEqual(t, "CUSUM", b.Alarm, c["cusum_alarm"])
}

func TestFarringtonOnSalmonellaAgona(t *testing.T) {
	c := agona(t)
	o := OriginalFarrington()
	o.Years, o.Alpha, o.MinCases, o.RelativeError = 4, 0.05, 0, true
	b, err := Farrington(c["observed"], 260, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := 260; i < 312; i++ {
		near(t, "U"+strconv.Itoa(i+1), b.Upper[i], c["farr_orig_upper"][i], 8)
	}
	alarmsEqual(t, "Farrington", b.Alarm, c["farr_orig_alarm"])
}

func TestFlexibleFarringtonOnSalmonellaAgona(t *testing.T) {
	c := agona(t)
	expected := []float64{3.02170534929, 2.75901938154, 2.45091909622, 2.66221234471, 2.18125661637, 2.10532159333, 1.91816066559, 1.67391610411, 1.66590117153, 1.5771497588, 1.60201692767, 1.73672425619}
	for _, k := range []struct {
		name  string
		bound Threshold
		set   func(*FarringtonOptions)
		mean  []float64
		upper []float64
	}{
		{"negative binomial", NegativeBinomial, nil, expected, []float64{10, 10, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7}},
		{"of the mean's interval", NegativeBinomialMean, nil, expected, []float64{11, 11, 11, 11, 10, 10, 9, 9, 9, 8, 8, 9}},
		{"2/3", TwoThirds, nil, expected, []float64{9.65806614349, 9.44808153601, 8.9107833281, 9.03516429632, 8.10539975035, 7.9340755065, 7.60705505509, 7.19272297126, 7.11410989992, 6.7453400477, 6.59742072809, 7.02153077936}},
		{"one season", TwoThirds, func(o *FarringtonOptions) { o.Seasons = 1 },
			[]float64{3.35329377112, 2.66190440965, 2.81632682102, 2.34276541946, 1.77040616043, 1.56205908973, 1.60022500172, 1.94128184011, 2.17281229591, 1.9650908582, 3.29506693544, 4.58813006917},
			[]float64{9.28526521771, 8.30755871379, 8.8440670983, 8.22760309879, 7.16138064232, 6.81914443614, 7.1131697102, 8.72735872979, 9.61617443801, 8.57380582236, 10.9593783162, 13.645320863}},
		{"weights above 1", TwoThirds, func(o *FarringtonOptions) { o.Reweight, o.Alpha = 1, 0.05 },
			[]float64{3.08107791792, 2.99037209573, 2.74275190529, 2.53689735684, 2.04791758793, 2.01213518968, 1.8684031874, 1.57627924794, 1.44733251085, 1.42873544752, 1.36442137393, 1.53635940528},
			[]float64{7.13988889209, 7.10039303128, 6.7097243401, 6.32841667365, 5.45656063607, 5.37907406736, 5.20042154567, 4.69043702136, 4.45265068322, 4.32460807308, 4.15452041159, 4.56863294357}},
	} {
		o := FlexibleFarrington()
		o.Bound, o.RelativeError = k.bound, true
		if k.set != nil {
			k.set(&o)
		}
		b, err := Farrington(c["observed"], 300, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range k.mean {
			near(t, k.name+" mean "+strconv.Itoa(i+301), b.Expected[i+300], k.mean[i], 7)
			near(t, k.name+" U"+strconv.Itoa(i+301), b.Upper[i+300], k.upper[i], 7)
		}
	}
}
