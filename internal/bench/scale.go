package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// What an operation has for each of its points: groups as many as pass at a middling
// point of Djibouti's, two years of history, some weeks of phones.
const (
	scaleMonths = 24
	scaleRows   = 100 // of history in a month, by sex and age; half as many again by nationality
	scaleSent   = 60  // submissions of the last days
	scaleDays   = 20
)

// staffed are the points of Djibouti's pack that are open; those that are added are like them.
var staffed = []string{"obock", "yoboki", "tadjourah", "ali-sabieh", "dikhil", "galafi", "balho", "holl-holl", "loyada"}

// benchPoints measures the program over operations of so many points each, and prints one
// table with a column for each.
func benchPoints(bin, list string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	var sizes []string
	var seen [][]measured
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < len(staffed) {
			return fmt.Errorf("-points %q: want numbers of at least %d", list, len(staffed))
		}
		on = &engine{name: s + " points", seen: []measured{}}
		if err := scaled(bin, n); err != nil {
			return fmt.Errorf("%d points: %w", n, err)
		}
		sizes, seen = append(sizes, on.name), append(seen, on.seen)
	}
	on = &engine{}
	row := func(what string, cells []string) {
		fmt.Printf("%-44s", what)
		for _, c := range cells {
			fmt.Printf(" %-34s", c)
		}
		fmt.Println()
	}
	row("measure", sizes)
	for i, m := range seen[0] {
		var cells []string
		for _, s := range seen {
			cells = append(cells, s[i].got)
		}
		row(m.what, cells)
	}
	return nil
}

// scaled makes an operation of n points with its data and measures what grows with it.
func scaled(bin string, n int) error {
	dir, err := os.MkdirTemp("", "dtm-points-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pack, data := filepath.Join(dir, "pack"), filepath.Join(dir, "data")
	points, err := packOf(pack, n)
	if err != nil {
		return err
	}
	loadNow()
	if _, _, err := run(bin, "init", "-data", data, "-operation", pack); err != nil {
		return err
	}
	if err := history(bin, dir, data, points, scaleMonths); err != nil {
		return err
	}
	if err := phones(bin, data, points); err != nil {
		return err
	}
	clients, err := signedIn(data, []dtm.User{{Email: "scale@bench.example", Role: dtm.RoleManager}})
	if err != nil {
		return err
	}
	s, ready, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	line("start to ready", ms(ready), "")
	began, worked := time.Now(), s.processor()
	s.rest(5 * time.Minute)
	line("made ahead of readers then, at most 5 min", fmt.Sprintf("%.0f s, %.0f s of a processor", time.Since(began).Seconds(), (s.processor()-worked).Seconds()), "")
	line("memory at rest", s.memory(), "")
	size, err := sizeOf(data)
	if err != nil {
		return err
	}
	line("folder", fmt.Sprintf("%d MB", size>>20), "")
	v := &visitor{clients[0], s.base}
	last := dtm.MonthOf(time.Now()).Add(-1)
	var months, codes, asked []string
	for i := range scaleMonths / 2 {
		m := last.Add(-i).String()
		months = append(months, "/en/?from="+m)
		codes = append(codes, "/en/points/"+points[i*37%len(points)]+"?from="+m)
		asked = append(asked, "/en/staff/workshop/?"+url.Values{"indicator": {"total_movements"}, "by": {"point"}, "from": {m}, "to": {last.String()}}.Encode())
	}
	inside := func(kind string) (at []string) {
		for i := range 12 {
			at = append(at, "/en/staff/"+kind+points[i*37%len(points)])
		}
		return at
	}
	for _, x := range []view{
		{"public front page, months not asked before", months},
		{"a point's public page", codes},
		{"public list of points", []string{"/en/points/", "/fr/points/"}},
		{"public network page", []string{"/en/network/", "/fr/network/"}},
		{"public flows page", []string{"/en/flows/", "/fr/flows/"}},
		{"warning page", []string{"/en/warning/", "/fr/warning/"}},
		{"outlook page", []string{"/en/outlook/", "/fr/outlook/"}},
		{"staff: first page", []string{"/en/staff/", "/fr/staff/"}},
		{"staff: points", []string{"/en/staff/points/", "/fr/staff/points/"}},
		{"staff: a point", inside("points/")},
		{"staff: coverage", []string{"/en/staff/coverage/", "/fr/staff/coverage/", "/en/staff/coverage/?month=" + last.String()}},
		{"staff: network", []string{"/en/staff/network/", "/fr/staff/network/"}},
		{"staff: alerts", []string{"/en/staff/alerts/", "/fr/staff/alerts/"}},
		{"staff: planning", []string{"/en/staff/planning/", "/fr/staff/planning/"}},
		{"staff: review", []string{"/en/staff/review/", "/fr/staff/review/"}},
		{"staff: map of submissions", []string{"/en/staff/submissions/map", "/fr/staff/submissions/map"}},
		{"staff: devices", []string{"/en/staff/devices/", "/fr/staff/devices/"}},
		{"workshop: movements by point", asked},
		{"API: points.json", []string{"/api/v1/points.json"}},
		{"API: flows.json", []string{"/api/v1/flows.json"}},
		{"monthly report, PDF", []string{"/en/report/" + last.Add(-1).String() + ".pdf", "/fr/report/" + last.Add(-2).String() + ".pdf"}},
	} {
		line(x.name, v.weigh(s, x), "")
	}
	// That of the latest month: what is frozen is all that is published of it.
	worked = s.processor()
	took, _, err := run(bin, "release", "create", "-data", data, "-month", last.String())
	if err != nil {
		return err
	}
	line("release create", fmt.Sprintf("%.1f s, %.1f s of a processor", took.Seconds(), (s.processor()-worked).Seconds()), "")
	line("memory after that", s.memory()+", "+memoryOf(s.cmd.Process.Pid, "VmHWM")+" at most", "")
	loadNow()
	return nil
}

func loadNow() {
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		line("load of the machine", strings.Join(strings.Fields(string(b))[:3], " "), "")
	}
}

