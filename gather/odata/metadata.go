package odata

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
)

// service writes the service document: the tables there are.
func (h *Handler) service(w http.ResponseWriter, r *http.Request, l *layout) error {
	type item struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
		URL  string `json:"url"`
	}
	list := []item{}
	for _, t := range l.tables {
		list = append(list, item{t.name, "EntitySet", t.name})
	}
	w.Header().Set("Content-Type", jsonType)
	return json.NewEncoder(w).Encode(map[string]any{"@odata.context": h.address(r, l.form) + "/$metadata", "value": list})
}

type edmProperty struct {
	XMLName  xml.Name `xml:"Property"`
	Name     string   `xml:"Name,attr"`
	Type     string   `xml:"Type,attr"`
	Nullable string   `xml:"Nullable,attr,omitempty"`
}

type edmNavigation struct {
	XMLName  xml.Name `xml:"NavigationProperty"`
	Name     string   `xml:"Name,attr"`
	Type     string   `xml:"Type,attr"`
	Contains string   `xml:"ContainsTarget,attr,omitempty"`
}

type edmType struct {
	XMLName xml.Name
	Name    string  `xml:"Name,attr"`
	Key     *edmKey `xml:"Key,omitempty"`
	Parts   []any   `xml:",any"`
}

type edmKey struct {
	Ref struct {
		Name string `xml:"Name,attr"`
	} `xml:"PropertyRef"`
}

type edmSet struct {
	XMLName xml.Name `xml:"EntitySet"`
	Name    string   `xml:"Name,attr"`
	Type    string   `xml:"EntityType,attr"`
}

type edmSchema struct {
	XMLName   xml.Name `xml:"http://docs.oasis-open.org/odata/ns/edm Schema"`
	Namespace string   `xml:"Namespace,attr"`
	Types     []edmType
	Container *edmContainer
}

type edmContainer struct {
	XMLName xml.Name `xml:"EntityContainer"`
	Name    string   `xml:"Name,attr"`
	Sets    []edmSet
}

type edmx struct {
	XMLName xml.Name    `xml:"http://docs.oasis-open.org/odata/ns/edmx edmx:Edmx"`
	Space   string      `xml:"xmlns:edmx,attr"`
	Version string      `xml:"Version,attr"`
	Schemas []edmSchema `xml:"edmx:DataServices>Schema"`
}

// metadata writes the types of all tables as EDMX 4.0.
func (h *Handler) metadata(w http.ResponseWriter, l *layout) error {
	const org = "org.opendatakit.submission"
	space := "org.opendatakit.user." + identifier(l.form)
	sys := edmType{XMLName: xml.Name{Local: "ComplexType"}, Name: "metadata"}
	for _, name := range system {
		kind := "Edm.String"
		switch name {
		case "submissionDate", "updatedAt", "deletedAt":
			kind = "Edm.DateTimeOffset"
		case "attachmentsPresent", "attachmentsExpected", "edits":
			kind = "Edm.Int64"
		}
		sys.Parts = append(sys.Parts, edmProperty{Name: name, Type: kind})
	}
	user := edmSchema{Namespace: space, Container: &edmContainer{Name: identifier(l.form)}}
	for _, t := range l.tables {
		e := edmType{XMLName: xml.Name{Local: "EntityType"}, Name: t.name, Key: &edmKey{}}
		e.Key.Ref.Name = "__id"
		e.Parts = append(e.Parts, edmProperty{Name: "__id", Type: "Edm.String", Nullable: "false"})
		if t.parent == nil {
			e.Parts = append(e.Parts, edmProperty{Name: "__system", Type: org + ".metadata"})
		} else {
			e.Parts = append(e.Parts, edmProperty{Name: t.parentKey(), Type: "Edm.String"})
		}
		var parts func(n *node, into *[]any)
		parts = func(n *node, into *[]any) {
			for _, c := range n.nodes {
				switch c.kind {
				case leafNode:
					*into = append(*into, edmProperty{Name: c.safe, Type: c.edm()})
				case groupNode:
					g := edmType{XMLName: xml.Name{Local: "ComplexType"}, Name: strings.Join(append([]string{l.root.name}, c.path...), ".")}
					parts(c, &g.Parts)
					user.Types = append(user.Types, g)
					*into = append(*into, edmProperty{Name: c.safe, Type: space + "." + g.Name})
				case repeatNode:
					*into = append(*into, edmNavigation{Name: c.safe, Type: "Collection(" + space + "." + c.sub.name + ")", Contains: "true"})
				}
			}
		}
		parts(t.top, &e.Parts)
		user.Types = append(user.Types, e)
		user.Container.Sets = append(user.Container.Sets, edmSet{Name: t.name, Type: space + "." + t.name})
	}
	return writeMetadata(w, []edmSchema{{Namespace: org, Types: []edmType{sys}}, user})
}

func writeMetadata(w http.ResponseWriter, schemas []edmSchema) error {
	doc := edmx{Space: "http://docs.oasis-open.org/odata/ns/edmx", Version: "4.0", Schemas: schemas}
	doc.XMLName = xml.Name{Local: "edmx:Edmx"}
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, err = w.Write(append([]byte(xml.Header), b...))
	return err
}
