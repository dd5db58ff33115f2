package odata

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dtm"
	"dtm/gather/xform"
)

// Handler gives submissions as tables. All fields but those below the line are
// required.
type Handler struct {
	Stream      dtm.SubmissionStream
	Submissions dtm.Submissions
	Blobs       dtm.Blobs
	Devices     dtm.Devices
	Audit       dtm.Audit
	// Exported is told of a table or file that goes out whole or in part, "form:fmr", and
	// how it was asked for; nil: nobody is.
	Exported func(ctx context.Context, what string, how map[string]any) error
	Now      func() time.Time

	// -----

	// Base is the server's public address, "https://dtm.example.org"; when empty it is
	// the address that was asked.
	Base string
	// Tags gives a form's HXL tags by the XPath of the question, for CSV; nil: none.
	Tags func(ctx context.Context, form string) (map[string]string, error)

	mu      sync.Mutex
	layouts map[string]knownLayout
	started time.Time
}

type knownLayout struct {
	versions string // what the layout was made of
	layout   *layout
}

// layout is that of a form now: NotFound.
func (h *Handler) layout(ctx context.Context, form string) (*layout, error) {
	versions, err := h.Stream.Versions(ctx, form)
	if err != nil {
		return nil, err
	}
	sum := ""
	for _, v := range versions {
		sum += v.Version + "\x00" + v.Hash + "\x00"
	}
	h.mu.Lock()
	k, ok := h.layouts[form]
	h.mu.Unlock()
	if ok && k.versions == sum {
		return k.layout, nil
	}
	models := make([]*xform.Model, 0, len(versions))
	for _, v := range versions {
		m, err := xform.ReadModel(v.XForm)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	l := newLayout(form, models)
	h.mu.Lock()
	if h.layouts == nil {
		h.layouts = map[string]knownLayout{}
	}
	h.layouts[form] = knownLayout{sum, l}
	h.mu.Unlock()
	return l, nil
}

// Form answers below /v1/projects/1/forms/FORM.svc: rest is "" (the service
// document), "$metadata", "Submissions", "Submissions.group.repeat",
// "Submissions('uuid:1')" or "Submissions('uuid:1')/group/repeat".
func (h *Handler) Form(w http.ResponseWriter, r *http.Request, form, rest string) error {
	w.Header().Set("OData-Version", "4.0")
	l, err := h.layout(r.Context(), form)
	if err != nil {
		return err
	}
	rest = strings.Trim(rest, "/")
	switch rest {
	case "":
		return h.service(w, r, l)
	case "$metadata":
		return h.metadata(w, l)
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the address's query cannot be read: %w", err).Coded("odata.query")
	}
	o, err := parseOptions(q)
	if err != nil {
		return err
	}
	name, id, below := target(rest)
	t := l.table(strings.Join(append([]string{name}, below...), "."))
	if t == nil {
		return dtm.Errorf(dtm.NotFound, "there is no table %q; the service document lists them", rest).Coded("odata.table", rest)
	}
	names, err := h.names(r.Context())
	if err != nil {
		return err
	}
	v := &view{layout: l, table: t, expand: o.expand, wkt: o.wkt, names: names}
	if err := v.pick(o.pick); err != nil {
		return err
	}
	if o.filter != nil {
		if err := t.bind(o.filter); err != nil {
			return err
		}
	}
	for _, x := range o.order {
		if err := t.bind(x.by); err != nil {
			return err
		}
	}
	a := &answer{Handler: h, r: r, view: v, options: o, now: h.Now(), base: h.address(r, form)}
	if id != nil {
		return a.one(w, *id)
	}
	fresh, err := h.unchanged(w, r)
	if err == nil && !fresh {
		err = h.exported(r, form, "odata", t.name)
	}
	if err != nil || fresh {
		return err
	}
	return a.all(w)
}

// target takes "Submissions('uuid:1')/a/b" apart.
func target(rest string) (name string, id *string, below []string) {
	at := strings.IndexByte(rest, '(')
	if at < 0 {
		return rest, nil, nil
	}
	end := strings.LastIndexByte(rest, ')')
	if end < at {
		return rest, nil, nil
	}
	key := strings.ReplaceAll(strings.Trim(rest[at+1:end], "'"), "''", "'")
	if tail := strings.Trim(rest[end+1:], "/"); tail != "" {
		below = strings.Split(tail, "/")
	}
	return rest[:at], &key, below
}

// names are those of devices by id.
func (h *Handler) names(ctx context.Context) (map[string]string, error) {
	list, err := h.Devices.Devices(ctx)
	names := make(map[string]string, len(list))
	for _, d := range list {
		names[d.ID] = d.Name
	}
	return names, err
}

// unchanged tells a client that has the answer already so: it changes with the log.
func (h *Handler) unchanged(w http.ResponseWriter, r *http.Request) (bool, error) {
	last, err := h.Audit.LastChange(r.Context())
	if err != nil {
		return false, err
	}
	sum := fnv.New64a()
	h.mu.Lock()
	if h.started.IsZero() {
		h.started = h.Now()
	}
	fmt.Fprintf(sum, "%d %d %s", h.started.UnixNano(), last, r.URL.RequestURI()) // another program may write otherwise
	h.mu.Unlock()
	if strings.Contains(r.URL.RawQuery, "now") { // it changes by itself
		return false, nil
	}
	return fresh(w, r, fmt.Sprintf(`W/"%x"`, sum.Sum64())), nil
}

// exported tells that rows of a form go out. Pages of one table are one export: where
// the page begins is not told, and of filters only that there are some.
func (h *Handler) exported(r *http.Request, form, as, table string) error {
	if h.Exported == nil {
		return nil
	}
	how := map[string]any{"as": as}
	if table != "" {
		how["table"] = table
	}
	var narrowed []string
	for k := range r.URL.Query() {
		if k != "$skiptoken" && k != "$skip" && k != "$top" && k != "$count" {
			narrowed = append(narrowed, k)
		}
	}
	if slices.Sort(narrowed); len(narrowed) > 0 {
		how["options"] = narrowed
	}
	return h.Exported(r.Context(), "form:"+form, how)
}

// fresh sets the tag of an answer; true: the client has it, and was told so.
func fresh(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(have), "W/") == strings.TrimPrefix(tag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// address is that of the form's service, without a slash at its end.
func (h *Handler) address(r *http.Request, form string) string {
	base := strings.TrimRight(h.Base, "/")
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			base = "https://" + r.Host
		}
	}
	return base + "/v1/projects/1/forms/" + url.PathEscape(form) + ".svc"
}

