// Command assets copies what the program embeds from node_modules, where npm ci
// has put it in exact versions, to the folders that git ignores: the PDF engine, the
// painter of pictures (both compressed) and fonts for package report, htmx and fonts for package web,
// each with its licence. Run it from the root of the checkout, or by make assets.
//
// With -warm FOLDER it makes the engine's machine code in that folder instead. A
// test under the race detector would take minutes for what takes this program
// half a minute, once.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"dtm/disseminate/report/raster"
	"dtm/disseminate/report/typst"
)

const (
	report = "disseminate/report/asset"
	web    = "web/asset/vendor"
)

// asset is one file: from is under node_modules.
type asset struct{ from, folder, name string }

var assets = []asset{
	{"@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf", report, "Inter-Regular.ttf"},
	{"@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf", report, "Inter-SemiBold.ttf"},
	{"@expo-google-fonts/inter/700Bold/Inter_700Bold.ttf", report, "Inter-Bold.ttf"},
	{"@expo-google-fonts/vazirmatn/400Regular/Vazirmatn_400Regular.ttf", report, "Vazirmatn-Regular.ttf"},
	{"@expo-google-fonts/vazirmatn/600SemiBold/Vazirmatn_600SemiBold.ttf", report, "Vazirmatn-SemiBold.ttf"},
	{"@expo-google-fonts/vazirmatn/700Bold/Vazirmatn_700Bold.ttf", report, "Vazirmatn-Bold.ttf"},
	{"@expo-google-fonts/inter/LICENSE_FONT", report, "LICENSE-Inter.txt"},
	{"@expo-google-fonts/vazirmatn/LICENSE_FONT", report, "LICENSE-Vazirmatn.txt"},

	{"htmx.org/dist/htmx.min.js", web, "htmx.min.js"},
	{"htmx.org/LICENSE", web, "LICENSE-htmx.txt"},
	{"@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", web, "inter.woff2"},
	{"@fontsource-variable/inter/LICENSE", web, "LICENSE-inter.txt"},
	{"@fontsource-variable/noto-sans-arabic/files/noto-sans-arabic-arabic-wght-normal.woff2", web, "noto-sans-arabic.woff2"},
	{"@fontsource-variable/noto-sans-arabic/LICENSE", web, "LICENSE-noto-sans-arabic.txt"},
}

// engine is a build of WebAssembly: from is under node_modules.
type engine struct{ from, name, sum, version string }

var engines = []engine{
	{typst.Build.Package + "/pkg/typst_ts_web_compiler_bg.wasm", "typst.wasm.zst", typst.Build.SHA256, typst.Build.Version},
	{raster.Build.Package + "/index_bg.wasm", "resvg.wasm.zst", raster.Build.SHA256, raster.Build.Version},
}

func main() {
	folder := flag.String("warm", "", "make the PDF engine's machine code in `FOLDER`, nothing else")
	flag.Parse()
	var err error
	if *folder != "" {
		err = warm(*folder)
	} else {
		err = run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := clear(); err != nil {
		return err
	}
	for _, a := range assets {
		data, err := read(a.from)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(a.folder, a.name), data); err != nil {
			return err
		}
	}
	for _, e := range engines {
		if err := engineAsset(e); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what an earlier version of this program has put there and this
// one does not: it would be embedded.
func clear() error {
	known := map[string]bool{}
	for _, e := range engines {
		known[filepath.Join(report, e.name)] = true
	}
	for _, a := range assets {
		known[filepath.Join(a.folder, a.name)] = true
	}
	for _, folder := range []string{report, web} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := filepath.Join(folder, e.Name())
			if known[name] || e.Name() == "README.md" || e.Name() == ".gitignore" {
				continue
			}
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// engineAsset compresses an engine, unless the compressed one is of this build:
// it takes seconds and this program runs often.
func engineAsset(e engine) error {
	wasm, err := read(e.from)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); got != e.sum {
		return fmt.Errorf("node_modules/%s has SHA-256 %s; the program is written for %s of version %s: set that version in package.json and run npm ci", e.from, got, e.sum, e.version)
	}
	name := filepath.Join(report, e.name)
	if old, err := os.ReadFile(name); err == nil {
		if d, err := zstd.NewReader(nil); err == nil {
			defer d.Close()
			if plain, err := d.DecodeAll(old, nil); err == nil && bytes.Equal(plain, wasm) {
				return nil
			}
		}
	}
	c, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	return write(name, c.EncodeAll(wasm, nil))
}

// warm starts the engine once, without fonts: its machine code stays in folder.
func warm(folder string) error {
	b, err := os.ReadFile(filepath.Join(report, engines[0].name))
	if err != nil {
		return fmt.Errorf("%w: run make assets first", err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		return err
	}
	defer d.Close()
	wasm, err := d.DecodeAll(b, nil)
	if err != nil {
		return err
	}
	return typst.Prepare(context.Background(), wasm, folder)
}

func read(from string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join("node_modules", filepath.FromSlash(from)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("node_modules/%s is missing: run npm ci in the root of the checkout first (make assets does both)", from)
	}
	return data, err
}

// write replaces the file whole, so that a build beside it never embeds half.
func write(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".part", data, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}
