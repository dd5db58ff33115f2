package site

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"dtm"
	"dtm/locale"
)

// Options say what is copied.
type Options struct {
	Pages     http.Handler // answers for pages, files and open data
	Host      string       // of the server, for examples that name it: dtm.example.org
	Languages []dtm.Lang
	Release   string // number of a release; "": the figures as a reader is shown them now
	// Skip tells that an address, "/en/report/annual-2022.pdf", is left out; nil: none is.
	Skip func(address string) bool
	// Copied is the sentence that every page ends with, in the language of the page.
	Copied func(l dtm.Lang) string
	// Progress is told how many addresses were copied, of how many known so far.
	Progress func(done, known int)
}

// Write takes a file of the copy: a name with slashes, and its content.
type Write func(name string, content []byte) error

// Result is what was copied.
type Result struct {
	Pages, Files int
	Bytes        int64
	Left         []string // addresses that pages lead to and that did not answer
}

// Copy asks for every page from each language's first one on, and for every file they
// lead to, and writes them. A choice of a page, such as the month, becomes a list of
// links, each to a page of its own; choices are not combined with one another.
func Copy(ctx context.Context, o Options, write Write) (Result, error) {
	c := &copier{Options: o, write: write, files: map[string]string{}, names: map[string]bool{}, met: map[string]bool{}}
	for _, l := range o.Languages {
		c.want(c.first(l))
	}
	for len(c.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return c.result, err
		}
		at := c.queue[0]
		c.queue = c.queue[1:]
		if err := c.take(ctx, at); err != nil {
			return c.result, err
		}
		if o.Progress != nil {
			o.Progress(len(c.met)-len(c.queue), len(c.met))
		}
	}
	for _, p := range c.pages {
		b, err := c.relink(p)
		if err != nil {
			return c.result, fmt.Errorf("%s: %w", p.at, err)
		}
		if err := c.put(p.file, b); err != nil {
			return c.result, err
		}
	}
	slices.Sort(c.result.Left)
	return c.result, c.put("index.html", c.door())
}

type copier struct {
	Options
	write  Write
	queue  []string
	met    map[string]bool   // addresses asked for or to be
	files  map[string]string // address -> file
	names  map[string]bool   // files, in small letters: some disks do not tell them apart
	pages  []taken
	result Result
}

// taken is a page as it was answered; its links are made when all files have names.
type taken struct {
	at, file string
	html     []byte
}

func (c *copier) put(name string, b []byte) error {
	c.result.Files++
	c.result.Bytes += int64(len(b))
	return c.write(name, b)
}

func (c *copier) want(at string) {
	if !c.met[at] && (c.Skip == nil || !c.Skip(at)) {
		c.met[at] = true
		c.queue = append(c.queue, at)
	}
}

// Answer is what a handler answers within the process; an http.ResponseWriter.
type Answer struct {
	Code   int
	Body   bytes.Buffer
	header http.Header
}

// Header is that of the answer.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader keeps the code.
func (a *Answer) WriteHeader(code int) {
	if a.Code == 0 && code >= http.StatusOK {
		a.Code = code
	}
}

func (a *Answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.Body.Write(b)
}

// Ask asks a handler for an address as a browser would; what it cuts off is an error.
func Ask(ctx context.Context, h http.Handler, host, at string) (a *Answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r.Host, r.RequestURI = host, at
	a = &Answer{header: http.Header{}}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = fmt.Errorf("%s was cut off", at)
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(a, r)
	return a, ctx.Err()
}

func (c *copier) take(ctx context.Context, at string) error {
	a, err := Ask(ctx, c.Pages, c.Host, at)
	if err != nil {
		return err
	}
	switch {
	case a.Code >= http.StatusInternalServerError:
		return dtm.Errorf(dtm.Unavailable, "%s cannot be copied: the answer is %d", at, a.Code)
	case a.Code != http.StatusOK:
		c.result.Left = append(c.result.Left, at)
		return nil
	}
	kind, _, _ := strings.Cut(a.Header().Get("Content-Type"), ";")
	file := c.name(at, kind)
	c.files[at] = file
	b := a.Body.Bytes()
	switch kind {
	case "text/html":
		links, err := linksOf(b)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		for _, l := range links {
			if to, ok := c.address(at, l); ok {
				c.want(to)
			}
		}
		c.result.Pages++
		c.pages = append(c.pages, taken{at, file, b})
		return nil
	case "text/css":
		b = cssURL.ReplaceAllFunc(b, func(m []byte) []byte {
			to := string(cssURL.FindSubmatch(m)[1])
			if !strings.HasPrefix(to, "/asset/") {
				return m
			}
			c.want(to)
			return []byte("url(" + relative(file, strings.TrimPrefix(to, "/")) + ")")
		})
	}
	return c.put(file, b)
}

