package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference is the list of settings as a Markdown table, for doc/settings.md: key,
// environment variable, default, meaning.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key in config.toml | environment | default | meaning |\n| --- | --- | --- | --- |\n")
	d := Default()
	v := reflect.ValueOf(d)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("toml")
		def := fmt.Sprint(v.Field(i).Interface())
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `DTM_%s` | %s | %s |\n", key, strings.ToUpper(key), def, f.Tag.Get("help"))
	}
	return b.String()
}
