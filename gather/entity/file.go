package entity

import (
	"bufio"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"dtm"
)

// WriteCSV writes a list as phones read it: name (the entity's id), label,
// __version and the properties (ODK XForms specification, entities as secondary
// instances). With difference a last column __deleted says true of what the
// device has to remove; such a row has no other values than its name.
func WriteCSV(w io.Writer, l dtm.EntityList, entities []dtm.Entity, difference bool, scope dtm.EntityScope) error {
	buffered := bufio.NewWriter(w)
	c := csv.NewWriter(buffered)
	row := []string{"name", "label", "__version"}
	for _, p := range l.Properties {
		row = append(row, p.Name)
	}
	if difference {
		row = append(row, "__deleted")
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for _, e := range entities {
		row = row[:0]
		gone := e.Deleted != nil || !scope.Admits(e.Current.Data)
		switch {
		case gone && !difference:
			continue
		case gone:
			row = append(row, e.ID, "", "")
			for range l.Properties {
				row = append(row, "")
			}
			row = append(row, "true")
		default:
			row = append(row, e.ID, e.Current.Label, strconv.Itoa(e.Current.Number))
			for _, p := range l.Properties {
				row = append(row, e.Current.Data[p.Name])
			}
			if difference {
				row = append(row, "false")
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}

// Hash is what a manifest says of a list: it changes when the content does, and
// with the part of the list that a device gets.
func Hash(list string, scope dtm.EntityScope, s dtm.EntityState) string {
	sum := md5.Sum(fmt.Appendf(nil, "%q %q %q %d %d", list, scope.Point, scope.Region, s.Count, s.Seq)) // identity of content; no protection
	return "md5:" + hex.EncodeToString(sum[:])
}

type integrityXML struct {
	XMLName  xml.Name             `xml:"data"`
	Entities []integrityEntityXML `xml:"entities>entity"`
}

type integrityEntityXML struct {
	ID      string `xml:"id,attr"`
	Deleted bool   `xml:"deleted"`
}

// Integrity tells which of the asked ids are deleted, as phones ask it of what
// they have and the list has not. An id that was never there is left out: it may
// have been created on the phone and not be sent yet.
func Integrity(entities []dtm.Entity, scope dtm.EntityScope) ([]byte, error) {
	var d integrityXML
	for _, e := range entities {
		d.Entities = append(d.Entities, integrityEntityXML{ID: e.ID, Deleted: e.Deleted != nil || !scope.Admits(e.Current.Data)})
	}
	b, err := xml.Marshal(d)
	return append([]byte(xml.Header), b...), err
}
