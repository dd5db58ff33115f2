package site

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"dtm"
	"dtm/locale"
)

// choice is a list to choose from in a form that asks for a page.
type choice struct {
	label   string
	name    string
	options []option
}

type option struct {
	label, link string
	selected    bool
}

func each(n *html.Node, f func(*html.Node)) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling // f may take c out
		f(c)
		if c.Parent != nil {
			each(c, f)
		}
		c = next
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	each(n, func(c *html.Node) {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	})
	return strings.TrimSpace(b.String())
}

// asks tells whether n is a form that asks for a page.
func asks(n *html.Node) bool {
	return n.Type == html.ElementNode && n.DataAtom == atom.Form && !strings.EqualFold(attr(n, "method"), "post")
}

// choices are the lists of a form. Of two lists for the first and the last month, the
// first alone is one: a month without a last one is that month.
func choices(form *html.Node) (out []choice) {
	hidden := url.Values{}
	var selects []*html.Node
	each(form, func(n *html.Node) {
		switch {
		case n.Type != html.ElementNode:
		case n.DataAtom == atom.Input && attr(n, "type") == "hidden":
			hidden.Set(attr(n, "name"), attr(n, "value"))
		case n.DataAtom == atom.Select:
			selects = append(selects, n)
		}
	})
	span := slices.ContainsFunc(selects, func(n *html.Node) bool { return attr(n, "name") == "from" })
	for _, s := range selects {
		c := choice{name: attr(s, "name")}
		if c.name == "to" && span {
			continue
		}
		if l := s.Parent; l != nil && l.DataAtom == atom.Label && l.FirstChild != nil {
			c.label = strings.TrimSpace(l.FirstChild.Data)
		}
		each(s, func(n *html.Node) {
			if n.Type != html.ElementNode || n.DataAtom != atom.Option {
				return
			}
			q := url.Values{}
			for k, v := range hidden {
				q[k] = v
			}
			if v := attr(n, "value"); v != "" {
				q.Set(c.name, v)
			}
			c.options = append(c.options, option{words(n), attr(form, "action") + "?" + q.Encode(), slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "selected" })})
		})
		out = append(out, c)
	}
	return out
}

// linkAttr is the attribute by which an element leads elsewhere; "" for others.
func linkAttr(n *html.Node) string {
	switch n.DataAtom {
	case atom.A, atom.Link, atom.Area:
		return "href"
	case atom.Img, atom.Source, atom.Iframe:
		return "src"
	}
	return ""
}

// linksOf are all addresses that a page leads to, those of its choices among them.
func linksOf(b []byte) (out []string, err error) {
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	each(doc, func(n *html.Node) {
		if n.Type != html.ElementNode {
			return
		}
		if asks(n) {
			for _, c := range choices(n) {
				for _, o := range c.options {
					out = append(out, o.link)
				}
			}
		}
		if name := linkAttr(n); name != "" {
			if v := attr(n, name); v != "" && !strings.HasPrefix(v, "#") {
				out = append(out, v)
			}
		}
	})
	return out, nil
}

func element(a atom.Atom, attrs ...string) *html.Node {
	n := &html.Node{Type: html.ElementNode, DataAtom: a, Data: a.String()}
	for i := 0; i+1 < len(attrs); i += 2 {
		n.Attr = append(n.Attr, html.Attribute{Key: attrs[i], Val: attrs[i+1]})
	}
	return n
}

func with(n *html.Node, text string) *html.Node {
	n.AppendChild(&html.Node{Type: html.TextNode, Data: text})
	return n
}

// relink gives a page its form on disk: links lead to files, choices are links, and
// nothing is left that needs a server.
func (c *copier) relink(p taken) ([]byte, error) {
	doc, err := html.Parse(bytes.NewReader(p.html))
	if err != nil {
		return nil, err
	}
	l := dtm.Lang(strings.SplitN(p.file, "/", 2)[0])
	to := func(link string) (string, bool) {
		at, ok := c.address(p.at, link)
		file, known := c.files[at]
		if !ok || !known {
			return "", false
		}
		out := relative(p.file, file)
		if _, fragment, ok := strings.Cut(link, "#"); ok {
			out += "#" + fragment
		}
		return out, true
	}
	each(doc, func(n *html.Node) {
		switch {
		case n.Type != html.ElementNode:
			return
		case n.DataAtom == atom.Script:
			n.Parent.RemoveChild(n)
			return
		case asks(n):
			if list := c.list(n, l, to); list != nil {
				n.Parent.InsertBefore(list, n)
			}
			n.Parent.RemoveChild(n)
			return
		case n.DataAtom == atom.Footer && c.Copied != nil:
			n.AppendChild(with(element(atom.P), c.Copied(l)))
		}
		name := linkAttr(n)
		if name == "" {
			return
		}
		for i, a := range n.Attr {
			if a.Key != name || strings.HasPrefix(a.Val, "#") {
				continue
			}
			if file, ok := to(a.Val); ok {
				n.Attr[i].Val = file
				return
			}
			if u, err := url.Parse(a.Val); err == nil && u.Scheme != "" {
				return // mail, another site
			}
			if n.DataAtom == atom.Link {
				n.Parent.RemoveChild(n)
				return
			}
			n.Attr = slices.Delete(n.Attr, i, i+1) // the words stay
			return
		}
	})
	var b bytes.Buffer
	err = html.Render(&b, doc)
	return b.Bytes(), err
}

// list is a form as links; nil when it leads nowhere.
func (c *copier) list(form *html.Node, l dtm.Lang, to func(string) (string, bool)) *html.Node {
	nav := element(atom.Nav, "class", "choices", "aria-label", locale.Say(l, "filter.title"))
	for _, ch := range choices(form) {
		ul := element(atom.Ul)
		for _, o := range ch.options {
			file, ok := to(o.link)
			if !ok {
				continue
			}
			a := with(element(atom.A, "href", file), o.label)
			if o.selected {
				a.Attr = append(a.Attr, html.Attribute{Key: "aria-current", Val: "true"})
			}
			li := element(atom.Li)
			li.AppendChild(a)
			ul.AppendChild(li)
		}
		if ul.FirstChild == nil {
			continue
		}
		label := ch.label
		if ch.name == "from" || ch.name == "to" {
			label = locale.Say(l, "site.month")
		}
		d := element(atom.Details)
		d.AppendChild(with(element(atom.Summary), label))
		d.AppendChild(ul)
		nav.AppendChild(d)
	}
	if nav.FirstChild == nil {
		return nil
	}
	return nav
}