var cssURL = regexp.MustCompile(`url\(["']?([^)"']+)["']?\)`)

// address is the address in the copy that a link of a page means; false for those that
// lead out of it: other sites, mail, the pages of the staff.
func (c *copier) address(page, link string) (string, bool) {
	base, err := url.Parse(page)
	if err != nil {
		return "", false
	}
	u, err := base.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return "", false
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	switch {
	case first == "asset", first == "api":
	case slices.Contains(c.Languages, dtm.Lang(first)) && !strings.HasPrefix(rest, "staff"):
	default:
		return "", false
	}
	q := u.Query()
	for k, v := range q {
		if len(v) == 1 && v[0] == "" {
			q.Del(k)
		}
	}
	if c.Release != "" && !q.Has("release") && c.released(first, rest) {
		q.Set("release", c.Release)
	}
	if month, _, ok := strings.Cut(c.Release, "/"); ok && rest == "reports/" && !q.Has("to") {
		q.Set("to", month)
	}
	if first == "api" && path.Ext(u.Path) == ".json" && !strings.HasSuffix(u.Path, "/openapi.json") && strings.Count(u.Path, "/") == 3 {
		q.Set("limit", "10000") // a file is not turned over
	}
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String(), true
}

// released tells which addresses answer from the release that is asked for.
func (c *copier) released(first, rest string) bool {
	if first == "api" {
		return strings.HasPrefix(rest, "v1/flows.") || strings.HasPrefix(rest, "v1/presence.")
	}
	month, _, _ := strings.Cut(c.Release, "/")
	file, ok := strings.CutPrefix(rest, "report/")
	return rest == "" || strings.HasPrefix(rest, "data/") && rest != "data/" || ok && strings.HasSuffix(file, month+".pdf")
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// name gives an address the name of its file: its path, then what its query asks.
func (c *copier) name(at, kind string) string {
	u, err := url.Parse(at)
	if err != nil {
		return "" // it was asked for
	}
	name := strings.TrimPrefix(u.Path, "/")
	if strings.HasSuffix(u.Path, "/") {
		name += "index"
	}
	q := u.Query()
	q.Del("limit")
	if q.Get("release") == c.Release {
		q.Del("release")
	}
	ext := path.Ext(name)
	switch {
	case kind == "text/html":
		name, ext = strings.TrimSuffix(name, ".html"), ".html"
	case ext == "":
		ext = ".json"
	default:
		name = strings.TrimSuffix(name, ext)
	}
	if asked := q.Encode(); asked != "" {
		name += "-" + asked
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = strings.Trim(unsafe.ReplaceAllString(p, "-"), "-.")
	}
	name = strings.Join(parts, "/")
	for n := 2; c.names[strings.ToLower(name+ext)]; n++ {
		name = strings.TrimSuffix(name, fmt.Sprintf("-%d", n-1)) + fmt.Sprintf("-%d", n)
	}
	c.names[strings.ToLower(name+ext)] = true
	return name + ext
}

// relative is how a file leads to another.
func relative(from, to string) string {
	up := strings.Count(from, "/")
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	same := 0
	for same < up && same < len(b)-1 && a[same] == b[same] {
		same++
	}
	return strings.Repeat("../", up-same) + strings.Join(b[same:], "/")
}

// first is the address of a language's first page, of the release that is asked for.
func (c *copier) first(l dtm.Lang) string {
	at, _ := c.address("/", "/"+string(l)+"/") // a page of the copy
	return at
}

// door leads from the folder to the languages.
func (c *copier) door() []byte {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"" + string(c.Languages[0]) + "\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>DTM</title>\n<meta http-equiv=\"refresh\" content=\"0; url=" + c.files[c.first(c.Languages[0])] + "\"></head>\n<body><ul>\n")
	for _, l := range c.Languages {
		if file := c.files[c.first(l)]; file != "" {
			b.WriteString("<li><a lang=\"" + string(l) + "\" href=\"" + file + "\">" + locale.Say(l, "site.enter") + "</a></li>\n")
		}
	}
	b.WriteString("</ul></body>\n</html>\n")
	return []byte(b.String())
}
