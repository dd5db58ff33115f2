package opendata

import (
	"net/http"

	"dtm"
)

// definition is an indicator as it is published.
type definition struct {
	ID          string   `json:"id"`
	Name        dtm.Text `json:"name"`
	Definition  dtm.Text `json:"definition"`
	Formula     string   `json:"formula,omitempty"`
	Unit        string   `json:"unit"`
	Denominator dtm.Text `json:"denominator,omitempty"`
	Missing     dtm.Text `json:"missing,omitempty"`
	Source      string   `json:"source,omitempty"`
	Decimals    int      `json:"decimals"`
	By          []string `json:"by"` // what a table of it may be split by here
	Default     []string `json:"default,omitempty"`
	Figures     string   `json:"figures"`
}

func define(i dtm.Indicator) definition {
	return definition{i.ID, i.Name, i.Definition, i.Formula.In(dtm.English), i.Unit, i.Denominator, i.Missing, i.Source.In(dtm.English), i.Decimals, splits(i), i.Default, "/api/v1/indicators/" + i.ID + "/figures.json"}
}

func (a *API) indicators(w http.ResponseWriter, r *http.Request) error {
	release, err := a.Figures.Release(r.Context())
	if err != nil {
		return err
	}
	list := []definition{}
	for _, i := range a.Figures.Catalogue() {
		list = append(list, define(i))
	}
	return a.json(w, r, release, map[string]any{"indicators": list})
}

// one is the indicator of the address. Cells named after a colon are added up,
// which would get round the guard: here there are none.
func (a *API) one(r *http.Request) (dtm.Indicator, error) { return a.indicatorOf(r.PathValue("id")) }

func (a *API) indicatorOf(id string) (dtm.Indicator, error) {
	i, err := a.Figures.Indicator(id)
	if err == nil && i.ID != id {
		err = dtm.Errorf(dtm.NotFound, "there is no indicator %q; /api/v1/indicators lists them all", id).Coded("indicator.unknown", id)
	}
	return i, err
}

func (a *API) indicator(w http.ResponseWriter, r *http.Request) error {
	i, err := a.one(r)
	if err != nil {
		return err
	}
	release, err := a.Figures.Release(r.Context())
	if err != nil {
		return err
	}
	return a.json(w, r, release, define(i))
}