// answer is one request on its way.
type answer struct {
	*Handler
	r    *http.Request
	view *view
	options
	now  time.Time
	base string
}

const jsonType = "application/json; charset=utf-8"

// batch is what became of some submissions.
type batch struct {
	buf  []byte
	rows []row
	err  error
}

type row struct {
	end  int // in buf
	from token
	keys []value // of $orderby
}

// tail writes what stands after the rows.
func (a *answer) tail(b []byte, next string, count int) []byte {
	b = append(b, `],"@odata.context":`...)
	b = appendText(b, []byte(a.base+"/$metadata#"+a.view.table.name))
	if next != "" {
		b = appendText(append(b, `,"@odata.nextLink":`...), []byte(next))
	}
	if a.count {
		b = strconv.AppendInt(append(b, `,"@odata.count":`...), int64(count), 10)
	}
	return append(b, '}')
}

// one answers with the rows of a single submission.
func (a *answer) one(w http.ResponseWriter, id string) error {
	ctx := a.r.Context()
	s, err := a.Submissions.Submission(ctx, id)
	for err == nil && s.State == "superseded" { // the first id stands for all versions
		var by string
		if by, err = a.Stream.Replacement(ctx, s.ID); err == nil {
			s, err = a.Submissions.Submission(ctx, by)
		}
	}
	if err != nil {
		return err
	}
	if s.Form != a.view.layout.form {
		return dtm.Errorf(dtm.NotFound, "there is no submission %s of this form", id).Coded("submission.unknown", id)
	}
	x := dtm.Streamed{Submission: s, Present: len(s.Attachments)}
	for before := s; before.Deprecates != ""; x.Edits++ {
		if before, err = a.Submissions.Submission(ctx, before.Deprecates); err != nil {
			return err
		}
		x.Root = before.ID
	}
	done := a.make(&reader{layout: a.view.layout}, []dtm.Streamed{x})
	if done.err != nil {
		return done.err
	}
	w.Header().Set("Content-Type", jsonType)
	b := append([]byte(`{"value":[`), done.buf...)
	_, err = w.Write(a.tail(b, "", len(done.rows)))
	return err
}

