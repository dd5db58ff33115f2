package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
)

// dtmRun carries a command out in this process, as a user's shell would.
func dtmRun(t *testing.T, args ...string) (out string) {
	t.Helper()
	code, stdout, stderr := dtmTry(t, args...)
	if code != 0 {
		t.Fatalf("dtm %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func dtmTry(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(testContext(t), &call{args: args, dir: t.TempDir(), env: testEnv, out: &o, err: &e})
	return code, o.String(), e.String()
}

// testEnv is a fresh user's environment, but for the compiled PDF engine, which
// the tests of package report have left in the checkout's cache.
func testEnv(key string) string {
	if key != "DTM_CACHE" {
		return ""
	}
	p, err := filepath.Abs(filepath.Join("..", "..", ".cache", "typst"))
	if err != nil {
		return ""
	}
	return p
}

// real makes a data folder with the given real files imported.
func real(t *testing.T, files ...string) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	for _, f := range files {
		dtmRun(t, "import", "movements", "-data", data, shared(t, "data/movements/"+f))
	}
	return data
}

// value is the single value that `dtm indicator -format csv` prints.
func value(t *testing.T, data, id, from, to string, more ...string) string {
	t.Helper()
	out := dtmRun(t, append([]string{"indicator", "-data", data, id, "-from", from, "-to", to, "-format", "csv"}, more...)...)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%s %s: %v\n%s", id, from, err, out)
	}
	return rows[1][slices.Index(rows[0], "value")]
}

// TestImportReal: the published history, twice, in both breakdowns.
func TestImportReal(t *testing.T) {
	t.Parallel()
	data := real(t)
	file := shared(t, "data/movements/DJI_dmg_2018_2022.csv")
	first := dtmRun(t, "import", "movements", "-data", data, file)
	for _, want := range []string{"read           3787 rows, 952004 movements", "added          3787", "rejected          0", "point.blank"} {
		if !strings.Contains(first, want) {
			t.Errorf("first import lacks %q:\n%s", want, first)
		}
	}
	if again := dtmRun(t, "import", "movements", "-data", data, file); !strings.Contains(again, "added             0") {
		t.Errorf("second import:\n%s", again)
	}
	dtmRun(t, "import", "movements", "-data", data, shared(t, "data/movements/DJI_nat_2018_2022.csv"))
	if got := value(t, data, "total_movements", "2018", "2022"); got != "952004" {
		t.Errorf("both breakdowns give %s movements, not 952004", got)
	}
}

// TestImportKilled: killed in the middle and run again, the totals are the same.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	data := real(t)
	file := filepath.Join(t.TempDir(), "large.csv")
	want := writeLarge(t, file, 400_000)
	exe, err := exec.LookPath("dtm") // the test binary under the program's name: see TestMain
	if err != nil {
		exe, err = os.Executable()
		if err != nil {
			t.Fatal(err)
		}
	}
	killed := 0
	for _, after := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		cmd := exec.CommandContext(ctx, exe, "import", "movements", "-data", data, file) // ends it by SIGKILL
		if err := cmd.Run(); err != nil {
			killed++
		}
		cancel()
	}
	if killed == 0 {
		t.Skip("the machine imports faster than it can be killed")
	}
	dtmRun(t, "import", "movements", "-data", data, file)
	if got := value(t, data, "total_movements", "2020", "2021"); got != strconv.Itoa(want) {
		t.Errorf("killed %d times and finished: %s movements, want %d", killed, got, want)
	}
	if out := dtmRun(t, "check", "-data", data); !strings.Contains(out, "unbroken") {
		t.Error(out)
	}
}

func writeLarge(t *testing.T, file string, rows int) (people int) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	w.Write([]string{"month", "fmp", "movement", "previous", "next", "sex", "age", "n"})
	points := []string{"Obock", "Yoboki", "Galafi (DJI)", "Tadjourah"}
	for i := range rows {
		n := 1 + i%37
		people += n
		w.Write([]string{"202" + strconv.Itoa(i%2) + "-0" + strconv.Itoa(1+i%9), points[i%4], "incoming", "ETH", "DJI", "male", "adults", strconv.Itoa(n)})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return people
}

// TestPublished asks the program for every published figure that the files
// reproduce.
func TestPublishedByCommands(t *testing.T) {
	t.Parallel()
	data := real(t, "DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv")
	f, err := os.Open(shared(t, "data/movements/published.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	matched, not, differ := 0, 0, 0
	for _, r := range rows[1:] {
		if r[4] != "yes" {
			not++
			continue
		}
		from, to, ok := strings.Cut(r[0], "..")
		if !ok {
			to = from
		}
		id := r[1]
		if strings.Contains(r[5], "sex unknown) / sum") {
			id += "+unknown" // as published then; unknown is apart otherwise
		}
		got, want := value(t, data, id, from, to), r[2]
		if !asPublished(t, got, want) {
			differ++
			t.Errorf("%s %s: %s, published %s", r[0], r[1], got, want)
			continue
		}
		matched++
	}
	t.Logf("published figures: %d matched, %d differ, %d not reproducible from these files", matched, differ, not)
	if matched+differ != 91 {
		t.Errorf("%d figures compared, want 91", matched+differ)
	}
}

// asPublished rounds to the decimals of the published figure.
func asPublished(t *testing.T, got, want string) bool {
	t.Helper()
	g, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false
	}
	w, err := strconv.ParseFloat(want, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, decimals, _ := strings.Cut(want, ".")
	return dtm.Indicator{Decimals: len(decimals)}.Round(g) == w && math.Abs(g-w) <= 0.5
}
