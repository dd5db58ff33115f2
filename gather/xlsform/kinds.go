package xlsform

// types maps the words an author may write to the canonical question type. Words
// are in lower case with blanks for underscores.
var types = map[string]string{
	"text": "text", "string": "text", "integer": "integer", "int": "integer", "add integer prompt": "integer", "decimal": "decimal", "date": "date", "time": "time",
	"datetime": "dateTime", "date time": "dateTime", "note": "note", "calculate": "calculate", "hidden": "hidden", "geopoint": "geopoint", "location": "geopoint", "gps": "geopoint",
	"geotrace": "geotrace", "geoshape": "geoshape", "image": "image", "photo": "image", "audio": "audio", "video": "video", "file": "file",
	"barcode": "barcode", "acknowledge": "acknowledge", "trigger": "acknowledge", "range": "range", "rank": "rank",
	"start": "start", "end": "end", "today": "today", "deviceid": "deviceid", "device id": "deviceid", "username": "username", "phonenumber": "phonenumber", "phone number": "phonenumber",
	"email": "email", "audit": "audit", "start-geopoint": "start-geopoint", "background-audio": "background-audio", "xml-external": "xml-external", "csv-external": "csv-external",
}

// metadata types may have no name and have no label.
var metadata = map[string]bool{"start": true, "end": true, "today": true, "deviceid": true, "username": true, "phonenumber": true, "email": true, "audit": true, "start-geopoint": true, "background-audio": true}

// silent types show nothing and need no label.
var silent = map[string]bool{"calculate": true, "hidden": true, "xml-external": true, "csv-external": true}

// selectNames are the ways to write a select, the longest first.
var selectNames = []struct{ name, typ string }{
	{"select_one_from_file", "select_one_from_file"}, {"select one from file", "select_one_from_file"},
	{"select_multiple_from_file", "select_multiple_from_file"}, {"select multiple from file", "select_multiple_from_file"},
	{"select all that apply from", "select_multiple"}, {"select all that apply", "select_multiple"},
	{"select_multiple", "select_multiple"}, {"select multiple from", "select_multiple"}, {"select multiple", "select_multiple"}, {"add select multiple prompt using", "select_multiple"},
	{"select_one", "select_one"}, {"select one from", "select_one"}, {"select one", "select_one"}, {"select1", "select_one"}, {"add select one prompt using", "select_one"},
	{"rank", "rank"},
}

// nearest suggests the type that a misspelt word may mean: one that differs by
// one letter put in, left out, changed or swapped with its neighbour.
func nearest(word string) string {
	if len(word) < 3 {
		return ""
	}
	for t := range types {
		if oneOff(word, t) {
			return types[t]
		}
	}
	for _, s := range selectNames {
		if oneOff(word, s.name) {
			return s.typ
		}
	}
	return ""
}

func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		if i == len(a) {
			return false
		}
		return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	}
	return a[i:] == b[i+1:]
}
