package openrosa

import "strings"

// App names what a phone uses by its User-Agent, "ODK Collect v2025.2.3" or "Chrome
// 130"; "" when it says nothing that a person would know it by.
func App(agent string) string {
	first, rest, _ := strings.Cut(agent, " ")
	name, version, _ := strings.Cut(first, "/")
	switch {
	case name == "org.odk.collect.android":
		return strings.TrimSpace("ODK Collect " + short(version))
	case name == "org.koboc.collect.android":
		return strings.TrimSpace("KoboCollect " + short(version))
	case name != "Mozilla":
		return ""
	}
	// A browser names those it wants to be taken for, too: the particular ones first.
	for _, known := range [][2]string{{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"SamsungBrowser/", "Samsung Internet"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"}} {
		if _, v, ok := strings.Cut(rest, known[0]); ok {
			major, _, _ := strings.Cut(v, ".")
			return known[1] + " " + short(major)
		}
	}
	return ""
}

// short is the start of what a stranger wrote, letters, digits, dots and dashes only.
func short(s string) string {
	for i, c := range s {
		if i == 24 || !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return s[:i]
		}
	}
	return s
}