// make writes the rows of some submissions that pass the filter, with commas
// between.
func (a *answer) make(p *reader, list []dtm.Streamed) batch {
	var out batch
	if b, ok := buffers.Get().(*[]byte); ok {
		out.buf = (*b)[:0]
	} else {
		out.buf = make([]byte, 0, 2048*len(list))
	}
	for i := range list {
		top := p.read(&list[i])
		top.identify()
		err := top.rows(a.view.table, func(r *record) error {
			if a.filter != nil && !a.filter.evaluate(a.now, r.get(a.view.names)).true() {
				return nil
			}
			x := row{from: token{Seq: r.Seq, ID: list[i].ID}}
			if r.parent != nil {
				x.from.Repeat = r.id
			}
			for _, o := range a.order {
				v := o.by.evaluate(a.now, r.get(a.view.names))
				v.s = strings.Clone(v.s)
				x.keys = append(x.keys, v)
			}
			if len(out.rows) > 0 && len(a.order) == 0 {
				out.buf = append(out.buf, ',')
			}
			out.buf = a.view.row(out.buf, r)
			x.end = len(out.buf)
			out.rows = append(out.rows, x)
			return nil
		})
		if err != nil {
			out.err = err
		}
	}
	return out
}

// buffers hold rows between being made and being written.
var buffers sync.Pool

// done gives the batch's memory back.
func (b *batch) done() { buffers.Put(&b.buf) }

// query is what of the table's request the store can answer by itself.
func (a *answer) query() (q dtm.SubmissionQuery, pushed bool) {
	q.Form = a.view.layout.form
	if a.token != nil {
		q.Before = a.token.Seq
		if a.token.Repeat != "" {
			q.Before++ // the rest of that submission's turns comes first
		}
	}
	if a.filter == nil && len(a.order) == 0 && a.view.table.parent == nil {
		q.Skip = a.skip
		if a.top >= 0 {
			q.Limit = a.top + 1 // one more tells whether a page follows
		}
		return q, true
	}
	q.From, q.To = bounds(a.filter)
	return q, false
}

// bounds are the limits that a filter sets to the time of reception; the filter
// itself is still asked.
func bounds(e *expr) (from, to time.Time) {
	if e == nil {
		return
	}
	if e.op == "and" {
		from, to = bounds(e.args[0])
		f, t := bounds(e.args[1])
		if f.After(from) {
			from = f
		}
		if to.IsZero() || !t.IsZero() && t.Before(to) {
			to = t
		}
		return from, to
	}
	if !slices.Contains([]string{"gt", "ge", "lt", "le", "eq"}, e.op) || e.args[0].sys != "submissionDate" || e.args[1].op != "value" {
		return
	}
	v := e.args[1].val
	if v.kind != date && v.kind != instant {
		return
	}
	switch e.op {
	case "gt", "ge":
		return v.t, to
	case "lt":
		return from, v.t.Add(time.Second)
	case "le", "eq":
		if e.op == "eq" {
			from = v.t
		}
		return from, v.t.Add(time.Second)
	}
	return
}

