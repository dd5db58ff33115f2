package xform

import (
	"slices"
	"strings"

	"dtm"
	"dtm/gather/xlsform"
)

// persons are tags of what is asked of one person. Submissions of a form that has
// one are found by their words but for contacts, and stand on no map.
var persons = []string{"#respondee", "#contact", "#protection"}

// maxWords bounds what one submission adds to the search, in bytes.
const maxWords = 16 << 10

// Reading is what lists, searches and maps show of a submission: point, day and
// position by the tags of its form, the enumerator by the question type username or
// the tag #meta+enumerator, and as words its texts and the labels of its choices in
// every language of the form. Seq is left to the caller.
func (in *Instance) Reading(f *xlsform.Form) dtm.Reading {
	r := dtm.Reading{Name: in.InstanceName}
	var words strings.Builder
	words.WriteString(in.InstanceName)
	private := asksPersons(f.Root)
	in.Root.Each(func(a Answer, among *Answers) {
		if a.Value == "" {
			return
		}
		t := parseTag(a.Node.HXL)
		switch {
		case t.is("#loc", "fmp") && t.is("#loc", "code"):
			if r.Point == "" {
				r.Point = a.Value
			}
		case t.is("#date", "observed"):
			if d := dayOf(a.Value); r.Day == "" {
				r.Day = d
			}
		case a.Node.Type == "username", t.is("#meta", "enumerator"):
			r.Enumerator = a.Value
		case a.Node.Type == "geopoint" && !r.Positioned && !private && among == in.Root:
			r.Lat, r.Lon, _, r.Positioned = geopoint(a.Value)
		}
		if words.Len() < maxWords {
			for _, w := range wordsOf(f, a, t) {
				words.WriteString(" ")
				words.WriteString(w)
			}
		}
	})
	r.Words = words.String()
	return r
}

func asksPersons(n *xlsform.Node) bool {
	return slices.Contains(persons, parseTag(n.HXL).hash) || slices.ContainsFunc(n.Nodes, asksPersons)
}

// dayOf is the day of a date or a time stamp; "" when it is neither.
func dayOf(s string) string {
	if len(s) > len("2006-01-02") {
		s = s[:len("2006-01-02")]
	}
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' || strings.Trim(s, "0123456789-") != "" {
		return ""
	}
	return s
}

func wordsOf(f *xlsform.Form, a Answer, t tag) []string {
	n := a.Node
	switch {
	case t.hash == "#contact", n.Attachment():
		return nil
	case n.Type == "text", n.Type == "barcode", n.Type == "username":
		return []string{a.Value}
	case strings.HasPrefix(n.Type, "select_"), n.Type == "rank":
	default:
		return nil
	}
	words := []string{a.Value}
	list := f.ChoiceList(n.List)
	if list == nil {
		return words
	}
	codes := strings.Fields(a.Value)
	for _, c := range list.Choices {
		if slices.Contains(codes, c.Name) {
			for _, l := range c.Label {
				words = append(words, l.Words)
			}
		}
	}
	return words
}
