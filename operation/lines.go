package operation

import "strings"

// lines are those of a TOML file, for saying where a fault is: the decoder does
// not keep the places of keys.
type lines []string

// find gives the number of the first line after the given one that sets a key, or
// begins the table of that name; 0 when there is none.
func (l lines) find(after int, key string) int {
	for i := after; i < len(l); i++ {
		rest, ok := strings.CutPrefix(strings.TrimLeft(l[i], " \t["), key)
		if ok && (rest == "" || strings.ContainsRune(" \t=].\r", rune(rest[0]))) {
			return i + 1
		}
	}
	return 0
}
