package opendata

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/serve"
)

// The shape of the DTM API, version 3, in which clients of other operations already ask
// for people present: countries, operations, and counts at three administrative levels.
// Everything an answer says is in its envelope, errors too.

// envelope is every answer.
type envelope struct {
	IsSuccess     bool     `json:"isSuccess"`
	StatusCode    int      `json:"statusCode"`
	Result        any      `json:"result"`
	ErrorMessages []string `json:"errorMessages"`
}

// present is one count as that interface has it. Names of its fields are its own.
type present struct {
	ID        uint32  `json:"id"`
	Operation string  `json:"operation"`
	Country   string  `json:"admin0Name"`
	ISO3      string  `json:"admin0Pcode"`
	Region    *string `json:"admin1Name"`
	RegionP   *string `json:"admin1Pcode"`
	District  *string `json:"admin2Name"`
	DistrictP *string `json:"admin2Pcode"`
	People    int     `json:"numPresentIdpInd"`
	Date      string  `json:"reportingDate"`
	Year      int     `json:"yearReportingDate"`
	Month     int     `json:"monthReportingDate"`
	Round     int     `json:"roundNumber"`
	Reason    string  `json:"displacementReason"`
	Males     *int    `json:"numberMales"`
	Females   *int    `json:"numberFemales"`
	Origin    string  `json:"idpOriginAdmin1Name"`
	OriginP   string  `json:"idpOriginAdmin1Pcode"`
	Kind      string  `json:"assessmentType"`
}

// notAvailable is how that interface writes what is not known.
const notAvailable = "Not available"

// askable are the parameters of the counts.
var askable = []string{"Operation", "CountryName", "Admin0Pcode", "Admin1Name", "Admin1Pcode", "Admin2Name", "Admin2Pcode", "FromReportingDate", "ToReportingDate", "FromRoundNumber", "ToRoundNumber"}

// stranded is the name of the operation there: nobody is to take the people for
// internally displaced ones, whose field they stand in.
func (a *API) stranded() string {
	return "Stranded migrants at sites, " + a.Operation.Name.In(dtm.English)
}

// enveloped writes an error in the manner of that interface.
func enveloped(w http.ResponseWriter, _ *http.Request, status int, err error) {
	writeEnvelope(w, status, envelope{StatusCode: status, Result: []any{}, ErrorMessages: []string{dtm.Public(err)}})
}

func writeEnvelope(w http.ResponseWriter, status int, e envelope) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(e) // a client that has gone reads nothing
}

// registerDTM adds the addresses to mux.
func (a *API) registerDTM(mux *http.ServeMux) {
	mux.Handle("GET /v3/displacement/{list}", open(serve.Handle(enveloped, func(w http.ResponseWriter, r *http.Request) error {
		result, err := a.displacement(r)
		if err != nil {
			return err
		}
		writeEnvelope(w, http.StatusOK, envelope{IsSuccess: true, StatusCode: http.StatusOK, Result: result, ErrorMessages: []string{}})
		return nil
	})))
}

func (a *API) displacement(r *http.Request) (any, error) {
	country, iso := a.Operation.Name.In(dtm.English), a.Operation.Country
	switch list := r.PathValue("list"); list {
	case "country-list":
		return []map[string]string{{"admin0Name": country, "admin0Pcode": iso}}, nil
	case "operation-list":
		return []map[string]string{{"operation": a.stranded(), "operationStatus": "Active", "admin0Name": country, "admin0Pcode": iso}}, nil
	case "admin0", "admin1", "admin2":
		q := r.URL.Query()
		keep, err := a.keeps(q)
		if err != nil {
			return nil, err
		}
		all := []present{}
		if list != "admin2" { // sites are not told apart below the region
			if all, err = a.presences(r, list == "admin1"); err != nil {
				return nil, err
			}
		}
		return slices.DeleteFunc(all, func(p present) bool { return !keep(p) }), nil
	}
	return nil, dtm.Errorf(dtm.NotFound, "there is no such address; /v3/displacement/ has country-list, operation-list, admin0, admin1 and admin2").Coded("notfound")
}

