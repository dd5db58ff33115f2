package postgres

import (
	"regexp"
	"strings"
	"sync"
)

// The words in which the shared text differs from PostgreSQL's; see decision 0050.
var (
	indexedBy = regexp.MustCompile(`\s+INDEXED BY \w+`)
	inList    = regexp.MustCompile(`(NOT )?IN \(SELECT value FROM json_each\((\$\d+)\)\)`)
	jsonEach  = regexp.MustCompile(`SELECT value FROM json_each\((\$\d+)\)`)
)

var spelt sync.Map // text -> text

// spell gives a statement in PostgreSQL's words.
func spell(query string) string {
	if s, ok := spelt.Load(query); ok {
		return s.(string)
	}
	s := indexedBy.ReplaceAllString(query, "")
	s = strings.ReplaceAll(s, "CROSS JOIN", "JOIN")
	// An array is looked up by an index whatever the planner thinks of the table.
	s = inList.ReplaceAllStringFunc(s, func(in string) string {
		m := inList.FindStringSubmatch(in)
		if m[1] != "" {
			return in
		}
		return "= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(" + m[2] + " AS jsonb))))"
	})
	s = jsonEach.ReplaceAllString(s, `SELECT value FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS each (value)`)
	spelt.Store(query, s)
	return s
}

var (
	comment  = regexp.MustCompile(`--[^\n]*`)
	types    = strings.NewReplacer(" TEXT", ` TEXT COLLATE "C"`, " INTEGER", " BIGINT", " BLOB", " BYTEA", " REAL", " DOUBLE PRECISION", " WITHOUT ROWID", "", "TABLE user ", `TABLE "user" `)
	trigger  = regexp.MustCompile(`(?s)^CREATE TRIGGER (\w+)\s+BEFORE (UPDATE(?: OF [^;]*?)?|DELETE) ON (\w+)(?:\s+WHEN (.*?))?\s+BEGIN SELECT RAISE\(ABORT, '([^']*)'\)$`)
	dropping = regexp.MustCompile(`^DROP TRIGGER (\w+)$`)
	moving   = regexp.MustCompile(`(?s)^(INSERT|UPDATE)\s`)
)

// firstSteps is how many steps the program had that first wrote to PostgreSQL: what
// earlier ones made of rows that were there is of no database here.
const firstSteps = 25

// speller gives the statements of migrations, one by one and in PostgreSQL's words.
type speller struct {
	tables map[string]string // trigger -> its table
}

func (s *speller) statements(number int, text string) (list []string) {
	text = comment.ReplaceAllString(text, "")
	for _, q := range strings.Split(text, ";") {
		q = strings.TrimSpace(q)
		if q == "" || q == "END" || number <= firstSteps && moving.MatchString(q) {
			continue
		}
		if m := trigger.FindStringSubmatch(q); m != nil {
			s.tables[m[1]] = m[3]
			q = "CREATE TRIGGER " + m[1] + " BEFORE " + m[2] + " ON " + m[3] + " FOR EACH ROW"
			if m[4] != "" {
				q += " WHEN (" + m[4] + ")"
			}
			list = append(list, q+" EXECUTE FUNCTION refuse('"+m[5]+"')")
			continue
		}
		if m := dropping.FindStringSubmatch(q); m != nil {
			list = append(list, q+" ON "+s.tables[m[1]])
			continue
		}
		list = append(list, types.Replace(q))
	}
	return list
}
