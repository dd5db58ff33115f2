package xlsform

import (
	"maps"
	"slices"
	"strings"
)

// kind is what a question type means.
type kind struct {
	canon string            // name of the type in this program
	tag   string            // body element; "" shows nothing
	media string            // of uploads
	bind  map[string]string // attributes of the bind; type among them
	hint  string
}

func typed(t string) map[string]string { return map[string]string{"type": t} }

func preload(t, kind, param string) map[string]string {
	return map[string]string{"type": t, "jr:preload": kind, "jr:preloadParams": param}
}

func bounded(limit string) map[string]string {
	return map[string]string{"type": "int", "constraint": "0 <= . and . <= " + limit}
}

// types are the words of the column type, old ones among them, by the XLSForm
// standard. They are written as the standard does; others may vary in case and
// write blanks for underscores.
var types = func() map[string]kind {
	out := map[string]kind{}
	def := func(k kind, words ...string) {
		for _, w := range words {
			out[w] = k
		}
	}
	def(kind{canon: "text", tag: "input", bind: typed("string")}, "text", "string", "q string", "add text prompt")
	def(kind{canon: "integer", tag: "input", bind: typed("int")}, "integer", "int", "q int", "add integer prompt")
	def(kind{canon: "decimal", tag: "input", bind: typed("decimal")}, "decimal", "q decimal", "add decimal prompt")
	def(kind{canon: "date", tag: "input", bind: typed("date")}, "date", "q date", "add date prompt")
	def(kind{canon: "time", tag: "input", bind: typed("time")}, "time")
	def(kind{canon: "dateTime", tag: "input", bind: typed("dateTime")}, "dateTime", "datetime", "date time", "q dateTime", "q date time", "add dateTime prompt", "add date time prompt")
	def(kind{canon: "note", tag: "input", bind: map[string]string{"type": "string", "readonly": "true()"}}, "note", "q note", "add note prompt")
	def(kind{canon: "barcode", tag: "input", bind: typed("barcode")}, "barcode", "q barcode", "add barcode prompt")
	def(kind{canon: "acknowledge", tag: "trigger", bind: typed("string")}, "acknowledge", "q acknowledge", "add acknowledge prompt")
	def(kind{canon: "acknowledge", tag: "trigger"}, "trigger")
	def(kind{canon: "range", tag: "range", bind: typed("int")}, "range")
	def(kind{canon: "percentage", tag: "input", bind: bounded("100")}, "percentage")
	def(kind{canon: "integer", tag: "input", bind: bounded("31"), hint: "Enter a number 0-31."}, "number of days in last month")
	def(kind{canon: "integer", tag: "input", bind: bounded("183"), hint: "Enter a number 0-183."}, "number of days in last six months")
	def(kind{canon: "integer", tag: "input", bind: bounded("365"), hint: "Enter a number 0-365."}, "number of days in last year")
	def(kind{canon: "text", tag: "input", bind: map[string]string{"type": "string", "constraint": `regex(., '^\d*$')`}, hint: "Enter numbers only."}, "phone number")

	def(kind{canon: "geopoint", tag: "input", bind: typed("geopoint")}, "geopoint", "q geopoint", "location", "q location", "add location prompt", "gps")
	def(kind{canon: "geotrace", tag: "input", bind: typed("geotrace")}, "geotrace", "q geotrace")
	def(kind{canon: "geoshape", tag: "input", bind: typed("geoshape")}, "geoshape", "q geoshape")
	def(kind{canon: "start-geopoint", bind: typed("geopoint")}, "start-geopoint")
	def(kind{canon: "background-geopoint", tag: "trigger", bind: typed("geopoint")}, "background-geopoint")

	def(kind{canon: "image", tag: "upload", media: "image/*", bind: typed("binary")}, "image", "photo", "q image", "q picture", "add image prompt", "add photo prompt")
	def(kind{canon: "audio", tag: "upload", media: "audio/*", bind: typed("binary")}, "audio", "q audio", "add audio prompt")
	def(kind{canon: "video", tag: "upload", media: "video/*", bind: typed("binary")}, "video", "q video", "add video prompt")
	def(kind{canon: "file", tag: "upload", media: "application/*", bind: typed("binary")}, "file", "add file prompt")
	def(kind{canon: "osm", tag: "upload", media: "osm/*", bind: typed("binary")}, "osm")
	def(kind{canon: "background-audio", bind: typed("binary")}, "background-audio")

	def(kind{canon: "calculate", bind: typed("string")}, "calculate", "q calculate", "add calculate prompt")
	def(kind{canon: "hidden", bind: typed("string")}, "hidden")
	def(kind{canon: "audit", bind: typed("binary")}, "audit")
	def(kind{canon: "csv-external"}, "csv-external")
	def(kind{canon: "xml-external"}, "xml-external")

	def(kind{canon: "start", bind: preload("dateTime", "timestamp", "start")}, "start", "start time", "get start time")
	def(kind{canon: "end", bind: preload("dateTime", "timestamp", "end")}, "end", "end time", "get end time")
	def(kind{canon: "today", bind: preload("date", "date", "today")}, "today", "get today")
	def(kind{canon: "deviceid", bind: preload("string", "property", "deviceid")}, "deviceid", "device id", "get device id", "imei")
	def(kind{canon: "phonenumber", bind: preload("string", "property", "phonenumber")}, "phonenumber", "get phone number")
	def(kind{canon: "simserial", bind: preload("string", "property", "simserial")}, "simserial", "sim id", "get sim id")
	def(kind{canon: "subscriberid", bind: preload("string", "property", "subscriberid")}, "subscriberid", "subscriber id", "get subscriber id")
	for _, property := range []string{"username", "email", "uri:subscriberid", "uri:phonenumber", "uri:simserial", "uri:deviceid", "uri:username", "uri:email"} {
		def(kind{canon: property, bind: preload("string", "property", property)}, property)
	}
	return out
}()

