package stat

import (
	"math"
	"testing"
)

// The forecast package's optimiser stops before the summit; ours goes on. So the
// models are held against it twice: run with its parameters they give its digits,
// and fitted by us they are no less likely.
func TestETSOnAirPassengers(t *testing.T) {
	c, _ := air(t)
	y := c["air"]
	for _, k := range []struct {
		form                                 ETSForm
		alpha, beta, gamma, phi, level, rise float64
		season                               []float64 // s0, s-1, ... s-11
		aic, sigma2                          float64
		mean, lo, hi                         []float64
	}{
		{ETSForm{'M', 'A', true, 'M', 12}, 7.09551916208791e-01, 2.04089193322359e-02, 1.00468309718653e-04, 9.79999926683986e-01, 120.993935507203, 1.77054019711165,
			[]float64{0.894447475688874, 0.799322028291066, 0.921659598397272, 1.05920192983827, 1.22030069724042, 1.23179850716711, 1.11050018094692, 0.978612760760472, 0.980382073471814, 1.01103008804154, 0.886892287222608, 0.905852372933628},
			1395.16643247391, 0.00153407634959019,
			[]float64{441.801847278479, 434.118620068782, 496.630046776999}, []float64{407.886278423485, 392.899387561552, 441.571354579259}, []float64{475.717416133473, 475.337852576012, 551.688738974738}},
		{ETSForm{'M', 'A', false, 'M', 12}, 0.3949968504950142, 0.0107004419033437, 0.3995392024005587, 1, 122.375426016476, 1.10736658208357,
			[]float64{0.900041119946844, 0.782669107068064, 0.901368043868854, 1.04761776976081, 1.15370679906182, 1.18303140196783, 1.08399512146252, 0.978658898783285, 1.03316164257634, 1.08075690990109, 0.952247884186815, 0.902745301415738},
			1398.80723811561, 0.00158214813524167,
			[]float64{448.9737671674, 425.227817273056, 484.213711484926}, []float64{413.971785784617, 389.481422994287, 440.64617921443}, []float64{483.975748550184, 460.974211551825, 527.781243755422}},
	} {
		season := make([]float64, 12)
		for j := range season {
			season[j] = k.season[11-j]
		}
		m, err := RunETS(y, k.form, k.alpha, k.beta, k.gamma, k.phi, k.level, k.rise, season)
		if err != nil {
			t.Fatal(err)
		}
		near(t, k.form.String()+" AIC", m.AIC, k.aic, 10)
		near(t, k.form.String()+" variance", m.Sigma2, k.sigma2, 10)
		f := m.Forecast(3)
		// The package fits a damped trend with level + φ·slope and, where the season
		// multiplies, forecasts it with level + slope: a part in ten thousand.
		digits := 9
		if k.form.Damped {
			digits = 3
		}
		for i := range 3 {
			near(t, k.form.String()+" mean", f.Mean[i], k.mean[i], digits)
			near(t, k.form.String()+" lower", f.Lo95[i], k.lo[i], digits)
			near(t, k.form.String()+" upper", f.Hi95[i], k.hi[i], digits)
		}
		own, err := FitETS(y, k.form, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: alpha %.4f beta %.4f gamma %.4f phi %.3f AIC %.4f, R's %.4f", own.Form, own.Alpha, own.Beta, own.Gamma, own.Phi, own.AIC, k.aic)
		if own.AIC > k.aic+1e-6 {
			t.Errorf("%s: AIC %.4f, R found %.4f", own.Form, own.AIC, k.aic)
		}
	}
	// A form without seasons has one summit, found by both.
	m, err := FitETS(y, ETSForm{Error: 'A', Trend: 'N', Season: 'N'}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ANN alpha", m.Alpha, 0.9999, 4)
	near(t, "ANN AIC", m.AIC, 1733.7867552, 7)
	near(t, "ANN variance", m.Sigma2, 1144.46444818, 5)
}

func TestThetaAndHoltWintersOnAirPassengers(t *testing.T) {
	c, _ := air(t)
	f, err := Theta(c["air"], 12, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{440.078191081586, 428.384280556983, 489.707098669638} {
		near(t, "theta", f.Mean[i], want, 5)
	}
	near(t, "lower", f.Lo95[0], 418.996718569325, 5)
	near(t, "upper", f.Hi95[0], 461.159663593848, 5)
	h, err := FitHoltWinters(c["air"], 12, true)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "alpha", h.Alpha, 0.27559, 4)
	near(t, "beta", h.Beta, 0.03269, 3)
	near(t, "gamma", h.Gamma, 0.87073, 4)
	near(t, "SSE", h.SSE, 16570.7778669999, 7)
	if h.SSE > 16570.7778669999 {
		t.Errorf("SSE %v: R found less", h.SSE)
	}
}

// The exact moments of a model with multiplicative season agree with the additive
// formula when there is no season, and widths never shrink with the horizon by more
// than the season does.
func TestMomentsAgreeWithoutSeason(t *testing.T) {
	ones := []float64{1, 1, 1, 1}
	for _, damped := range []bool{false, true} {
		phi := 1.0
		if damped {
			phi = 0.9
		}
		m := &ETS{Form: ETSForm{'M', 'A', damped, 'M', 4}, Alpha: 0.3, Beta: 0.1, Phi: phi, Level: 100, Trend: 2, Season: ones, Sigma2: 0.01}
		n := &ETS{Form: ETSForm{'M', 'A', damped, 'N', 1}, Alpha: 0.3, Beta: 0.1, Phi: phi, Level: 100, Trend: 2, Sigma2: 0.01}
		a, b := m.Forecast(8), n.Forecast(8)
		for i := range a.Mean {
			if math.Abs(a.StandardErrs[i]-b.StandardErrs[i]) > 1e-9*b.StandardErrs[i] || a.Mean[i] != b.Mean[i] {
				t.Errorf("step %d: %v %v", i+1, a.StandardErrs[i], b.StandardErrs[i])
			}
		}
	}
}
