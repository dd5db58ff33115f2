package report

import "dtm"

// words are what only the report says; all else is in package locale.
var words = map[string]dtm.Text{
	"subtitle":  {dtm.English: "Movements observed at the flow monitoring points, {0} to {1}", dtm.French: "Mouvements observés aux points de suivi des flux, du {0} au {1}", dtm.Arabic: "التنقلات المرصودة في نقاط رصد التدفق، من {0} إلى {1}"},
	"synthetic": {dtm.English: "Demonstration: all figures are synthetic", dtm.French: "Démonstration\u202f: tous les chiffres sont synthétiques", dtm.Arabic: "عرض توضيحي: جميع الأرقام اصطناعية"},

	"many":   {dtm.English: "How many", dtm.French: "Combien", dtm.Arabic: "كم"},
	"change": {dtm.English: "More or less than before", dtm.French: "Plus ou moins qu’avant", dtm.Arabic: "أكثر أم أقل من قبل"},
	"where":  {dtm.English: "Where", dtm.French: "Où", dtm.Arabic: "أين"},
	"who":    {dtm.English: "Who", dtm.French: "Qui", dtm.Arabic: "من"},
	"why":    {dtm.English: "Why", dtm.French: "Pourquoi", dtm.Arabic: "لماذا"},
	"read":   {dtm.English: "How to read it", dtm.French: "Comment lire ces chiffres", dtm.Arabic: "كيفية قراءة الأرقام"},

	"points": {dtm.English: "Movements by point", dtm.French: "Mouvements par point", dtm.Arabic: "التنقلات حسب النقطة"},
	"od":     {dtm.English: "From where, to where", dtm.French: "D’où, vers où", dtm.Arabic: "من أين وإلى أين"},
	"profile": {dtm.English: "Sex, age, nationality and reasons", dtm.French: "Sexe, âge, nationalité et raisons",
		dtm.Arabic: "الجنس والعمر والجنسية والأسباب"},
	"spread": {dtm.English: "Flows and trend", dtm.French: "Flux et tendance", dtm.Arabic: "التدفقات والاتجاه"},

	"credits": {dtm.English: "Figures: {0}. Contact: {1}", dtm.French: "Chiffres\u202f: {0}. Contact\u202f: {1}", dtm.Arabic: "الأرقام: {0}. للتواصل: {1}"},
}
