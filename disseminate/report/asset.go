package report

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/klauspost/compress/zstd"

	"dtm"
	"dtm/disseminate/report/raster"
	"dtm/disseminate/report/typst"
)

// assets holds the PDF engine and its fonts once make assets has put them there;
// before that only the file that says so.
//
//go:embed asset
var assets embed.FS

const (
	engineAsset  = "asset/typst.wasm.zst"
	painterAsset = "asset/resvg.wasm.zst"
)

// NewPress makes the PDF engine with the embedded fonts, of processes of this very program:
// its main calls Work first. The folder cacheDir keeps its machine code (100 MB): the first
// document of a machine takes half a minute, the first of a process half a second. Errors
// of its documents are those of typst; Unavailable when the program was built without make
// assets.
func NewPress(cacheDir string) *typst.Engine {
	return typst.New(func() *exec.Cmd {
		c := exec.Command(program())
		c.Args = []string{workName, workVerb, cacheDir}
		c.Env = []string{} // it needs none, and no secret of this one's
		return c
	})
}

// What a process of the press is called with.
const workName, workVerb = "dtm", "pdf-engine"

// program is the file of this process, even when another has been put in its place since.
func program() string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self
	}
	p, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return p
}

// Work makes this process one of a press's, when it was started as such, and ends it then.
func Work() {
	if len(os.Args) != 3 || os.Args[1] != workVerb {
		return
	}
	load := func() ([]byte, [][]byte, error) { return load(assets, engineAsset, "*.ttf") }
	if err := typst.Work(load, os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// NewPainter makes the embedded painter of pictures, with those of the embedded fonts
// that drawings use. It starts when it is first needed and keeps its machine code (10 MB)
// in cacheDir. Errors are those of raster.New; Unavailable when the program was built
// without make assets.
func NewPainter(cacheDir string) (*raster.Painter, error) {
	wasm, fonts, err := load(assets, painterAsset, "*-[RS]e*.ttf") // Regular, SemiBold
	if err != nil {
		return nil, err
	}
	return raster.New(wasm, fonts, cacheDir)
}

// load unpacks an engine and collects the fonts of a pattern.
func load(files fs.FS, engine, pattern string) (wasm []byte, fonts [][]byte, err error) {
	packed, err := fs.ReadFile(files, engine)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, missing("the PDF engine")
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	if wasm, err = d.DecodeAll(packed, nil); err != nil {
		return nil, nil, dtm.Errorf(dtm.Internal, "the embedded %s is damaged; run make assets and build again: %w", engine, err)
	}
	names, err := fs.Glob(files, "asset/"+pattern)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		fonts = append(fonts, b)
	}
	if len(fonts) == 0 {
		return nil, nil, missing("a font for the PDF")
	}
	return wasm, fonts, nil
}

func missing(what string) error {
	return &dtm.Error{Kind: dtm.Unavailable, Op: "report.NewPress", Code: "report.noassets", Msg: what + " is not in this program: it was built before `make assets` had fetched it; run make build"}
}
