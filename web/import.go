package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/check"
	"dtm/locale"
	"dtm/serve"
)

// Importing is what the pages about imports need.
type Importing struct {
	Runs dtm.ImportRuns
	// Begin takes a registry file to the end and imports it while the pages go on; why rows
	// are rejected is said in lang. Conflict while another is running.
	Begin func(ctx context.Context, lang dtm.Lang, name string, file io.Reader) error
	// Now is how far the last one is that was begun; false: none was since the start.
	Now func() (Underway, bool)
	// TakeBack takes the rows of an import out of the figures.
	TakeBack func(ctx context.Context, seq int64, why string) error
	// Publish keeps published figures. Faults are of rows that were left out.
	Publish func(ctx context.Context, name string, file io.Reader) (read int, faults []error, err error)
	// Series keeps counts that others made: it tells how many were read, and what could not
	// be.
	Series  func(ctx context.Context, name string, file io.Reader) (read int, faults []error, err error)
	Outside dtm.Outsides
	// Compared are all published figures that can be computed, with what is computed.
	Compared func(ctx context.Context) ([]check.Compared, error)
	// Unpublish takes back the published figures that an event brought.
	Unpublish func(ctx context.Context, seq int64) error
}

// Underway is how far an import is.
type Underway struct {
	File       string
	Stage      string // "reading", "loading", "rules", "done", "failed"
	Read, Size int64  // bytes; Size 0: not known
	Rows       int
	Began      time.Time
	Seq        int64 // of the import, when it is done
	Err        error // why it failed
}

// maxImport is the largest file that a page takes: about five million rows. Larger
// ones are for the command line.
const maxImport = 1 << 30

type importRow struct {
	dtm.Imported
	Href, Months string
}

type importsView struct {
	page
	Rows     []importRow
	Now      *Underway
	Percent  int
	Stage    string
	Left     string
	Message  string
	Compared int
	Differ   int
	Outside  []outsideRow
	Faults   []string
	LeftOut  int
}

// outsideRow is what one file of counts made by others brought.
type outsideRow struct {
	Seq  int64
	Text string
	Note string
}

// imports lists the files that were imported and takes new ones.
func (p *Pages) imports(w http.ResponseWriter, r *http.Request) error {
	return p.showImports(w, r, http.StatusOK, "")
}

func (p *Pages) showImports(w http.ResponseWriter, r *http.Request, status int, message string) error {
	v := importsView{page: p.inside(r, "imports", "import.title", "/imports/"), Message: message}
	if u, ok := p.Staff.Import.Now(); ok {
		watched := r.URL.Query().Get("watch") != ""
		switch {
		case u.Stage == "done" && watched:
			http.Redirect(w, r, v.Link("/staff/imports/"+strconv.FormatInt(u.Seq, 10)), http.StatusSeeOther)
			return nil
		case u.Stage == "failed" && watched:
			v.Message = locale.Error(v.Lang, u.Err)
		case u.Stage != "done" && u.Stage != "failed":
			v.Now, v.Stage = &u, v.T("import.stage."+u.Stage)
			if u.Size > 0 {
				v.Percent = int(min(99, 100*u.Read/u.Size))
				if took := time.Since(u.Began); u.Read > 0 && u.Stage == "reading" {
					left := time.Duration(float64(took) * float64(u.Size-u.Read) / float64(u.Read))
					v.Left = v.T("import.left", v.Number(int(left.Seconds())+1))
				}
			}
			w.Header().Set("Refresh", "2") // without JavaScript too
		}
	}
	list, err := p.Staff.Import.Runs.ImportRuns(r.Context())
	if err != nil {
		return err
	}
	for _, i := range list {
		v.Rows = append(v.Rows, importRow{i, v.Link("/staff/imports/" + strconv.FormatInt(i.Seq, 10)), v.months(i)})
	}
	compared, err := p.Staff.Import.Compared(r.Context())
	if err != nil {
		return err
	}
	v.Compared, v.Differ = len(compared), p.differ(compared)
	if v.Outside, err = p.outsideRows(r.Context(), v.page); err != nil {
		return err
	}
	v.Faults = r.URL.Query()["fault"]
	v.LeftOut, _ = strconv.Atoi(r.URL.Query().Get("left"))
	return p.show(w, status, "imports", v)
}

