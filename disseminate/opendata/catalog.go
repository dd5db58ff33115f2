package opendata

import (
	"encoding/json"
	"net/http"
	"time"

	"dtm"
)

// Catalog describes the datasets for search engines and data portals: a DCAT catalogue
// whose datasets are schema.org's too. base is the address of the site, "" to leave
// addresses relative.
func (a *API) Catalog(span dtm.Period, release dtm.Release, base string) ([]byte, error) {
	var list []object
	for _, d := range datasets {
		list = append(list, a.describeDataset(d, span, release, base))
	}
	b, err := json.MarshalIndent(object{
		"@context": object{"@vocab": "https://schema.org/", "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
		"@type":    []string{"DataCatalog", "dcat:Catalog"},
		"name":     a.Operation.Title.In(dtm.English),
		"url":      base + "/api/v1/",
		"dataset":  list,
	}, "", " ")
	return append(b, '\n'), err
}

func (a *API) describeDataset(d dataset, span dtm.Period, release dtm.Release, base string) object {
	var files []object
	for _, f := range d.formats() {
		files = append(files, object{"@type": []string{"DataDownload", "dcat:Distribution"}, "encodingFormat": mediaOf(f), "contentUrl": base + "/api/v1/" + d.id + "." + f})
	}
	var measured []object
	for _, c := range d.columns {
		measured = append(measured, object{"@type": "PropertyValue", "name": c.name, "description": c.text, "propertyID": c.hxl})
	}
	out := object{
		"@type": []string{"Dataset", "dcat:Dataset"}, "@id": base + "/api/v1/" + d.id + ".json",
		"name": a.Operation.Name.In(dtm.English) + ": " + d.title, "description": d.text, "identifier": a.Operation.Code + "-" + d.id,
		"creator":         object{"@type": "Organization", "name": a.Operation.Source.In(dtm.English), "email": a.Operation.Contact},
		"spatialCoverage": object{"@type": "Country", "name": a.Operation.Name.In(dtm.English), "identifier": a.Operation.Country},
		"version":         release.ID(), "isAccessibleForFree": true, "distribution": files, "variableMeasured": measured,
		"inLanguage": a.Operation.Languages,
	}
	if !release.At.IsZero() {
		out["dateModified"] = release.At.UTC().Format(time.RFC3339)
	}
	if d.filtered && !span.From.IsZero() {
		out["temporalCoverage"] = span.From.Format(time.DateOnly) + "/" + span.To.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	if a.Operation.Synthetic {
		out["description"] = d.text + " Demonstration: all figures are synthetic."
	}
	return out
}

func (a *API) catalog(w http.ResponseWriter, r *http.Request) error {
	span, err := a.Figures.Span(r.Context())
	if err != nil {
		return err
	}
	release, err := a.Figures.Release(r.Context())
	if err != nil {
		return err
	}
	b, err := a.Catalog(span, release, "")
	if err != nil {
		return err
	}
	return send(w, r, "application/ld+json", b)
}
