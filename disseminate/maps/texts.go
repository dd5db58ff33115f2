package maps

import "dtm"

// Texts are the map's words. Empty ones are filled in the map's language, if it
// is English, French or Arabic, else in English; but for the disclaimer and the
// source, which are the operation's own, and the sea, which is left out.
type Texts struct {
	Disclaimer  string `json:"disclaimer"`            // boundary disclaimer, under every map
	Source      string `json:"source,omitempty"`      // sources of boundaries and data
	Sea         string `json:"sea,omitempty"`         // "Gulf of Aden", in the east; "": not written
	Movements   string `json:"movements,omitempty"`   // "Movements at a point"
	Flow        string `json:"flow,omitempty"`        // "Movements between places"
	Approximate string `json:"approximate,omitempty"` // "approximate position"
	Somewhere   string `json:"somewhere,omitempty"`   // "only the region is known"
	Withheld    string `json:"withheld,omitempty"`    // "fewer than 10, withheld"
	Suppressed  string `json:"suppressed,omitempty"`  // "<10"
	Missing     string `json:"missing,omitempty"`     // "no data"
	Unplaced    string `json:"unplaced,omitempty"`    // "Not on the map"
	From        string `json:"from,omitempty"`        // table head: "From"
	To          string `json:"to,omitempty"`          // table head: "To"
	Kilometre   string `json:"kilometre,omitempty"`   // "km"
}

var spoken = map[dtm.Lang]Texts{
	dtm.English: {
		Movements: "Movements at a point", Flow: "Movements between places", Approximate: "approximate position",
		Somewhere: "only the region is known", Withheld: "fewer than 10, withheld", Suppressed: "<10", Missing: "no data",
		Unplaced: "Not on the map", From: "From", To: "To", Kilometre: "km",
	},
	dtm.French: {
		Movements: "Mouvements à un point", Flow: "Mouvements entre lieux", Approximate: "position approximative",
		Somewhere: "seule la région est connue", Withheld: "moins de 10, non publié", Suppressed: "<10", Missing: "pas de données",
		Unplaced: "Hors de la carte", From: "De", To: "Vers", Kilometre: "km",
	},
	dtm.Arabic: {
		Movements: "الحركات في النقطة", Flow: "الحركات بين الأماكن", Approximate: "موقع تقريبي",
		Somewhere: "المنطقة فقط معروفة", Withheld: "أقل من 10، محجوب", Suppressed: "<10", Missing: "لا توجد بيانات",
		Unplaced: "خارج الخريطة", From: "من", To: "إلى", Kilometre: "كم",
	},
}

// or fills empty texts from the language's, else from the English ones.
func (t Texts) or(l dtm.Lang) Texts {
	def, ok := spoken[l]
	if !ok {
		def = spoken[dtm.English]
	}
	for _, f := range []struct {
		text *string
		def  string
	}{
		{&t.Movements, def.Movements}, {&t.Flow, def.Flow}, {&t.Approximate, def.Approximate}, {&t.Somewhere, def.Somewhere},
		{&t.Withheld, def.Withheld}, {&t.Suppressed, def.Suppressed}, {&t.Missing, def.Missing}, {&t.Unplaced, def.Unplaced},
		{&t.From, def.From}, {&t.To, def.To}, {&t.Kilometre, def.Kilometre},
	} {
		if *f.text == "" {
			*f.text = f.def
		}
	}
	return t
}