// selectKinds are the selects.
var selectKinds = map[string]kind{
	"select_one":          {canon: "select_one", tag: "select1", bind: typed("string")},
	"select_multiple":     {canon: "select_multiple", tag: "select", bind: typed("string")},
	"select_one_external": {canon: "select_one_external", tag: "input", bind: typed("string")},
	"rank":                {canon: "rank", tag: "odk:rank", bind: typed("odk:rank")},
}

// selectWords are the ways to write a select, the longer before what they begin
// with.
var selectWords = []struct {
	words, canon string
	file         bool
}{
	{"select_one_from_file", "select_one", true}, {"select one from file", "select_one", true},
	{"select_multiple_from_file", "select_multiple", true}, {"select multiple from file", "select_multiple", true},
	{"select_one_external", "select_one_external", false},
	{"add select one prompt using", "select_one", false}, {"add select multiple prompt using", "select_multiple", false},
	{"select all that apply from", "select_multiple", false}, {"select all that apply", "select_multiple", false},
	{"select multiple from", "select_multiple", false}, {"select multiple using", "select_multiple", false}, {"select_multiple", "select_multiple", false}, {"select multiple", "select_multiple", false},
	{"select one from", "select_one", false}, {"select one using", "select_one", false}, {"select_one", "select_one", false}, {"select one", "select_one", false}, {"select1", "select_one", false},
	{"rank", "rank", false},
}

// typeOf finds the type that a word means, also when case or underscores differ.
func typeOf(word string) (kind, bool) {
	if k, ok := types[word]; ok {
		return k, true
	}
	k, ok := types[strings.ToLower(strings.ReplaceAll(word, "_", " "))]
	if !ok {
		k, ok = types[strings.ToLower(strings.ReplaceAll(word, "_", "-"))]
	}
	return k, ok
}

// nearest suggests the type that a misspelt word may mean: one that differs by
// one letter put in, left out, changed or swapped with its neighbour.
func nearest(word string) string {
	if len(word) < 3 {
		return ""
	}
	word = strings.ToLower(word)
	for _, t := range slices.Sorted(maps.Keys(types)) {
		if distance(word, t) == 1 || swapped(word, t) {
			return types[t].canon
		}
	}
	for _, s := range selectWords {
		if distance(word, s.words) == 1 || swapped(word, s.words) {
			return s.words
		}
	}
	return ""
}

func swapped(a, b string) bool {
	if len(a) != len(b) || a == b {
		return false
	}
	i := 0
	for a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// distance counts the letters to put in, leave out or change (Levenshtein 1966).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		before := row[0]
		row[0] = i + 1
		for j := range t {
			cost := before
			if s[i] != t[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(t)]
}
