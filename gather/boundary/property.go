package boundary

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// COD-AB has named its properties in several ways: ADM1_PCODE, ADM1_EN, ADM1_FR,
// ADM1ALT1EN (to 2024); adm1_pcode, adm1_name, adm1_name1 with their languages in lang,
// lang1 (from 2025); admin1Pcode, admin1Name_en (services). Letters' case is not looked
// at. Our own boundaries have code, level, name_en.
var (
	pcodeName = regexp.MustCompile(`^adm(?:in)?([0-5])_?pcode$`)
	labelName = regexp.MustCompile(`^adm(?:in)?([0-5])_?(?:name)?_?(en|fr|ar)$`)
	plainName = regexp.MustCompile(`^adm(?:in)?([0-5])_?(?:ref)?name([1-3]?)$`)
)

// properties are what a feature says of its area.
type properties struct {
	level  int
	code   string
	codeAt string   // name of the property that it is from
	above  []string // P-codes of the levels above, from 0
	name   dtm.Text
	plain  string // a name of which the language is not said
	has    bool   // there is a P-code property at all
}

// read finds the deepest level that the feature has a P-code property for.
func read(raw map[string]any) properties {
	p := properties{level: -1, name: dtm.Text{}}
	text := func(v any) string {
		s, _ := v.(string)
		return strings.TrimSpace(strings.ToValidUTF8(s, ""))
	}
	codes := map[int][2]string{} // by level: name, value
	lower := map[string]any{}
	keys := make([]string, 0, len(raw))
	for k := range raw {
		keys = append(keys, k)
	}
	slices.Sort(keys) // the same file gives the same areas
	for _, k := range keys {
		l := strings.ToLower(k)
		lower[l] = raw[k]
		if m := pcodeName.FindStringSubmatch(l); m != nil {
			n, _ := strconv.Atoi(m[1])
			codes[n] = [2]string{k, text(raw[k])}
			p.level = max(p.level, n)
		}
	}
	if level, ok := lower["level"].(float64); ok && len(codes) == 0 && lower["code"] != nil && level == float64(int(level)) && level >= 0 && level <= 5 {
		p.level, p.has = int(level), true
		p.code, p.codeAt = text(lower["code"]), "code"
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			if s := text(lower["name_"+string(l)]); s != "" {
				p.name[l] = s
			}
		}
		p.plain = text(lower["name"])
		return p
	}
	if p.level < 0 {
		return p
	}
	p.has, p.codeAt, p.code = true, codes[p.level][0], codes[p.level][1]
	for n := range p.level {
		p.above = append(p.above, codes[n][1])
	}
	for _, k := range keys {
		l := strings.ToLower(k)
		if m := labelName.FindStringSubmatch(l); m != nil && m[1] == strconv.Itoa(p.level) {
			if s := text(raw[k]); s != "" {
				p.name[dtm.Lang(m[2])] = s
			}
		}
		if m := plainName.FindStringSubmatch(l); m != nil && m[1] == strconv.Itoa(p.level) {
			s := text(raw[k])
			lang := dtm.Lang(strings.ToLower(text(lower["lang"+m[2]])))
			switch {
			case s == "":
			case lang == dtm.English || lang == dtm.French || lang == dtm.Arabic:
				if p.name[lang] == "" {
					p.name[lang] = s
				}
			case m[2] == "" && p.plain == "":
				p.plain = s
			}
		}
	}
	return p
}

// parent is the P-code of the area above; what the properties say, else what the code
// begins with.
func (p properties) parent(country string) string {
	if p.level <= 1 {
		return ""
	}
	if len(p.above) == p.level && p.above[p.level-1] != "" {
		return p.above[p.level-1]
	}
	if n := len(country) + 2*(p.level-1); len(p.code) > n {
		return p.code[:n]
	}
	return ""
}
