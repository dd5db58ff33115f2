package central

import (
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, root := range map[string]string{
		"plain":      `<data id="f" version="1">`,
		"none":       `<data id="f">`,
		"prefixed":   `<data id="f" orx:version="1" version='1'>`,
		"of an odk":  `<odk:data xmlns:odk="x" id="f" odk:version = "1" >`,
		"apostrophe": `<data version='a"b' id='f'>`,
	} {
		end := "</data>"
		if strings.HasPrefix(root, "<odk:") {
			end = "</odk:data>"
		}
		doc := `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:orx="http://openrosa.org/xforms"><h:head><model><instance>
			` + root + `<a/>` + end + `</instance></model></h:head><h:body><input ref="/data/a"/></h:body></h:html>`
		f, err := named(dtm.Form{ID: "f", Version: "1", XForm: []byte(doc)}, `2 & "more"`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := xform.ReadModel(f.XForm)
		if err != nil || m.ID != "f" || m.Version != `2 & "more"` || f.Version != m.Version || f.Hash != dtm.FileHash(f.XForm) {
			t.Errorf("%s: %v %+v\n%s", name, err, m, f.XForm)
		}
	}
	if _, err := named(dtm.Form{XForm: []byte("<html/>")}, "2"); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("no instance: %v", err)
	}
}
