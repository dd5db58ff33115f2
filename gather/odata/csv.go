package odata

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"

	"dtm"
	"dtm/spool"
)

// csvOptions are what a request asks of the tables as CSV.
type csvOptions struct {
	media  bool // attachments too
	groups bool // names of groups before those of their questions
	old    bool // columns that only older versions have
	split  bool // a column for each choice of a question with several
	tags   bool // a row of HXL tags under the headers
	raw    bool // cells as they are, also where a spreadsheet would compute them
	filter *expr
}

func parseCSV(q url.Values) (o csvOptions, err error) {
	o = csvOptions{media: true, groups: true, old: true}
	for key, into := range map[string]*bool{"attachments": &o.media, "groupPaths": &o.groups, "deletedFields": &o.old, "splitSelectMultiples": &o.split, "hxl": &o.tags, "raw": &o.raw} {
		if q.Has(key) {
			if *into, err = truth(key, q.Get(key)); err != nil {
				return o, err
			}
		}
	}
	if f := q.Get("$filter"); f != "" {
		o.filter, err = parseFilter(f)
	}
	return o, err
}

// CSV answers /v1/projects/1/forms/FORM/submissions.csv.zip: a file for the
// submissions, one for each repeat, and the attachments below media/.
//
// A text that a spreadsheet would take for a formula (it begins with = @ + - or a
// tab and is no number) gets an apostrophe before it; ?raw=true leaves it.
func (h *Handler) CSV(w http.ResponseWriter, r *http.Request, form string) error {
	l, err := h.layout(r.Context(), form)
	if err != nil {
		return err
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the address's query cannot be read: %w", err).Coded("odata.query")
	}
	o, err := parseCSV(q)
	if err != nil {
		return err
	}
	if o.filter != nil {
		if err := l.root.bind(o.filter); err != nil {
			return err
		}
	}
	e := &export{Handler: h, layout: l, options: o, now: h.Now()}
	if e.names, err = h.names(r.Context()); err != nil {
		return err
	}
	if o.tags && h.Tags != nil {
		if e.tags, err = h.Tags(r.Context(), form); err != nil {
			return err
		}
	}
	if o.split {
		if err := e.choices(r.Context()); err != nil {
			return err
		}
	}
	if fresh, err := h.unchanged(w, r); err != nil || fresh {
		return err
	}
	if err := h.exported(r, form, "csv", ""); err != nil {
		return err
	}
	for _, t := range l.tables {
		e.sheets = append(e.sheets, e.sheet(t))
	}
	if strings.HasSuffix(r.URL.Path, ".csv") {
		return e.alone(r.Context(), w)
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": form + ".csv.zip"}))
	return e.write(r.Context(), w)
}

// export is one zip on its way.
type export struct {
	*Handler
	layout  *layout
	options csvOptions
	now     time.Time
	names   map[string]string
	tags    map[string]string  // HXL, by XPath
	several map[*node][]string // choices met, of questions with several answers
	sheets  []*sheet
	with    []string // submissions that have attachments
}

// sheet is one table as CSV.
type sheet struct {
	table   *table
	name    string
	columns []column
	sum     uint32
	raw     int64
	packed  int64
	spool   *os.File // of repeats
}

type column struct {
	header string
	tag    string
	write  func(b []byte, r *record) []byte
}

// sheet lays the columns of a table out, as ODK Central names them.
func (e *export) sheet(t *table) *sheet {
	s := &sheet{table: t, name: e.layout.form + ".csv"}
	if t.parent != nil {
		s.name = e.layout.form + "-" + strings.Join(t.top.path, "-") + ".csv"
	}
	add := func(header string, write func(b []byte, r *record) []byte) {
		s.columns = append(s.columns, column{header: header, write: write})
	}
	words := func(f func(r *record) string) func(b []byte, r *record) []byte {
		return func(b []byte, r *record) []byte { return e.cell(b, []byte(f(r))) }
	}
	if t.parent == nil {
		add("SubmissionDate", func(b []byte, r *record) []byte { return r.Received.UTC().AppendFormat(b, timeLayout) })
	}
	for _, n := range t.leaves {
		if !e.options.old && !e.current(n) {
			continue
		}
		name := strings.Join(t.relative(n), "-")
		if !e.options.groups {
			name = n.safe
		}
		first := len(s.columns)
		e.answer(n, name, add)
		if e.tags != nil && first < len(s.columns) {
			s.columns[first].tag = e.tags[n.xpath]
		}
	}
	if t.parent != nil {
		add("PARENT_KEY", words(func(r *record) string { return r.parent.id }))
	}
	add("KEY", words(func(r *record) string { return r.id }))
	if t.parent != nil {
		return s
	}
	add("SubmitterID", words(func(r *record) string { return r.Device }))
	add("SubmitterName", words(func(r *record) string { return e.names[r.Device] }))
	add("AttachmentsPresent", words(func(r *record) string { return strconv.Itoa(r.Present) }))
	add("AttachmentsExpected", words(func(r *record) string { return strconv.Itoa(len(r.Expected)) }))
	add("Status", words((*record).status))
	add("ReviewState", words(func(r *record) string { return review(r.State) }))
	add("DeviceID", words(func(r *record) string { return r.DeviceID }))
	add("Edits", words(func(r *record) string { return strconv.Itoa(r.Edits) }))
	add("FormVersion", words(func(r *record) string { return r.Version }))
	return s
}

// current tells whether the newest version has the question.
func (e *export) current(n *node) bool {
	if e.layout.newest == nil {
		return true
	}
	return e.layout.newest.Node(n.xpath) != nil
}

// answer adds the columns of a question: a position has four.
func (e *export) answer(n *node, name string, add func(string, func([]byte, *record) []byte)) {
	slot := n.slot
	switch {
	case n.field.Type == "geopoint":
		for i, part := range []string{"Latitude", "Longitude", "Altitude", "Accuracy"} {
			add(name+"-"+part, func(b []byte, r *record) []byte {
				f := bytes.Fields(r.values[slot])
				if i < len(f) {
					return e.cell(b, f[i])
				}
				return b
			})
		}
		return
	case e.options.split && n.field.Multiple():
		add(name, func(b []byte, r *record) []byte { return e.cell(b, r.values[slot]) })
		for _, code := range e.several[n] {
			add(name+"/"+code, func(b []byte, r *record) []byte {
				if r.values[slot] == nil {
					return b
				}
				for _, f := range bytes.Fields(r.values[slot]) {
					if string(f) == code {
						return append(b, '1')
					}
				}
				return append(b, '0')
			})
		}
		return
	}
	add(name, func(b []byte, r *record) []byte { return e.cell(b, r.values[slot]) })
}

// cell appends a field of CSV (RFC 4180).
func (e *export) cell(b, s []byte) []byte {
	if len(s) == 0 {
		return b
	}
	guard := false
	switch s[0] {
	case '=', '@', '\t', '\r':
		guard = !e.options.raw
	case '+', '-':
		if !e.options.raw {
			f, err := strconv.ParseFloat(string(s), 64)
			guard = err != nil || math.IsNaN(f)
		}
	}
	quote := bytes.ContainsAny(s, "\",\r\n") || s[0] == ' ' || s[len(s)-1] == ' '
	if !quote {
		if guard {
			b = append(b, '\'')
		}
		return append(b, s...)
	}
	b = append(b, '"')
	if guard {
		b = append(b, '\'')
	}
	for _, c := range s {
		if c == '"' {
			b = append(b, '"')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// head is the first rows of a sheet.
func (e *export) head(s *sheet) []byte {
	line := func(b []byte, of func(column) string) []byte {
		for i, c := range s.columns {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.cell(b, []byte(of(c)))
		}
		return append(b, '\r', '\n')
	}
	b := line(nil, func(c column) string { return c.header })
	if e.tags != nil {
		b = line(b, func(c column) string { return c.tag })
	}
	return b
}

// choices collects the codes that questions with several answers were given.
func (e *export) choices(ctx context.Context) error {
	e.several = map[*node][]string{}
	seen := map[*node]map[string]bool{}
	a := &answer{Handler: e.Handler, view: &view{layout: e.layout, table: e.layout.root}}
	p := &reader{layout: e.layout}
	err := e.Stream.Stream(ctx, dtm.SubmissionQuery{Form: e.layout.form}, func(list []dtm.Streamed) error {
		for i := range list {
			top := p.read(&list[i])
			for _, t := range a.view.layout.tables {
				_ = top.rows(t, func(r *record) error { // the function gives no error
					for _, n := range t.leaves {
						if !n.field.Multiple() {
							continue
						}
						for _, f := range bytes.Fields(r.values[n.slot]) {
							if seen[n] == nil {
								seen[n] = map[string]bool{}
							}
							seen[n][string(f)] = true
						}
					}
					return nil
				})
			}
		}
		return nil
	})
	for n, codes := range seen {
		for c := range codes {
			e.several[n] = append(e.several[n], c)
		}
		slices.Sort(e.several[n])
	}
	return err
}

// part is what some submissions give of one sheet, also compressed. Compressed
// parts one after another are one stream of deflate: each ends on a byte and looks
// back to nothing before it.
type part struct {
	raw, packed bytes.Buffer
}

// partPool holds parts between being made and being written.
var partPool sync.Pool

type pieces struct {
	parts []*part
	with  []string
	err   error
}

// packers are kept: each holds large tables.
func (e *export) pack(pool chan *flate.Writer, p *part) error {
	z := <-pool
	defer func() { pool <- z }()
	z.Reset(&p.packed)
	if _, err := z.Write(p.raw.Bytes()); err != nil {
		return err
	}
	return z.Flush()
}

func (e *export) make(p *reader, pool chan *flate.Writer, list []dtm.Streamed) pieces {
	out := pieces{parts: make([]*part, len(e.sheets))}
	line := make([]byte, 0, 4096)
	for i := range out.parts {
		x, ok := partPool.Get().(*part)
		if !ok {
			x = &part{}
		}
		x.raw.Reset()
		x.packed.Reset()
		out.parts[i] = x
	}
	for i := range list {
		top := p.read(&list[i])
		top.identify()
		if f := e.options.filter; f != nil && !f.evaluate(e.now, top.get(e.names)).true() {
			continue
		}
		if list[i].Present > 0 {
			out.with = append(out.with, list[i].ID)
		}
		for k, s := range e.sheets {
			err := top.rows(s.table, func(r *record) error {
				line = s.line(line[:0], r)
				_, err := out.parts[k].raw.Write(line)
				return err
			})
			if err != nil {
				out.err = err
				return out
			}
		}
	}
	for _, x := range out.parts {
		if x.raw.Len() > 0 {
			if out.err = e.pack(pool, x); out.err != nil {
				return out
			}
		}
	}
	return out
}

// last ends a stream of deflate: an empty block that says it is the last.
var last = []byte{0x03, 0x00}

// write makes the zip: the submissions go straight out, repeats wait in files,
// because a zip holds one file after another.
func (e *export) write(ctx context.Context, w io.Writer) (err error) {
	z := zip.NewWriter(w)
	processors := runtime.GOMAXPROCS(0)
	pool, readers := make(chan *flate.Writer, processors), make(chan *reader, processors)
	for range processors {
		f, err := flate.NewWriter(io.Discard, flate.BestSpeed)
		if err != nil {
			return err
		}
		pool <- f
		readers <- &reader{layout: e.layout}
	}
	defer func() {
		for _, s := range e.sheets {
			if s.spool != nil {
				s.spool.Close()
			}
		}
	}()
	main := &zip.FileHeader{Name: e.sheets[0].name, Method: zip.Deflate, Modified: e.now, Flags: 0x8} // sizes follow the data
	first, err := z.CreateRaw(main)
	if err != nil {
		return err
	}
	into := make([]io.Writer, len(e.sheets))
	into[0] = first
	for i, s := range e.sheets[1:] {
		if s.spool, err = spool.Unnamed(""); err != nil {
			return &dtm.Error{Kind: dtm.Unavailable, Op: "odata.CSV", Err: err, Msg: "there is no room for temporary files; try again later"}
		}
		into[i+1] = s.spool
	}
	emit := func(i int, p *part) error {
		s := e.sheets[i]
		s.sum = crc32.Update(s.sum, crc32.IEEETable, p.raw.Bytes())
		s.raw += int64(p.raw.Len())
		s.packed += int64(p.packed.Len())
		_, err := into[i].Write(p.packed.Bytes())
		return err
	}
	for i, s := range e.sheets {
		head := &part{}
		head.raw.Write(e.head(s))
		if err := e.pack(pool, head); err != nil {
			return err
		}
		if err := emit(i, head); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inOrder := make(chan chan pieces, processors)
	var failed error
	go func() {
		defer close(inOrder)
		failed = e.Stream.Stream(ctx, e.query(), func(list []dtm.Streamed) error {
			var p *reader
			select {
			case p = <-readers:
			case <-ctx.Done():
				return ctx.Err()
			}
			done := make(chan pieces, 1)
			go func() {
				done <- e.make(p, pool, list)
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
	var stopped error
	for done := range inOrder {
		if stopped != nil {
			continue
		}
		p := <-done
		stopped = p.err
		for i := 0; i < len(p.parts) && stopped == nil; i++ {
			if p.parts[i].raw.Len() > 0 {
				stopped = emit(i, p.parts[i])
			}
			partPool.Put(p.parts[i])
		}
		e.with = append(e.with, p.with...)
		if stopped != nil {
			cancel()
		}
	}
	if stopped != nil {
		return stopped
	}
	if failed != nil {
		return failed
	}
	for i, s := range e.sheets {
		if _, err := into[i].Write(last); err != nil {
			return err
		}
		s.packed += int64(len(last))
	}
	e.sheets[0].sizes(main)
	for _, s := range e.sheets[1:] {
		head := &zip.FileHeader{Name: s.name, Method: zip.Deflate, Modified: e.now}
		s.sizes(head)
		out, err := z.CreateRaw(head)
		if err != nil {
			return err
		}
		if _, err := s.spool.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(out, s.spool); err != nil {
			return err
		}
	}
	if e.options.media {
		if err := e.media(ctx, z); err != nil {
			return err
		}
	}
	return z.Close()
}

// query is what the store leaves out already.
func (e *export) query() dtm.SubmissionQuery {
	q := dtm.SubmissionQuery{Form: e.layout.form}
	q.From, q.To = bounds(e.options.filter)
	return q
}

// alone writes the table of submissions by itself.
func (e *export) alone(ctx context.Context, w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": e.sheets[0].name}))
	out := bufio.NewWriterSize(w, 1<<16)
	out.Write(e.head(e.sheets[0])) // errors are kept until Flush
	p := &reader{layout: e.layout}
	var line []byte
	err := e.Stream.Stream(ctx, e.query(), func(list []dtm.Streamed) error {
		for i := range list {
			r := p.read(&list[i])
			if f := e.options.filter; f != nil && !f.evaluate(e.now, r.get(e.names)).true() {
				continue
			}
			line = e.sheets[0].line(line[:0], r)
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// line appends a row.
func (s *sheet) line(b []byte, r *record) []byte {
	for c := range s.columns {
		if c > 0 {
			b = append(b, ',')
		}
		b = s.columns[c].write(b, r)
	}
	return append(b, '\r', '\n')
}

// sizes sets what a zip says of the sheet. Sizes of 4 GB and more stand in the
// longer fields.
func (s *sheet) sizes(h *zip.FileHeader) {
	h.CRC32, h.UncompressedSize64, h.CompressedSize64 = s.sum, uint64(s.raw), uint64(s.packed)
	//lint:ignore SA1019 the writer of what follows the data reads these
	h.UncompressedSize, h.CompressedSize = uint32(min(s.raw, math.MaxUint32)), uint32(min(s.packed, math.MaxUint32))
}

// media adds the attachments, each under its name; where two submissions use one
// name, the second's has its instance's id before it.
func (e *export) media(ctx context.Context, z *zip.Writer) error {
	used := map[string]bool{}
	for _, id := range e.with {
		s, err := e.Submissions.Submission(ctx, id)
		if err != nil {
			return err
		}
		for _, a := range s.Attachments {
			name := "media/" + path.Base("/"+strings.ReplaceAll(a.Name, `\`, "/"))
			if used[name] {
				name = fmt.Sprintf("media/%s-%s", strings.NewReplacer("/", "_", ":", "_", `\`, "_").Replace(id), path.Base(name))
			}
			used[name] = true
			f, err := e.Blobs.Open(ctx, a.Hash)
			if err != nil {
				return err
			}
			out, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: s.Received})
			if err == nil {
				_, err = io.Copy(out, f)
			}
			f.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
