package opendata_test

import (
	"encoding/json"
	"net/url"
	"testing"
)

type counted struct {
	IsSuccess     *bool            `json:"isSuccess"`
	Result        []map[string]any `json:"result"`
	ErrorMessages []string         `json:"errorMessages"`
}

// TestDTMAPI reads people present as the clients of the DTM API do: the list of
// countries leads to the counts, each with every field that the collector of the
// Humanitarian Data Exchange writes on, the operation's status among them.
func TestDTMAPI(t *testing.T) {
	t.Parallel()
	s := server(t)
	ask := func(list string, status int, kv ...string) counted {
		t.Helper()
		q := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			q.Add(kv[i], kv[i+1])
		}
		resp, body := get(t, s.URL+"/v3/displacement/"+list+"?"+q.Encode(), "Ocp-Apim-Subscription-Key", "any")
		var out counted
		if err := json.Unmarshal([]byte(body), &out); err != nil || resp.StatusCode != status || out.IsSuccess == nil || *out.IsSuccess != (status == 200) || *out.IsSuccess == (len(out.ErrorMessages) > 0) || out.Result == nil {
			t.Fatalf("%s %v: %s %s", list, kv, resp.Status, body)
		}
		return out
	}
	status := map[any]map[any]any{}
	for _, o := range ask("operation-list", 200).Result {
		status[o["admin0Pcode"]] = map[any]any{o["operation"]: o["operationStatus"]}
	}
	countries := ask("country-list", 200).Result
	if len(countries) != 1 || countries[0]["admin0Pcode"] != "DJI" || countries[0]["admin0Name"] != "Djibouti" {
		t.Fatalf("%v", countries)
	}
	fields := []string{"id", "operation", "admin0Name", "admin0Pcode", "admin1Name", "admin1Pcode", "admin2Name", "admin2Pcode", "numPresentIdpInd", "reportingDate", "yearReportingDate", "monthReportingDate",
		"roundNumber", "displacementReason", "numberMales", "numberFemales", "idpOriginAdmin1Name", "idpOriginAdmin1Pcode", "assessmentType"}
	ids := map[any]bool{}
	for list, want := range map[string]int{"admin0": 1, "admin1": 1, "admin2": 0} {
		rows := ask(list, 200, "Admin0Pcode", "DJI").Result
		if len(rows) != want {
			t.Errorf("%s has %d counts, want %d: %v", list, len(rows), want, rows)
		}
		people := map[string]float64{"admin0": 104, "admin1": 60}[list]
		for _, r := range rows {
			for _, f := range fields {
				if _, ok := r[f]; !ok {
					t.Errorf("%s has no %s: %v", list, f, r)
				}
			}
			if ids[r["id"]] || status["DJI"][r["operation"]] != "Active" || r["numPresentIdpInd"] != people || r["reportingDate"] != "2022-12-31T00:00:00" || r["roundNumber"] != 202212.0 {
				t.Errorf("%s: %v", list, r)
			}
			ids[r["id"]] = true
			if p := r["admin1Pcode"]; list == "admin0" && p != nil || list == "admin1" && p != "DJ01" {
				t.Errorf("%s: region %v", list, p)
			}
		}
	}
	for want, q := range map[string][]string{
		"country": {"CountryName", "djibouti"}, "round": {"Admin0Pcode", "DJI", "FromRoundNumber", "0", "ToRoundNumber", "0"}, "days": {"Admin0Pcode", "DJI", "FromReportingDate", "2022-12-01", "ToReportingDate", "2022-12-31"}, "more": {"Admin0Pcode", "DJI", "Other", "x"},
	} {
		if n := len(ask("admin0", 200, q...).Result); n != 1 {
			t.Errorf("%s: %d counts", want, n)
		}
	}
	for what, q := range map[string][]string{"another country": {"Admin0Pcode", "SDN"}, "later": {"Admin0Pcode", "DJI", "FromReportingDate", "2023-01-01"}, "earlier": {"Admin0Pcode", "DJI", "ToRoundNumber", "202211"}, "another region": {"Admin0Pcode", "DJI", "Admin1Pcode", "DJ05"}} {
		if n := len(ask("admin1", 200, q...).Result); n != 0 {
			t.Errorf("%s: %d counts", what, n)
		}
	}
	ask("admin0", 400)
	ask("admin0", 400, "Admin0Pcode", "DJI", "FromReportingDate", "31/12/2022")
	ask("admin0", 400, "Admin0Pcode", "DJI", "FromRoundNumber", "first")
	ask("admin0", 400, "Admin0Pcode", "DJI", "Admin0Pcode", "SDN")
	ask("admin3", 404, "Admin0Pcode", "DJI")
}
