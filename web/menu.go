package web

import "dtm/disseminate/overview"

// Topics are the public pages about what is known, Tools those about how.
func (g page) Topics() []menuItem {
	list := []menuItem{g.item("dashboard", "page.dashboard", "/")}
	for _, s := range overview.Subjects {
		list = append(list, g.item(string(s), "subject."+string(s), "/"+string(s)+"/"))
	}
	return append(list, g.item("warning", "warning.title", "/warning/"), g.item("outlook", "outlook.title", "/outlook/"), g.item("reports", "reports.title", "/reports/"))
}

// Tools are the public pages about how the figures come about and where they are had.
func (g page) Tools() []menuItem {
	list := []menuItem{g.item("network", "network.title", "/network/"), g.item("indicators", "page.indicators", "/indicators/")}
	if g.HasReleases {
		list = append(list, g.item("releases", "release.title", "/releases/"))
	}
	if g.HasData {
		list = append(list, g.item("data", "data.title", "/data/"))
	}
	return append(list, g.item("methods", "page.methods", "/methods"))
}

func (g page) item(section, key, path string) menuItem {
	return menuItem{Label: g.T(key), Href: g.Link(path), Current: g.Section == section}
}

// Navigation is the menu of the page: the staff's behind sign-in, else all public pages.
func (g page) Navigation() []menuItem {
	if len(g.Menu) > 0 {
		return g.Menu
	}
	return append(g.Topics(), g.Tools()...)
}