// weigh asks for a page at each of its addresses, at least six times, and tells how long the
// first took and the middle one, what one costs the server's processor, which other work on
// the machine adds little to, and how many bytes it is.
func (v *visitor) weigh(s *server, x view) string {
	var took []time.Duration
	weight, worked := 0, s.processor()
	for i := range max(6, len(x.at)) {
		began := time.Now()
		b, err := v.body(x.at[i%len(x.at)])
		if err != nil {
			return "left out: " + err.Error()
		}
		took, weight = append(took, time.Since(began)), max(weight, len(b))
	}
	each := (s.processor() - worked) / time.Duration(len(took))
	first := took[0]
	return fmt.Sprintf("%.0f, %.0f, work %d ms, %d kB", msOf(first), msOf(percentile(took, .5)), each.Milliseconds(), weight>>10)
}

func msOf(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// packOf writes a pack into a folder: Djibouti's, with n points. It gives their codes.
func packOf(dir string, n int) ([]string, error) {
	const from = "operation/djibouti"
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		return nil, fmt.Errorf("%w: run from the root of the repository", err)
	}
	codes := slices.Clone(staffed)
	positions := map[string][]string{} // rows of points.csv
	rewrite := func(name string, keep func(row []string) bool, more func(i int, code, like string) []string) error {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			return err
		}
		out := rows[:1]
		for _, r := range rows[1:] {
			if keep(r) {
				out = append(out, r)
			}
			if name == "points.csv" {
				positions[r[0]] = r
			}
		}
		for i := len(staffed); i < n; i++ {
			if row := more(i, fmt.Sprintf("p%04d", i), staffed[i%len(staffed)]); row != nil {
				out = append(out, row)
			}
		}
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		if err := w.WriteAll(out); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o644)
	}
	open := func(r []string) bool { return slices.Contains(staffed, r[0]) }
	r := rand.New(rand.NewPCG(3, 9))
	near := func(degrees string) string {
		v, _ := strconv.ParseFloat(degrees, 64) // the pack is checked by init
		return fmt.Sprintf("%.4f", v+(r.Float64()-.5)/4)
	}
	roles := []string{dtm.RoleExit, dtm.RoleTransit, dtm.RoleEntry}
	err := errors.Join(
		rewrite("points.csv", open, func(i int, code, like string) []string {
			codes = append(codes, code)
			p := slices.Clone(positions[like])
			p[0], p[6], p[7], p[8], p[9] = code, near(p[6]), near(p[7]), "no", ""
			for l := 1; l < 4; l++ {
				p[l] = fmt.Sprintf("%s %d", p[l], i)
			}
			return p
		}),
		rewrite("point_roles.csv", open, func(i int, code, _ string) []string { return []string{code, "", roles[i%len(roles)], ""} }),
		rewrite("point_status.csv", open, func(_ int, code, _ string) []string { return []string{code, "2018-01-01", "open", ""} }),
		rewrite("point_aliases.csv", open, func(int, string, string) []string { return nil }),
		// Those that are added lie on roads to the point that they are like.
		rewrite("links.csv", func([]string) bool { return true }, func(_ int, code, like string) []string {
			return []string{code, like, "1", "near", "proche", "قريب"}
		}),
	)
	return codes, err
}