func (g page) months(i dtm.Imported) string {
	if i.First.IsZero() {
		return ""
	}
	return locale.Period(g.Lang, dtm.Months(dtm.MonthOf(i.First), dtm.MonthOf(i.Last)))
}

func (p *Pages) differ(list []check.Compared) (n int) {
	rule, on := p.Staff.Review.Rules()["month.reference"]
	for _, c := range list {
		if on && c.Differs(rule.Limit["units"]) {
			n++
		}
	}
	return n
}

// beginImport takes a file: history, or published figures.
func (p *Pages) beginImport(w http.ResponseWriter, r *http.Request) error {
	l := p.guess(r)
	r.Body = http.MaxBytesReader(w, r.Body, maxImport)
	parts, err := r.MultipartReader()
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	kind := ""
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return p.showImports(w, r, http.StatusUnprocessableEntity, locale.Say(l, "import.choose"))
		}
		if err != nil {
			return serve.BodyError(err)
		}
		if part.FormName() == "kind" {
			b, err := io.ReadAll(io.LimitReader(part, 100))
			if err != nil {
				return serve.BodyError(err)
			}
			kind = string(b)
			continue
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		return p.takeFile(w, r, kind, part)
	}
}

func (p *Pages) takeFile(w http.ResponseWriter, r *http.Request, kind string, part *multipart.Part) error {
	l := p.guess(r)
	if kind == "series" {
		_, faults, err := p.Staff.Import.Series(by(r), part.FileName(), part)
		if err != nil {
			return p.showImports(w, r, serve.Status(dtm.KindOf(err)), locale.Error(l, err))
		}
		q := url.Values{}
		if len(faults) > 0 {
			q.Set("left", strconv.Itoa(len(faults)))
		}
		for _, f := range faults[:min(len(faults), 20)] {
			q.Add("fault", locale.Error(l, f))
		}
		http.Redirect(w, r, "/"+string(l)+"/staff/imports/?"+q.Encode()+"#outside", http.StatusSeeOther)
		return nil
	}
	if kind == "published" {
		_, faults, err := p.Staff.Import.Publish(by(r), part.FileName(), part)
		if err != nil {
			return p.showImports(w, r, serve.Status(dtm.KindOf(err)), locale.Error(l, err))
		}
		to := "/" + string(l) + "/staff/imports/published"
		if len(faults) > 0 {
			q := url.Values{}
			for _, f := range faults[:min(len(faults), 20)] {
				q.Add("fault", locale.Error(l, f))
			}
			to += "?" + q.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	if err := p.Staff.Import.Begin(by(r), l, part.FileName(), part); err != nil {
		if k := dtm.KindOf(err); k == dtm.Internal || k == dtm.TooLarge {
			return err
		}
		return p.showImports(w, r, serve.Status(dtm.KindOf(err)), locale.Error(l, err))
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/imports/?watch=1", http.StatusSeeOther)
	return nil
}

type foundRow struct {
	Words, Level, Href string
	N                  int
}

type importView struct {
	page
	dtm.Imported
	Months, Split string
	Moved         string
	Found         []foundRow
	Cells         []foundRow
	Rejected      string // address of the file
	First         []rejectedRow
	Message       string
	By            string
}

func (p *Pages) importOf(r *http.Request) (importView, error) {
	v := importView{page: p.inside(r, "imports", "import.title", "/imports/"+r.PathValue("seq"))}
	seq, _ := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	var err error
	v.Imported, err = p.Staff.Import.Runs.ImportRun(r.Context(), seq)
	return v, err
}

// importPage says what became of a file.
func (p *Pages) importPage(w http.ResponseWriter, r *http.Request) error {
	v, err := p.importOf(r)
	if err != nil {
		return err
	}
	return p.showImport(w, r, http.StatusOK, v)
}

// rejectedRow is a row that was not taken, as it stands in the file.
type rejectedRow struct{ Row, Reason, Cells string }

// firstRejected are the first rows that an import rejected, n at most.
func (p *Pages) firstRejected(ctx context.Context, i dtm.Imported, n int) ([]rejectedRow, error) {
	f, err := p.Staff.Blobs.Open(ctx, i.Rejects)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1 // a row may be rejected for its number of columns
	if _, err := in.Read(); err != nil {
		return nil, err
	}
	var out []rejectedRow
	for len(out) < n {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		cells := slices.DeleteFunc(rec[2:], func(s string) bool { return strings.TrimSpace(s) == "" })
		out = append(out, rejectedRow{rec[0], rec[1], strings.Join(cells, " · ")})
	}
	return out, nil
}

func (p *Pages) showImport(w http.ResponseWriter, r *http.Request, status int, v importView) error {
	v.Title, v.Moved = v.File, v.Number(int(v.People))
	v.Months, v.Split = v.months(v.Imported), v.T("import.split."+string(v.Breakdown))
	if v.Rejects != "" {
		v.Rejected = v.Link("/staff/imports/" + strconv.FormatInt(v.Seq, 10) + "/rejects.csv")
		var err error
		if v.First, err = p.firstRejected(r.Context(), v.Imported, 20); err != nil {
			return err
		}
	}
	rules := check.Built()
	row := func(id string, n int) foundRow {
		return foundRow{v.Rule(id), string(rules.Severity(id)), v.Link("/staff/review/?rule=" + url.QueryEscape(id)), n}
	}
	for _, id := range rules.IDs() {
		if n := v.Outcome.Found[id]; n > 0 {
			v.Found = append(v.Found, row(id, n))
		}
	}
	for id, n := range v.Flags {
		v.Cells = append(v.Cells, row(id, n))
	}
	slices.SortFunc(v.Cells, func(a, b foundRow) int { return strings.Compare(a.Words, b.Words) })
	return p.show(w, status, "import", v)
}

// undoImport takes an import back.
func (p *Pages) undoImport(w http.ResponseWriter, r *http.Request) error {
	v, err := p.importOf(r)
	if err != nil {
		return err
	}
	err = p.Staff.Import.TakeBack(by(r), v.Seq, r.PostFormValue("why"))
	if k := dtm.KindOf(err); err != nil && (k == dtm.Invalid || k == dtm.Conflict) {
		v.Message = locale.Error(v.Lang, err)
		return p.showImport(w, r, serve.Status(k), v)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, v.Link("/staff/imports/"+strconv.FormatInt(v.Seq, 10)), http.StatusSeeOther)
	return nil
}

// importRejects is the rows that were rejected, with the reasons.
func (p *Pages) importRejects(w http.ResponseWriter, r *http.Request) error {
	v, err := p.importOf(r)
	if err != nil {
		return err
	}
	if v.Rejects == "" {
		return dtm.Errorf(dtm.NotFound, "no row was rejected").Coded("notfound")
	}
	f, err := p.Staff.Blobs.Open(r.Context(), v.Rejects)
	if err != nil {
		return err
	}
	defer f.Close()
	download(w, "text/csv; charset=utf-8", "rejects-"+strconv.FormatInt(v.Seq, 10)+".csv")
	_, _ = io.Copy(w, f) // who asked has gone
	return nil
}

type comparedRow struct {
	Period, Name, Published, Computed, Source string
	Differs                                   bool
}

type publishedView struct {
	page
	Rows   []comparedRow
	Differ int
	Brings []bringing
	Faults []string
}

// bringing is one file of published figures.
type bringing struct {
	Seq int64
	N   int
}

// publishedFigures lays published figures beside what the records give.
func (p *Pages) publishedFigures(w http.ResponseWriter, r *http.Request) error {
	v := publishedView{page: p.inside(r, "imports", "import.published", "/imports/published"), Faults: r.URL.Query()["fault"]}
	list, err := p.Staff.Import.Compared(r.Context())
	if err != nil {
		return err
	}
	v.Differ = p.differ(list)
	units := p.Staff.Review.Rules()["month.reference"].Limit["units"]
	by := map[int64]int{}
	for _, c := range list {
		x := comparedRow{Period: locale.Period(v.Lang, c.Period), Name: p.figureName(v.Lang, c.Indicator), Published: locale.Number(v.Lang, c.Value, c.Decimals), Computed: "–", Source: c.Source, Differs: c.Differs(units)}
		if c.AtLeast {
			x.Published = "> " + x.Published
		}
		if c.Known {
			x.Computed = locale.Number(v.Lang, c.Computed, c.Decimals)
		}
		v.Rows = append(v.Rows, x)
		by[c.Seq]++
	}
	for seq, n := range by {
		v.Brings = append(v.Brings, bringing{seq, n})
	}
	slices.SortFunc(v.Brings, func(a, b bringing) int { return int(b.Seq - a.Seq) })
	return p.show(w, http.StatusOK, "published", v)
}

// figureName is an indicator's name with the cells that are meant of it.
func (p *Pages) figureName(l dtm.Lang, id string) string {
	name, cells, of := strings.Cut(id, ":")
	i, err := p.Figures.Indicator(name)
	if err != nil {
		return id
	}
	if of {
		return i.Name.In(l) + locale.Say(l, "word.colon") + " " + cells
	}
	return i.Name.In(l)
}

// unpublish takes back what a file of published figures brought.
func (p *Pages) unpublish(w http.ResponseWriter, r *http.Request) error {
	seq, _ := strconv.ParseInt(r.PostFormValue("seq"), 10, 64)
	if err := p.Staff.Import.Unpublish(by(r), seq); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/imports/published", http.StatusSeeOther)
	return nil
}

// outsideRows are the counts that others made, by what brought them.
func (p *Pages) outsideRows(ctx context.Context, g page) ([]outsideRow, error) {
	list, err := p.Staff.Import.Outside.Outside(ctx)
	if err != nil {
		return nil, err
	}
	type bringing struct {
		seq    int64
		series string
	}
	n, first, last := map[bringing]int{}, map[bringing]dtm.Month{}, map[bringing]dtm.Month{}
	for _, x := range list {
		b := bringing{x.Seq, x.Series}
		if n[b]++; n[b] == 1 {
			first[b] = x.Month
		}
		last[b] = x.Month
	}
	var out []outsideRow
	for b, n := range n {
		name, note := b.series, g.T("outside.undeclared")
		if d, ok := p.Operation.Beside(b.series); ok {
			name, note = d.Name.In(g.Lang), ""
		}
		out = append(out, outsideRow{b.seq, g.T("outside.brought", name, n) + " · " + locale.Period(g.Lang, dtm.Months(first[b], last[b])), note})
	}
	slices.SortFunc(out, func(a, b outsideRow) int { return cmp.Or(int(b.Seq-a.Seq), strings.Compare(a.Text, b.Text)) })
	return out, nil
}

// withdrawSeries takes back what a file of counts made by others brought.
func (p *Pages) withdrawSeries(w http.ResponseWriter, r *http.Request) error {
	l := p.guess(r)
	seq, _ := strconv.ParseInt(r.PostFormValue("seq"), 10, 64)
	if err := p.Staff.Import.Outside.WithdrawOutside(by(r), seq); err != nil {
		if k := dtm.KindOf(err); k == dtm.NotFound {
			return p.showImports(w, r, serve.Status(k), locale.Error(l, err))
		}
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/imports/#outside", http.StatusSeeOther)
	return nil
}

// importRoutes are the pages about imports.
func (p *Pages) importRoutes(page func(string, access.Action, serve.Func)) {
	page("GET /imports/{$}", access.ImportData, p.imports)
	page("POST /imports/{$}", access.ImportData, p.beginImport)
	page("GET /imports/published", access.ImportData, p.publishedFigures)
	page("POST /imports/published", access.ImportData, p.unpublish)
	page("POST /imports/series", access.ImportData, p.withdrawSeries)
	page("GET /imports/{seq}", access.ImportData, p.importPage)
	page("POST /imports/{seq}/undo", access.ImportData, p.undoImport)
	page("GET /imports/{seq}/rejects.csv", access.ImportData, p.importRejects)
}
