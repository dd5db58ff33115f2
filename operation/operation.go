// Package operation reads operation packs: a folder of settings, areas, points,
// code lists, programmes, partners, forms and boundaries comes in, a checked
// dtm.Operation goes out. All faults of a pack are reported at once, each with
// its file and line.
package operation

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"
	_ "time/tzdata" // a small machine may have no zone files

	"github.com/BurntSushi/toml"

	"dtm"
)

//go:embed djibouti
var packs embed.FS

// Pack returns an operation that comes with the program: NotFound.
func Pack(name string) (*dtm.Operation, error) {
	sub, err := fs.Sub(packs, path.Clean(name))
	if err == nil {
		_, err = fs.Stat(sub, settingsFile)
	}
	if err != nil {
		return nil, dtm.Errorf(dtm.NotFound, "there is no operation pack %q; those that come with the program: %s, and any folder with an %s", name, strings.Join(Names(), ", "), settingsFile)
	}
	return Load(sub)
}

// Names lists the packs that come with the program.
func Names() []string {
	entries, _ := fs.ReadDir(packs, ".") //nolint: an embedded folder can be read
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// Load reads a pack. An error is of kind Invalid and holds every fault found,
// one a line.
func Load(fsys fs.FS) (*dtm.Operation, error) {
	l := &loader{fs: fsys, op: &dtm.Operation{Lists: map[string]dtm.CodeList{}}}
	l.settings()
	l.areas()
	l.points()
	l.lists()
	l.op.Programmes = named(l, "programmes.csv", func(code string, n dtm.Text) dtm.Programme { return dtm.Programme{Code: code, Name: n} })
	l.op.Partners = named(l, "partners.csv", func(code string, n dtm.Text) dtm.Partner { return dtm.Partner{Code: code, Name: n} })
	l.indicators()
	l.forms()
	l.op.Boundaries, _ = fs.ReadFile(fsys, "boundaries.geojson") // a pack without has no map
	if len(l.faults) > 0 {
		return nil, &dtm.Error{Kind: dtm.Invalid, Op: "operation.Load", Msg: strings.Join(l.faults, "\n"), Err: errors.New("the operation pack has faults")}
	}
	return l.op, nil
}

const settingsFile = "operation.toml"

type loader struct {
	fs     fs.FS
	op     *dtm.Operation
	faults []string
}

// fault notes one fault; line 0 is of the file as a whole.
func (l *loader) fault(file string, line int, format string, a ...any) {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	l.faults = append(l.faults, where+": "+fmt.Sprintf(format, a...))
}

type settings struct {
	Code       string
	Country    string
	Languages  []string
	Zone       string
	Contact    string
	Threshold  int
	Name       dtm.Text
	Title      dtm.Text
	Source     dtm.Text
	Disclaimer dtm.Text
	Baseline   struct {
		From, To string
		Name     dtm.Text
	}
	ChangeBasis []struct{ From, Basis string } `toml:"change_basis"`
}

// decode reads a TOML file; unknown keys are faults, so that a misspelt setting
// is not silently without effect.
func (l *loader) decode(file string, into any) bool {
	b, err := fs.ReadFile(l.fs, file)
	if err != nil {
		l.fault(file, 0, "the file is missing")
		return false
	}
	md, err := toml.Decode(string(b), into)
	var pe toml.ParseError
	if errors.As(err, &pe) {
		l.fault(file, pe.Position.Line, "%s", pe.Message)
		return false
	}
	if err != nil {
		l.fault(file, 0, "%v", err)
		return false
	}
	for _, k := range md.Undecoded() {
		l.fault(file, lineOf(string(b), k[len(k)-1]), "unknown setting %q", k)
	}
	return true
}

// lineOf finds the line of the file that sets a key.
func lineOf(text, key string) int {
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " \t["), key) {
			return i + 1
		}
	}
	return 0
}

func (l *loader) settings() {
	var s settings
	if !l.decode(settingsFile, &s) {
		return
	}
	o := l.op
	o.Code, o.Country, o.Contact, o.Threshold = s.Code, s.Country, s.Contact, s.Threshold
	o.Name, o.Title, o.Source, o.Disclaimer = s.Name, s.Title, s.Source, s.Disclaimer
	if o.Code == "" || o.Code != dtm.Fold(o.Code) {
		l.fault(settingsFile, 0, "code %q: want lower-case letters and digits", o.Code)
	}
	if len(o.Country) != 3 {
		l.fault(settingsFile, 0, "country %q: want an ISO 3166-1 alpha-3 code", o.Country)
	}
	if o.Threshold < 1 {
		l.fault(settingsFile, 0, "threshold %d: want at least 1", o.Threshold)
	}
	for _, lang := range s.Languages {
		o.Languages = append(o.Languages, dtm.Lang(lang))
	}
	if len(o.Languages) == 0 {
		l.fault(settingsFile, 0, "languages: want at least one")
	}
	l.complete(settingsFile, 0, "name", o.Name)
	l.complete(settingsFile, 0, "title", o.Title)
	l.complete(settingsFile, 0, "source", o.Source)
	l.complete(settingsFile, 0, "disclaimer", o.Disclaimer)
	zone, err := time.LoadLocation(s.Zone)
	if err != nil || s.Zone == "" {
		l.fault(settingsFile, 0, "zone %q is not a time zone; write for example Africa/Djibouti", s.Zone)
		zone = time.UTC
	}
	o.Zone = zone
	if s.Baseline.From != "" {
		p, err := dtm.ParsePeriod(s.Baseline.From, s.Baseline.To)
		if err != nil {
			l.fault(settingsFile, 0, "baseline: %v", err)
		}
		o.Baseline = dtm.Baseline{Name: s.Baseline.Name, Period: p}
		l.complete(settingsFile, 0, "baseline.name", o.Baseline.Name)
	}
	for _, b := range s.ChangeBasis {
		if b.Basis != "total" && b.Basis != "daily_average" {
			l.fault(settingsFile, 0, "change_basis %q: want total or daily_average", b.Basis)
		}
		d := dtm.Dated{Value: b.Basis}
		if b.From != "" {
			d.From = l.date(settingsFile, 0, b.From)
		}
		o.ChangeBasis = append(o.ChangeBasis, d)
	}
	l.ascending(settingsFile, 0, "change_basis", o.ChangeBasis)
}

// complete wants the text in every language of the operation.
func (l *loader) complete(file string, line int, what string, t dtm.Text) {
	for _, lang := range l.op.Languages {
		if t[lang] == "" {
			l.fault(file, line, "%s: the text in %q is missing", what, lang)
		}
	}
}

func (l *loader) date(file string, line int, s string) time.Time {
	p, err := dtm.ParsePeriod(s, s)
	if err != nil {
		l.fault(file, line, "%q is not a date", s)
	}
	return p.From
}

func (l *loader) ascending(file string, line int, what string, list []dtm.Dated) {
	if !sort.SliceIsSorted(list, func(i, j int) bool { return list[i].From.Before(list[j].From) }) {
		l.fault(file, line, "%s: dates must ascend", what)
	}
	for i := 1; i < len(list); i++ {
		if list[i].From.Equal(list[i-1].From) {
			l.fault(file, line, "%s: two values from the same day", what)
		}
	}
}