// history imports what was registered before there were phones, by sex and age and by
// nationality, in so many months.
func history(bin, dir, data string, points []string, months int) error {
	rows, sum := len(points)*months*scaleRows, time.Duration(0)
	r := rand.New(rand.NewPCG(4, 9))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	most := int64(0)
	for _, by := range []struct {
		heading string
		of      int
		cells   func() string
	}{
		{"sex,age", rows, func() string { return pick("male", "male", "female") + "," + pick("adults", "adults", "children") }},
		{"nationality", rows / 2, func() string { return pick("ETH", "ETH", "ETH", "SOM", "YEM") }},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(by.heading, ",", "")+".csv")
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		fmt.Fprintln(w, "date,fmp,movement,previous,next,"+by.heading+",n,reason_economic,reason_conflict")
		first := dtm.MonthOf(time.Now()).Add(-months)
		for i := range by.of {
			m := first.Add(i * months / by.of)
			fmt.Fprintf(w, "%s-%02d,%s,%s,%s,%s,%s,%d,%d,%d\n", m, 1+r.IntN(28), points[r.IntN(len(points))], pick("incoming", "outgoing"), pick("ETH", "ETH", "ETH", "YEM", "SOM"), pick("DJI", "SAU", "YEM"), by.cells(), 1+r.IntN(20), r.IntN(2), r.IntN(2))
		}
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			return err
		}
		took, rss, err := run(bin, "import", "movements", "-data", data, file)
		if err != nil {
			return err
		}
		sum, most = sum+took, max(most, rss)
	}
	line(fmt.Sprintf("import, %d rows a point", months*scaleRows*3/2), fmt.Sprintf("%.1f s, %d MB", sum.Seconds(), most>>20), "")
	return nil
}

// phones sends what the phones of the last days brought.
func phones(bin, data string, points []string) error {
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	p, err := enrolled(bin, data, len(points)*scaleSent, scaleDays)
	if err != nil {
		return err
	}
	for i := range p.bodies {
		p.bodies[i] = place.ReplaceAll(p.bodies[i], []byte("<point>"+points[i%len(points)]+"</point>"))
	}
	_, all, err := spread(32, p.bodies, p.post)
	if err != nil {
		return err
	}
	line(fmt.Sprintf("phones, %d submissions a point", scaleSent), fmt.Sprintf("%.1f s, %.0f/s", all.Seconds(), float64(len(p.bodies))/all.Seconds()), "")
	began := time.Now()
	if err := follows(s.base, time.Hour); err != nil {
		return err
	}
	line("read and loaded after that", fmt.Sprintf("%.0f s", time.Since(began).Seconds()), "")
	return nil
}

// sizeOf is how many bytes the files of a folder are.
func sizeOf(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		st, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // the server is at work
			return nil
		}
		if err == nil {
			sum += st.Size()
		}
		return err
	})
	return sum, err
}
