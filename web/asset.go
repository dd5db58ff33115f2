package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"dtm"
	"dtm/disseminate/chart/draw"
)

//go:embed asset
var assetFiles embed.FS

// assets maps names to content and to addresses that carry a hash of it, so that
// a browser may keep what it has for ever.
type assets struct {
	url  map[string]string
	data map[string][]byte // by address, without /asset/
}

func readAssets() (assets, error) {
	a := assets{map[string]string{}, map[string][]byte{}}
	err := fs.WalkDir(assetFiles, "asset", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := assetFiles.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "asset/")
		if name != "app.css" { // it names others: last
			a.add(name, b)
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	css, err := assetFiles.ReadFile("asset/app.css")
	if err != nil {
		return a, err
	}
	text := string(css) + draw.Stylesheet
	if url, ok := a.url["vendor/inter.woff2"]; ok {
		text = strings.ReplaceAll(text, "vendor/inter.woff2", url)
	}
	a.add("app.css", []byte(text))
	return a, nil
}

func (a assets) add(name string, b []byte) {
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.url[name], a.data[hashed] = "/asset/"+hashed, b
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	b, ok := p.assets.data[name]
	if !ok {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	t := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".woff2" {
		t = "font/woff2"
	}
	w.Header().Set("Content-Type", t)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, err := w.Write(b)
	return err
}
