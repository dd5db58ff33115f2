package opendata

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/locale"
)

// hdxTags is the vocabulary in which the Humanitarian Data Exchange takes tags.
const hdxTags = "b891512e-9516-4bf5-962a-7a289772a2a1"

// HDXFile is a file of the package, with the address that gives it.
type HDXFile struct {
	Name, Address string
	Format, Title string
	Coded         bool // by P-codes
}

// HDXFiles are the files of the package, from a release where one is named.
func (a *API) HDXFiles(release string) (out []HDXFile) {
	for _, d := range datasets {
		formats := []string{"csv"}
		if d.place {
			formats = append(formats, "geojson")
		}
		if d.filtered {
			formats = append(formats, "xlsx")
		}
		for _, format := range formats {
			f := HDXFile{Name: a.Operation.Code + "-" + d.id + "." + format, Address: "/api/v1/" + d.id + "." + format, Format: strings.ToUpper(format), Title: d.title}
			var q []string
			if format != "geojson" {
				q = append(q, "hxl=1")
				f.Title += ", with HXL tags"
			} else {
				f.Format = "GeoJSON"
			}
			if d.filtered && release != "" {
				q = append(q, "release="+release)
			}
			if len(q) > 0 {
				f.Address += "?" + strings.Join(q, "&")
			}
			for _, c := range d.columns {
				f.Coded = f.Coded || strings.HasPrefix(c.hxl, "#adm") && strings.Contains(c.hxl, "+code")
			}
			out = append(out, f)
		}
	}
	return out
}

// Package describes the files as CKAN's package_create takes it, with what the
// Humanitarian Data Exchange asks for besides. sizes are those of the files, by name.
// missing names what it asks for and the settings do not say.
func (a *API) Package(span dtm.Period, release dtm.Release, files []HDXFile, sizes map[string]int) (b []byte, missing []string, err error) {
	o, h := a.Operation, a.Operation.HDX
	say := func(key string, args ...any) string { return locale.Say(dtm.English, key, args...) }
	name := o.Name.In(dtm.English)
	notes := say("hdx.notes", name)
	if o.Synthetic {
		notes = say("report.synthetic") + " " + notes
	}
	p := object{
		"name": o.Code + "-flow-monitoring", "title": say("hdx.title", name), "notes": notes, "dataset_source": strings.TrimPrefix(o.Source.In(dtm.English), "Source: "),
		"owner_org": h.Organisation, "maintainer": h.Maintainer, "maintainer_email": o.Contact, "license_id": h.License,
		"methodology": h.Methodology, "methodology_other": say("hdx.methodology"), "caveats": say("hdx.caveats", o.Threshold),
		"data_update_frequency": strconv.Itoa(h.Frequency), "private": false, "subnational": "1", "groups": []object{{"name": strings.ToLower(o.Country)}},
		"version": release.ID(),
	}
	if h.License == "hdx-other" {
		p["license_other"] = h.LicenseText
	}
	if h.Methodology != "Other" {
		delete(p, "methodology_other")
	}
	if !span.From.IsZero() {
		const at = "2006-01-02T15:04:05"
		p["dataset_date"] = "[" + span.From.Format(at) + " TO " + span.To.Add(-time.Second).Format(at) + "]"
	}
	var tags []object
	for _, t := range h.Tags {
		tags = append(tags, object{"name": t, "vocabulary_id": hdxTags})
	}
	p["tags"] = tags
	var resources []object
	for i, f := range files {
		resources = append(resources, object{"name": f.Name, "description": f.Title + ". Release " + release.ID() + ".", "format": f.Format, "position": i, "resource_type": "file.upload", "url_type": "upload",
			"upload": f.Name, "mimetype": mediaOf(strings.TrimPrefix(path.Ext(f.Name), ".")), "size": sizes[f.Name], "p_coded": f.Coded})
	}
	p["resources"] = resources
	for _, x := range []struct{ name, value string }{{"organisation", h.Organisation}, {"maintainer", h.Maintainer}, {"license", h.License}, {"methodology", h.Methodology}} {
		if x.value == "" {
			missing = append(missing, x.name)
		}
	}
	if len(h.Tags) == 0 {
		missing = append(missing, "tags")
	}
	if h.Frequency == 0 {
		missing = append(missing, "frequency")
	}
	b, err = json.MarshalIndent(p, "", " ")
	return append(b, '\n'), missing, err
}
