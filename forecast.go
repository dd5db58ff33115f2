package dtm

import (
	"context"
	"time"
)

// ForecastsKept is the event of forecasts that were archived. The subject is the step
// and the first day looked ahead to: "month/2026-12-01".
const ForecastsKept = "forecast.kept"

// Forecast is what was expected of a step to come, as it was published.
type Forecast struct {
	Step    string    // "week" or "month"
	By      string    // "", "point", "route"
	Key     string    // code
	Origin  time.Time // first day of the first step looked ahead to: nothing from then on was known
	Target  time.Time // first day of the step that it is about
	Ahead   int       // 1 for the first step
	Made    time.Time
	Release string // state of the data that it was made from
	Model   string
	Form    string // of the model

	Mean, Lo80, Hi80, Lo95, Hi95 float64
}

// Forecasts is the archive: nothing in it changes.
type Forecasts interface {
	// KeepForecasts keeps forecasts; those of a step, series and origin that has some
	// already are passed over. It gives how many were kept.
	KeepForecasts(ctx context.Context, list []Forecast) (int, error)
	// Forecasts lists those of a step, the latest origin first, then by series and target.
	Forecasts(ctx context.Context, step string) ([]Forecast, error)
}
