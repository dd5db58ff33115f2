// Package operation reads operation packs: a folder of settings, areas, points,
// code lists, programmes, partners, forms and boundaries comes in, a checked
// dtm.Operation goes out. All faults of a pack are reported at once, each with
// its file and line.
package operation

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a small machine may have no zone files

	"github.com/BurntSushi/toml"
	"golang.org/x/text/language"

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
	set, at := l.settings()
	l.areas()
	l.points()
	l.lists()
	l.op.Programmes = named(l, "programmes.csv", func(r row, n dtm.Text) dtm.Programme {
		return dtm.Programme{Code: r.get("code"), Name: n, Return: r.get("return") == "yes"}
	})
	l.op.Partners = named(l, "partners.csv", func(r row, n dtm.Text) dtm.Partner {
		p := dtm.Partner{Code: r.get("code"), Name: n, Brief: strings.Fields(r.get("brief"))}
		for _, part := range p.Brief {
			if !slices.Contains(dtm.BriefParts, part) {
				l.fault("partners.csv", r.line, "the brief has no part %q; there are %s", part, strings.Join(dtm.BriefParts, ", "))
			}
		}
		return p
	})
	l.views()
	l.desks()
	l.indicators()
	l.flow(&set, at)
	l.calendar()
	l.links()
	l.forms()
	l.boundaries()
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b fault) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line)) })
		var text []string
		for _, f := range l.faults {
			text = append(text, f.String())
		}
		return nil, &dtm.Error{Kind: dtm.Invalid, Op: "operation.Load", Msg: strings.Join(text, "\n"), Err: errors.New("the operation pack has faults")}
	}
	return l.op, nil
}

const settingsFile = "operation.toml"

type loader struct {
	fs     fs.FS
	op     *dtm.Operation
	faults []fault
}

type fault struct {
	file string
	line int // 0: of the file as a whole
	msg  string
}

func (f fault) String() string {
	if f.line == 0 {
		return f.file + ": " + f.msg
	}
	return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.msg)
}

func (l *loader) fault(file string, line int, format string, a ...any) {
	l.faults = append(l.faults, fault{file, line, fmt.Sprintf(format, a...)})
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
	Flow        struct {
		Name  dtm.Text
		Where map[string][]string
	}
	HDX struct {
		Organisation, Maintainer, License, Methodology string
		LicenseText                                    string `toml:"license_text"`
		Tags                                           []string
		Frequency                                      int
	}
	Beside []struct {
		Series, Base string
		Name, Ours   dtm.Text
		Where        map[string][]string
	}
}

// decode reads a TOML file; unknown keys are faults, so that a misspelt setting
// is not silently without effect.
func (l *loader) decode(file string, into any) (at lines, ok bool) {
	b, err := fs.ReadFile(l.fs, file)
	if err != nil {
		l.fault(file, 0, "the file is missing")
		return nil, false
	}
	at = lines(strings.Split(string(b), "\n"))
	md, err := toml.Decode(string(b), into)
	var pe toml.ParseError
	if errors.As(err, &pe) {
		l.fault(file, pe.Position.Line, "%s", pe.Message)
		return nil, false
	}
	if err != nil {
		l.fault(file, 0, "%v", err)
		return nil, false
	}
	for _, k := range md.Undecoded() {
		l.fault(file, at.find(0, k[len(k)-1]), "unknown setting %q", k)
	}
	return at, true
}

func (l *loader) settings() (s settings, at lines) {
	at, ok := l.decode(settingsFile, &s)
	if !ok {
		return s, at
	}
	fault := func(key, format string, a ...any) { l.fault(settingsFile, at.find(0, key), format, a...) }
	o := l.op
	o.Code, o.Country, o.Contact, o.Threshold = s.Code, s.Country, s.Contact, s.Threshold
	o.Name, o.Title, o.Source, o.Disclaimer = s.Name, s.Title, s.Source, s.Disclaimer
	o.HDX = dtm.HDX{Organisation: s.HDX.Organisation, Maintainer: s.HDX.Maintainer, License: s.HDX.License, LicenseText: s.HDX.LicenseText, Methodology: s.HDX.Methodology, Tags: s.HDX.Tags, Frequency: s.HDX.Frequency}
	if o.HDX.License == "hdx-other" && o.HDX.LicenseText == "" {
		fault("hdx", "hdx: license_text is missing; the licence hdx-other needs one")
	}
	if o.Code == "" || o.Code != dtm.Fold(o.Code) {
		fault("code", "code %q: want lower-case letters and digits", o.Code)
	}
	if len(o.Country) != 3 || strings.ToUpper(o.Country) != o.Country {
		fault("country", "country %q: want an ISO 3166-1 alpha-3 code", o.Country)
	}
	if o.Threshold < 1 {
		fault("threshold", "threshold %d: want at least 1", o.Threshold)
	}
	for _, lang := range s.Languages {
		if _, err := language.ParseBase(lang); err != nil || slices.Contains(o.Languages, dtm.Lang(lang)) {
			fault("languages", "languages: %q is no language code, or is there twice", lang)
		}
		o.Languages = append(o.Languages, dtm.Lang(lang))
	}
	if len(o.Languages) == 0 {
		fault("languages", "languages: want at least one")
	}
	for key, t := range map[string]dtm.Text{"name": o.Name, "title": o.Title, "source": o.Source, "disclaimer": o.Disclaimer} {
		l.complete(settingsFile, at.find(0, key), key, t)
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil || s.Zone == "" {
		fault("zone", "zone %q is not a time zone; write for example Africa/Djibouti", s.Zone)
		zone = time.UTC
	}
	o.Zone = zone
	if s.Baseline.From != "" || s.Baseline.To != "" {
		p, err := dtm.ParsePeriod(s.Baseline.From, s.Baseline.To)
		if err != nil {
			fault("baseline", "baseline: %v", err)
		}
		o.Baseline = dtm.Baseline{Name: s.Baseline.Name, Period: p}
		l.complete(settingsFile, at.find(0, "baseline"), "baseline.name", o.Baseline.Name)
	}
	line := 0
	for _, b := range s.ChangeBasis {
		line = at.find(line, "change_basis")
		if b.Basis != "total" && b.Basis != "daily_average" {
			l.fault(settingsFile, line, "change_basis %q: want total or daily_average", b.Basis)
		}
		d := dtm.Dated{Value: b.Basis}
		if b.From != "" {
			d.From = l.date(settingsFile, line, b.From)
		}
		o.ChangeBasis = append(o.ChangeBasis, d)
		l.ascending(settingsFile, line, "change_basis", o.ChangeBasis)
	}
	return s, at
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

// ascending holds the last date of a list against the one before.
func (l *loader) ascending(file string, line int, what string, list []dtm.Dated) {
	if len(list) < 2 {
		return
	}
	switch before, last := list[len(list)-2].From, list[len(list)-1].From; {
	case last.Before(before):
		l.fault(file, line, "%s: dates must ascend", what)
	case last.Equal(before):
		l.fault(file, line, "%s: two values from the same day", what)
	}
}
