// Package web serves the pages: guarded figures come in through contracts, HTML,
// CSS, charts and tables go out, complete without JavaScript. Behind sign-in are
// those of the staff: submissions, forms, devices, users and the log.
package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/serve"
)

// Options are what the pages need.
type Options struct {
	Operation *dtm.Operation
	Figures   dtm.Figures // guarded: the pages show what they are given
	// Report gives the PDF of a report of the release that is asked for, or made of what
	// dtm.Sources gives for it; nil: there is none to link to.
	Report func(ctx context.Context, asked string, r dtm.Report, lang dtm.Lang) ([]byte, error)
	// Picture paints a drawing (SVG) as PNG; nil: there are no pictures.
	Picture func(ctx context.Context, svg []byte) ([]byte, error)
	// Datasets are the open data with their catalogue as JSON-LD; nil: there are none.
	Datasets func(ctx context.Context) ([]Dataset, []byte, error)
	// Releases answers from frozen months; nil: all figures are provisional.
	Releases Releases
	// Editor lets writers put the sentences of a release's reports into other words; nil:
	// they stay as generated.
	Editor Editor
	// Alerts are those that people confirmed; nil: there are none.
	Alerts dtm.Alerts
	// Forecasts is the archive of forecasts from guarded figures; nil: there is none.
	Forecasts dtm.Forecasts
	// Outsides are counts that others made, shown beside ours; nil: there are none.
	Outsides dtm.Outsides
	// Late tells how late records come, for what is still expected of a running month;
	// nil: nothing is said of it.
	Late func(ctx context.Context, p dtm.Period) ([]dtm.Arrived, error)
	// QueryText is the SELECT an indicator is computed with, Word the name of a
	// dimension; nil: the definitions do without.
	QueryText func(id string) (string, error)
	Word      func(code string, l dtm.Lang) string
	Now       func() time.Time
	// State names what the public pages rest on in store and warehouse, for keeping whole
	// pages while it is the same; nil: each is made anew.
	State func(context.Context) (string, error)
	// Patience is how long a reader waits for what takes long and was never computed; 0:
	// some seconds. Go runs what is computed beside the requests, until the program ends;
	// nil: a goroutine does.
	Patience time.Duration
	Go       func(func(context.Context))
	// Staff opens the pages behind sign-in; nil: there are none.
	Staff *Staff
}

// Pages are the public pages.
type Pages struct {
	Options
	bases   maps.Bases
	assets  assets
	views   views
	langs   []dtm.Lang
	started time.Time

	kept     *serve.Kept // nil: pages are made anew
	ahead    ahead
	watching watching
	coming   coming
	trials   trials
}

// New prepares templates, assets and the map. Its error is of the pack's
// boundaries or of a template.
func New(o Options) (*Pages, error) {
	p := &Pages{Options: o, started: o.Now()}
	var err error
	if _, err = p.bases.Of(o.Operation); err != nil {
		return nil, err
	}
	if p.assets, err = readAssets(); err != nil {
		return nil, err
	}
	p.langs = offered(o.Operation)
	if o.State != nil {
		p.kept = serve.Keep(p.state, o.Now)
	}
	p.views, err = p.parse()
	return p, err
}

// state names what public pages rest on: the data, what was computed of them ahead, the day.
func (p *Pages) state(ctx context.Context) (string, error) {
	s, err := p.Options.State(ctx)
	return fmt.Sprintf("%s %d %s", s, p.ahead.made.Load(), p.Now().In(p.Operation.Zone).Format(time.DateOnly)), err
}

// ground is the map of the areas as they are now; nil when there is none. What is in
// use was parsed before it was taken into use.
func (p *Pages) ground() *maps.Base {
	b, _ := p.bases.Of(p.Operation)
	return b
}

// Handler answers requests for pages, data and assets.
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	p.routes(mux)
	return mux
}
