package indicator

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"dtm"
)

// Formats lists what Print writes.
var Formats = []string{"table", "csv", "json"}

// Print writes a table for people ("table": labels in lang, the caveats below),
// for programs ("csv": a header, then period, the dimensions, value, numerator,
// denominator, unit, basis, release; codes, a point for decimals), or whole
// ("json"). Values are rounded as they are published; a value that is missing is
// empty (null), one that was suppressed is "suppressed" (suppressed: true). It is
// Invalid for another format.
func Print(w io.Writer, t dtm.Table, format string, op *dtm.Operation, lang dtm.Lang) error {
	switch format {
	case "table", "":
		return printTable(w, t, op, lang)
	case "csv":
		return printCSV(w, t)
	case "json":
		return printJSON(w, t)
	}
	return dtm.Errorf(dtm.Invalid, "there is no format %q; there are %s", format, strings.Join(Formats, ", ")).Coded("format.unknown", format)
}

// plain writes a number for programs. Values are rounded as published; the parts
// of a fraction keep what tells them apart.
func plain(t dtm.Table, v *float64, value bool) string {
	if v == nil {
		return ""
	}
	if value {
		return strconv.FormatFloat(rounded(t.Indicator, *v), 'f', t.Indicator.Digits(*v), 64)
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// rounded is Round without a negative zero.
func rounded(i dtm.Indicator, v float64) float64 { return i.Round(v) + 0 }

func period(t dtm.Table) string { return t.Query.Period.String() }

func printCSV(w io.Writer, t dtm.Table) error {
	out := csv.NewWriter(w)
	head := append([]string{"period"}, t.By...)
	if err := out.Write(append(head, "value", "numerator", "denominator", "unit", "basis", "release")); err != nil {
		return err
	}
	for _, f := range t.Figures {
		value, numerator, denominator := plain(t, f.Value, true), plain(t, f.Numerator, false), plain(t, f.Denominator, false)
		if f.Suppressed {
			value, numerator, denominator = "suppressed", "", ""
		}
		row := append([]string{period(t)}, f.Keys...)
		if err := out.Write(append(row, value, numerator, denominator, t.Indicator.Unit, t.Basis, t.Release.ID())); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func printJSON(w io.Writer, t dtm.Table) error {
	type figure struct {
		Keys        map[string]string `json:"keys,omitempty"`
		Value       *json.Number      `json:"value"`
		Numerator   *float64          `json:"numerator,omitempty"`
		Denominator *float64          `json:"denominator,omitempty"`
		Suppressed  bool              `json:"suppressed,omitempty"`
	}
	type note struct {
		Code string   `json:"code"`
		Text dtm.Text `json:"text"`
	}
	type table struct {
		ID        string              `json:"id"`
		Indicator string              `json:"indicator"`
		Name      dtm.Text            `json:"name"`
		Period    string              `json:"period"`
		By        []string            `json:"by"`
		Where     map[string][]string `json:"where,omitempty"`
		Unit      string              `json:"unit"`
		Basis     string              `json:"basis,omitempty"`
		Release   string              `json:"release"`
		Figures   []figure            `json:"figures"`
		Notes     []note              `json:"notes,omitempty"`
	}
	out := table{
		ID: t.ID, Indicator: t.Query.Indicator, Name: t.Indicator.Name, Period: period(t), By: t.By, Where: t.Query.Where,
		Unit: t.Indicator.Unit, Basis: t.Basis, Release: t.Release.ID(), Figures: []figure{},
	}
	if out.By == nil {
		out.By = []string{}
	}
	for _, f := range t.Figures {
		o := figure{Suppressed: f.Suppressed}
		if len(t.By) > 0 {
			o.Keys = map[string]string{}
			for i, d := range t.By {
				o.Keys[d] = f.Keys[i]
			}
		}
		if !f.Suppressed {
			if f.Value != nil {
				n := json.Number(plain(t, f.Value, true))
				o.Value = &n
			}
			o.Numerator, o.Denominator = f.Numerator, f.Denominator
		}
		out.Figures = append(out.Figures, o)
	}
	for _, n := range t.Notes {
		out.Notes = append(out.Notes, note(n))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// words of the printed table.
var words = map[string]dtm.Text{
	"value":      {dtm.English: "value", dtm.French: "valeur", dtm.Arabic: "القيمة"},
	"none":       {dtm.English: "not recorded", dtm.French: "non enregistré", dtm.Arabic: "غير مسجل"},
	"missing":    {dtm.English: "no data", dtm.French: "pas de donnée", dtm.Arabic: "لا بيانات"},
	"suppressed": {dtm.English: "suppressed", dtm.French: "supprimé", dtm.Arabic: "محجوب"},
	"basis":      {dtm.English: "basis", dtm.French: "base", dtm.Arabic: "الأساس"},
	"release":    {dtm.English: "release", dtm.French: "version", dtm.Arabic: "الإصدار"},

	"movements":     {dtm.English: "movements", dtm.French: "mouvements", dtm.Arabic: "تنقلات"},
	"movements/day": {dtm.English: "movements/day", dtm.French: "mouvements/jour", dtm.Arabic: "تنقلات/يوم"},
	"percent":       {dtm.English: "percent", dtm.French: "pour cent", dtm.Arabic: "بالمئة"},
	"people":        {dtm.English: "people", dtm.French: "personnes", dtm.Arabic: "أشخاص"},
	"interviews":    {dtm.English: "interviews", dtm.French: "entretiens", dtm.Arabic: "مقابلات"},
	"incidents":     {dtm.English: "events", dtm.French: "événements", dtm.Arabic: "أحداث"},
	"sites":         {dtm.English: "sites", dtm.French: "sites", dtm.Arabic: "مواقع"},
	"days":          {dtm.English: "days", dtm.French: "jours", dtm.Arabic: "أيام"},
	"points":        {dtm.English: "points", dtm.French: "points", dtm.Arabic: "نقاط"},

	"month":       {dtm.English: "month", dtm.French: "mois", dtm.Arabic: "الشهر"},
	"day":         {dtm.English: "day", dtm.French: "jour", dtm.Arabic: "اليوم"},
	"point":       {dtm.English: "point", dtm.French: "point", dtm.Arabic: "النقطة"},
	"region":      {dtm.English: "region", dtm.French: "région", dtm.Arabic: "الإقليم"},
	"role":        {dtm.English: "role of the point", dtm.French: "rôle du point", dtm.Arabic: "دور النقطة"},
	"direction":   {dtm.English: "direction", dtm.French: "sens", dtm.Arabic: "الاتجاه"},
	"flow_type":   {dtm.English: "type of flow", dtm.French: "type de flux", dtm.Arabic: "نوع التدفق"},
	"route":       {dtm.English: "route", dtm.French: "route", dtm.Arabic: "المسار"},
	"subroute":    {dtm.English: "part of the route", dtm.French: "partie de la route", dtm.Arabic: "جزء المسار"},
	"origin":      {dtm.English: "departure", dtm.French: "départ", dtm.Arabic: "المغادرة"},
	"previous":    {dtm.English: "come from", dtm.French: "provenance", dtm.Arabic: "قادم من"},
	"next":        {dtm.English: "going to", dtm.French: "destination", dtm.Arabic: "متجه إلى"},
	"final":       {dtm.English: "intended in the end", dtm.French: "destination finale", dtm.Arabic: "الوجهة النهائية"},
	"nationality": {dtm.English: "nationality", dtm.French: "nationalité", dtm.Arabic: "الجنسية"},
	"sex":         {dtm.English: "sex", dtm.French: "sexe", dtm.Arabic: "الجنس"},
	"age":         {dtm.English: "age", dtm.French: "âge", dtm.Arabic: "العمر"},
	"age_band":    {dtm.English: "age band", dtm.French: "tranche d’âge", dtm.Arabic: "الفئة العمرية"},
	"reason":      {dtm.English: "reason", dtm.French: "motif", dtm.Arabic: "السبب"},
	"transport":   {dtm.English: "means of transport", dtm.French: "moyen de transport", dtm.Arabic: "وسيلة النقل"},

	"age_group":     {dtm.English: "age group", dtm.French: "groupe d’âge", dtm.Arabic: "الفئة العمرية"},
	"area":          {dtm.English: "sub-prefecture", dtm.French: "sous-préfecture", dtm.Arabic: "المقاطعة"},
	"blocked":       {dtm.English: "why people stay", dtm.French: "raison du séjour", dtm.Arabic: "سبب البقاء"},
	"company":       {dtm.English: "company", dtm.French: "compagnie", dtm.Arabic: "الرفقة"},
	"consent":       {dtm.English: "consent", dtm.French: "consentement", dtm.Arabic: "الموافقة"},
	"difficulty":    {dtm.English: "difficulty", dtm.French: "difficulté", dtm.Arabic: "الصعوبة"},
	"education":     {dtm.English: "school attended", dtm.French: "instruction", dtm.Arabic: "التعليم"},
	"employment":    {dtm.English: "work before leaving", dtm.French: "emploi avant le départ", dtm.Arabic: "العمل قبل المغادرة"},
	"go_back":       {dtm.English: "wish to return", dtm.French: "souhait de retour", dtm.Arabic: "الرغبة في العودة"},
	"helping":       {dtm.English: "help there", dtm.French: "aide sur place", dtm.Arabic: "وجود المساعدة"},
	"incident":      {dtm.English: "kind of event", dtm.French: "nature de l’événement", dtm.Arabic: "نوع الحدث"},
	"information":   {dtm.English: "information wanted", dtm.French: "information souhaitée", dtm.Arabic: "المعلومات المطلوبة"},
	"knows_help":    {dtm.English: "knows help", dtm.French: "connaît une aide", dtm.Arabic: "يعرف مكان المساعدة"},
	"left_when":     {dtm.English: "time since departure", dtm.French: "temps depuis le départ", dtm.Arabic: "المدة منذ المغادرة"},
	"marital":       {dtm.English: "marital status", dtm.French: "état civil", dtm.Arabic: "الحالة الاجتماعية"},
	"need":          {dtm.English: "need", dtm.French: "besoin", dtm.Arabic: "الحاجة"},
	"paid_by":       {dtm.English: "paid by", dtm.French: "financement", dtm.Arabic: "مصدر التمويل"},
	"population":    {dtm.English: "population", dtm.French: "population", dtm.Arabic: "السكان"},
	"priority":      {dtm.English: "urgency", dtm.French: "urgence", dtm.Arabic: "درجة الاستعجال"},
	"programme":     {dtm.English: "programme", dtm.French: "programme", dtm.Arabic: "البرنامج"},
	"reach":         {dtm.English: "service in reach", dtm.French: "service accessible", dtm.Arabic: "إمكانية الوصول إلى خدمة"},
	"referred":      {dtm.English: "referred to", dtm.French: "orienté vers", dtm.Arabic: "محال إلى"},
	"site":          {dtm.English: "site", dtm.French: "site", dtm.Arabic: "الموقع"},
	"stay":          {dtm.English: "planned stay", dtm.French: "séjour prévu", dtm.Arabic: "مدة الإقامة المقررة"},
	"subject":       {dtm.English: "about", dtm.French: "objet", dtm.Arabic: "الموضوع"},
	"vulnerability": {dtm.English: "vulnerability", dtm.French: "vulnérabilité", dtm.Arabic: "حالة الضعف"},
	"counted":       {dtm.English: "counted before", dtm.French: "déjà compté", dtm.Arabic: "أُحصي من قبل"},
	"wants_help":    {dtm.English: "asks for help", dtm.French: "demande de l’aide", dtm.Arabic: "يطلب المساعدة"},
	"why_final":     {dtm.English: "reason for the destination", dtm.French: "motif de la destination", dtm.Arabic: "سبب اختيار الوجهة"},

	"entry":   {dtm.English: "entry", dtm.French: "entrée", dtm.Arabic: "دخول"},
	"transit": {dtm.English: "transit", dtm.French: "transit", dtm.Arabic: "عبور"},
	"exit":    {dtm.English: "exit", dtm.French: "sortie", dtm.Arabic: "خروج"},
	"return":  {dtm.English: "return", dtm.French: "retour", dtm.Arabic: "عودة"},

	"empty": {dtm.English: "No data in this period.", dtm.French: "Aucune donnée pour cette période.", dtm.Arabic: "لا توجد بيانات لهذه الفترة."},
}

// word gives the word for a unit, a dimension or a role; the code when there is
// none.
func word(code string, lang dtm.Lang) string {
	if w, ok := words[code]; ok {
		return w.In(lang)
	}
	return code
}

func printTable(w io.Writer, t dtm.Table, op *dtm.Operation, lang dtm.Lang) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  (%s)\n", t.Indicator.Name.In(lang), period(t), word(t.Indicator.Unit, lang))
	var rows [][]string
	if len(t.By) > 0 {
		var head []string
		for _, d := range t.By {
			head = append(head, word(d, lang))
		}
		rows = append(rows, append(head, word("value", lang)))
	}
	for _, f := range t.Figures {
		row := make([]string, 0, len(f.Keys)+1)
		for i, k := range f.Keys {
			row = append(row, Label(op, t.By[i], k, lang))
		}
		switch {
		case f.Suppressed:
			row = append(row, words["suppressed"].In(lang))
		case f.Value == nil:
			row = append(row, words["missing"].In(lang))
		default:
			row = append(row, Format(t.Indicator, *f.Value, lang))
		}
		rows = append(rows, row)
	}
	if len(t.Figures) == 0 {
		fmt.Fprintf(&b, "%s\n", words["empty"].In(lang))
	} else {
		width := make([]int, len(rows[0]))
		for _, r := range rows {
			for i, s := range r {
				width[i] = max(width[i], utf8.RuneCountInString(s))
			}
		}
		for _, r := range rows {
			for i, s := range r {
				pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
				if i == len(r)-1 {
					b.WriteString(pad + s + "\n")
					continue
				}
				b.WriteString(s + pad + "  ")
			}
		}
	}
	if t.Basis != "" {
		fmt.Fprintf(&b, "%s: %s  ", words["basis"].In(lang), t.Basis)
	}
	fmt.Fprintf(&b, "%s: %s  id: %s\n", words["release"].In(lang), t.Release.ID(), t.ID)
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "* %s\n", n.Text.In(lang))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Label gives the name of a dimension's code in a language: of a point, an area, a
// country, a listed answer. The empty code is what was not recorded.
func Label(op *dtm.Operation, dim, code string, lang dtm.Lang) string {
	if code == "" {
		return words["none"].In(lang)
	}
	switch dim {
	case "month", "day":
		return code
	case "role":
		return word(code, lang)
	case "point":
		if p, ok := op.Point(code); ok {
			return p.Name.In(lang)
		}
		return code
	case "region", "area":
		if a, ok := op.Area(code); ok {
			return a.Name.In(lang)
		}
		return code
	}
	if l, ok := listOf(op, dim); ok {
		if name := l.Label(code, lang); name != "" {
			return name
		}
	}
	return code
}

// Format writes a value as it is published in a language: rounded, with the
// language's thousands separator and decimal mark.
func Format(i dtm.Indicator, v float64, lang dtm.Lang) string {
	s := strconv.FormatFloat(rounded(i, v), 'f', i.Digits(v), 64)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, has := strings.Cut(s, ".")
	thousands, mark := ",", "."
	if lang == dtm.French {
		thousands, mark = "\u202f", ","
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + thousands + whole[at:]
	}
	if has {
		whole += mark + fraction
	}
	return sign + whole
}