// batches gives f the rows of the query, in order, made by as many goroutines as
// there are processors.
func (a *answer) batches(ctx context.Context, q dtm.SubmissionQuery, f func(batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inOrder := make(chan chan batch, 2*runtime.GOMAXPROCS(0))
	readers := make(chan *reader, runtime.GOMAXPROCS(0))
	for range cap(readers) {
		readers <- &reader{layout: a.view.layout}
	}
	var failed error
	go func() {
		defer close(inOrder)
		failed = a.Stream.Stream(ctx, q, func(list []dtm.Streamed) error {
			var p *reader
			select {
			case p = <-readers:
			case <-ctx.Done():
				return ctx.Err()
			}
			done := make(chan batch, 1)
			go func() {
				done <- a.make(p, list)
				readers <- p
			}()
			select {
			case inOrder <- done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var err error
	for done := range inOrder {
		if err != nil {
			continue // what is on its way is let in
		}
		b := <-done
		if err = cmp.Or(b.err, f(b)); err != nil {
			cancel()
		}
	}
	if err != nil {
		return err
	}
	return failed
}

// errEnough ends a stream of which no more is wanted.
var errEnough = fmt.Errorf("enough")

// maxSorted is how many rows are put in order for one answer: they are held in
// memory.
const maxSorted = 200_000

func (a *answer) all(w http.ResponseWriter) error {
	if len(a.order) > 0 {
		return a.sorted(w)
	}
	ctx := a.r.Context()
	q, pushed := a.query()
	total := 0
	if a.count && pushed {
		var err error
		if total, err = a.Stream.CountSubmissions(ctx, dtm.SubmissionQuery{Form: q.Form}); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", jsonType)
	out := bufio.NewWriterSize(w, 1<<16)
	if _, err := out.WriteString(`{"value":[`); err != nil {
		return err
	}
	written, skip, passed, more := 0, a.skip, a.token == nil || a.token.Repeat == "", false
	if pushed {
		skip = 0
	}
	var last token
	each := func(b batch) error {
		defer b.done()
		begin := 0
		for _, x := range b.rows {
			start := begin
			begin = x.end
			if !passed { // the page before ended in the middle of a submission
				if passed = x.from.Repeat == a.token.Repeat; passed || x.from.Seq >= a.token.Seq {
					continue
				}
				passed = true // that submission was edited since
			}
			if !pushed && a.token == nil {
				total++
			}
			switch {
			case skip > 0:
				skip--
				continue
			case a.top >= 0 && written == a.top:
				if more = true; !a.count || pushed {
					return errEnough
				}
				continue
			}
			text := b.buf[start:x.end]
			if text[0] == ',' {
				text = text[1:]
			}
			if written > 0 {
				out.WriteByte(',') // errors are kept until Flush
			}
			if _, err := out.Write(text); err != nil {
				return err
			}
			written++
			last = x.from
		}
		return nil
	}
	if !(a.top == 0 && pushed) {
		if err := a.batches(ctx, q, each); err != nil && err != errEnough {
			return err
		}
	}
	if a.count && !pushed && a.token != nil {
		// The count is of the whole table, also on a later page.
		again := *a
		again.token = nil
		q, _ := again.query()
		if err := again.batches(ctx, q, func(b batch) error { total += len(b.rows); return nil }); err != nil {
			return err
		}
	}
	next := ""
	if more && a.top > 0 {
		query := a.r.URL.Query()
		query.Del("$skip")
		query.Set("$skiptoken", last.String())
		next = a.base + "/" + a.view.table.name + "?" + query.Encode()
	}
	if _, err := out.Write(a.tail(nil, next, total)); err != nil {
		return err
	}
	return out.Flush()
}

// sorted answers in the order that was asked for.
func (a *answer) sorted(w http.ResponseWriter) error {
	type held struct {
		keys []value
		text []byte
	}
	var rows []held
	q, _ := a.query()
	err := a.batches(a.r.Context(), q, func(b batch) error {
		begin := 0
		for _, x := range b.rows {
			rows = append(rows, held{x.keys, b.buf[begin:x.end]})
			begin = x.end
		}
		if len(rows) > maxSorted {
			return dtm.Errorf(dtm.TooLarge, "more than %d rows cannot be put in order at once; narrow the table by $filter", maxSorted).Coded("odata.sorted", maxSorted)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(x, y held) int {
		for i, o := range a.order {
			if c, _ := compare(x.keys[i], y.keys[i]); c != 0 {
				if o.down {
					return -c
				}
				return c
			}
		}
		return 0
	})
	total := len(rows)
	rows = rows[min(a.skip, len(rows)):]
	next := ""
	if a.top >= 0 && len(rows) > a.top {
		rows = rows[:a.top]
		if a.top > 0 {
			query := a.r.URL.Query()
			query.Set("$skip", strconv.Itoa(a.skip+a.top))
			next = a.base + "/" + a.view.table.name + "?" + query.Encode()
		}
	}
	w.Header().Set("Content-Type", jsonType)
	out := bufio.NewWriterSize(w, 1<<16)
	io.WriteString(out, `{"value":[`)
	for i, x := range rows {
		if i > 0 {
			out.WriteByte(',')
		}
		if _, err := out.Write(x.text); err != nil {
			return err
		}
	}
	out.Write(a.tail(nil, next, total))
	return out.Flush()
}