// keeps reads what counts are asked for: Invalid without a country or an operation, for
// a parameter given twice, and for what is no day or number. What is not known is passed
// over, as there.
func (a *API) keeps(q url.Values) (func(present) bool, error) {
	for _, k := range askable {
		if len(q[k]) > 1 {
			return nil, dtm.Errorf(dtm.Invalid, "the parameter %q is given %d times; give it once", k, len(q[k])).Coded("api.twice", k, len(q[k])).At(k)
		}
	}
	if q.Get("Operation") == "" && q.Get("CountryName") == "" && q.Get("Admin0Pcode") == "" {
		return nil, dtm.Errorf(dtm.Invalid, "give at least one of Operation, CountryName, Admin0Pcode").Coded("api.v3.country")
	}
	days := map[string]string{}
	for _, k := range []string{"FromReportingDate", "ToReportingDate"} {
		if s := q.Get(k); s != "" {
			d, err := time.Parse(time.DateOnly, s)
			if err != nil {
				return nil, dtm.Errorf(dtm.Invalid, "%s is %q: want a day, 2022-12-31", k, s).Coded("api.v3.day", k, s).At(k)
			}
			days[k] = d.Format(time.DateOnly)
		}
	}
	rounds := map[string]int{}
	for _, k := range []string{"FromRoundNumber", "ToRoundNumber"} {
		if s := q.Get(k); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				return nil, dtm.Errorf(dtm.Invalid, "%s is %q: want a number, 202212", k, s).Coded("api.v3.round", k, s).At(k)
			}
			rounds[k] = n // 0: no bound
		}
	}
	return func(p present) bool {
		is := func(name string, have *string) bool {
			want := q.Get(name)
			return want == "" || have != nil && strings.EqualFold(want, *have)
		}
		day := p.Date[:len(time.DateOnly)]
		return is("Operation", &p.Operation) && is("CountryName", &p.Country) && is("Admin0Pcode", &p.ISO3) && is("Admin1Name", p.Region) && is("Admin1Pcode", p.RegionP) &&
			is("Admin2Name", p.District) && is("Admin2Pcode", p.DistrictP) && day >= days["FromReportingDate"] && (days["ToReportingDate"] == "" || day <= days["ToReportingDate"]) &&
			p.Round >= rounds["FromRoundNumber"] && (rounds["ToRoundNumber"] == 0 || p.Round <= rounds["ToRoundNumber"])
	}, nil
}

// presences are the counts by month, and by region: what is withheld is left out, since
// that interface has no word for it and its clients add numbers up.
func (a *API) presences(r *http.Request, byRegion bool) ([]present, error) {
	by := []string{"month"}
	if byRegion {
		by = append(by, "region")
	}
	rows, _, err := a.table(r.Context(), asked{}, "people_present_average", nil, by...)
	if err != nil {
		return nil, err
	}
	out := []present{}
	for _, row := range rows {
		value, known := row[len(by)].(float64)
		month, err := dtm.ParseMonth(written(row[0]))
		if !known || err != nil {
			continue
		}
		last := month.Add(1).First().AddDate(0, 0, -1)
		p := present{Operation: a.stranded(), Country: a.Operation.Name.In(dtm.English), ISO3: a.Operation.Country, People: int(math.Round(value)), Date: last.Format("2006-01-02T15:04:05"),
			Year: month.Year, Month: int(month.Month), Round: month.Year*100 + int(month.Month), Reason: notAvailable, Origin: notAvailable, OriginP: notAvailable, Kind: "SA"}
		id := p.ISO3
		if byRegion {
			area, ok := a.Operation.Area(written(row[1]))
			if !ok {
				continue // not known where
			}
			name := area.Name.In(dtm.English)
			p.Region, p.RegionP, id = &name, &area.Code, area.Code
		}
		h := fnv.New32a()
		h.Write([]byte(month.String() + id))
		p.ID = h.Sum32() >> 1 // fits a signed number
		out = append(out, p)
	}
	return out, nil
}
