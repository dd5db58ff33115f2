package indicator

import (
	"slices"

	"dtm"
)

// arabicNotes are the caveats in Arabic, by code. A test holds that none is
// missing.
var arabicNotes = map[string]string{
	"period.running":      "لم تنتهِ الفترة بعد: تُحسب الأيام حتى آخر بيانات وردت.",
	"days.unknown":        "لا تُعرف الأيام في البيانات السابقة المسجّلة بالشهر فقط، فلا يمكن حساب هذا المتوسط.",
	"change.no_base":      "لا يوجد ما يُقارن به: لم تُسجَّل تنقلات في الفترة السابقة.",
	"month_only.left_out": "لا تدخل البيانات السابقة المعروفة بالشهر فقط في هذه الأرقام اليومية.",
	"rows.full":           "تُحسب فقط التنقلات المسجّلة بالجنسية والجنس والعمر معًا؛ أما البيانات السابقة فتعطي الجنسية أو الجنس والعمر.",
	"rows.nationality":    "لم تُسجَّل الجنسية في جميع تنقلات الفترة؛ ولا يُحسب إلا ما سُجّل.",
	"rows.sex_age":        "لم يُسجَّل الجنس والعمر في جميع تنقلات الفترة؛ ولا يُحسب إلا ما سُجّل.",
	"stock.days":          "عدد الأشخاص الموجودين في يوم معيّن. لا تُجمع الأيام، ولا يُضاف أبدًا إلى التنقلات.",
	"point.unresolved":    "لا تُحسب هنا التنقلات عند أسماء لا تطابق أي نقطة معروفة.",
}

// covering gives what is there of the period and the places asked for.
func (c *computation) covering() []covered {
	r := c.request
	var out []covered
	first, last := dtm.MonthOf(r.period.From), dtm.MonthOf(r.period.To.AddDate(0, 0, -1))
	for _, v := range c.state.coverage {
		if v.month.Before(first) || last.Before(v.month) {
			continue
		}
		if codes, ok := r.where["point"]; ok && !slices.Contains(codes, v.point) {
			continue
		}
		if codes, ok := r.where["region"]; ok && !slices.Contains(codes, v.region) {
			continue
		}
		out = append(out, v)
	}
	return out
}

// coverageNotes says what the figures leave out.
func (c *computation) coverageNotes() {
	r := c.request
	if r.def.Facts != Movements {
		return
	}
	byDay := ask{by: r.by, period: r.period}.byDay()
	var read, main, unresolved int64
	var monthOnly bool
	for _, v := range c.covering() {
		if c.read.has(v.breakdown, v.main) {
			read += v.people
			monthOnly = monthOnly || v.monthOnly && v.people > 0
		}
		if v.main {
			main += v.people
			if v.point == "" {
				unresolved += v.people
			}
		}
	}
	if byDay && monthOnly {
		c.note("month_only.left_out", "History that is known by the month only is not in these figures by day.",
			"L\u2019historique connu seulement par mois n\u2019entre pas dans ces chiffres par jour.")
	}
	switch {
	case c.read == fullRows:
		c.note("rows.full", "Only movements recorded by nationality, sex and age together are counted; the imported history holds either nationality or sex and age.",
			"Seuls sont compt\u00e9s les mouvements enregistr\u00e9s \u00e0 la fois par nationalit\u00e9, sexe et \u00e2ge\u202f; l\u2019historique import\u00e9 donne soit la nationalit\u00e9, soit le sexe et l\u2019\u00e2ge.")
	case c.read == nationalityRows && read != main:
		c.note("rows.nationality", "Not every movement of the period was recorded by nationality; only those that were are counted.",
			"Les mouvements de la p\u00e9riode n\u2019ont pas tous \u00e9t\u00e9 enregistr\u00e9s par nationalit\u00e9\u202f; seuls ceux qui l\u2019ont \u00e9t\u00e9 sont compt\u00e9s.")
	case c.read == sexAgeRows && read != main:
		c.note("rows.sex_age", "Not every movement of the period was recorded by sex and age; only those that were are counted.",
			"Les mouvements de la p\u00e9riode n\u2019ont pas tous \u00e9t\u00e9 enregistr\u00e9s par sexe et \u00e2ge\u202f; seuls ceux qui l\u2019ont \u00e9t\u00e9 sont compt\u00e9s.")
	}
	if k := r.def.kind; unresolved > 0 && (k == "points" || k == "panel") {
		c.note("point.unresolved", "Movements at names that are no known point are not counted here.",
			"Les mouvements \u00e0 des noms qui ne correspondent \u00e0 aucun point connu ne sont pas compt\u00e9s ici.")
	}
}
