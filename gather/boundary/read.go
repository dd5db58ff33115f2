package boundary

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"dtm"
)

// Bounds of what is read.
const (
	MostBytes     = 32 << 20 // of all files, unpacked
	mostFiles     = 40
	mostFeatures  = 5000
	mostPositions = 2_000_000
	mostCode      = 20 // letters of a P-code
	mostName      = 200
)

// File is a file as it came: GeoJSON, or a zip of such files.
type File struct {
	Name string
	Data []byte
}

// area is a feature that was read.
type area struct {
	properties
	file    string
	feature int // from 1
	shape   orb.MultiPolygon
}

// where names the area's feature and the property that its P-code is from.
func (a *area) where() string { return at(a.file, a.feature, a.codeAt) }

// reading is what files hold.
type reading struct {
	faults
	doubts   faults
	areas    []area
	features int
	left     int // positions that may still be read
}

// readFiles reads files of boundaries. What is wrong is in the reading's faults.
func readFiles(files []File) *reading {
	r := &reading{left: mostPositions}
	var plain []File
	size := 0
	for _, f := range files {
		if !bytes.HasPrefix(f.Data, []byte("PK\x03\x04")) {
			size += len(f.Data)
			plain = append(plain, f)
			continue
		}
		list, err := unzip(f, MostBytes-size)
		if err != nil {
			r.put(err.At(f.Name))
			continue
		}
		for _, x := range list {
			size += len(x.Data)
		}
		plain = append(plain, list...)
	}
	switch {
	case size > MostBytes:
		r.add("", "large.bytes", []any{MostBytes >> 20}, tooLarge)
		return r
	case len(plain) == 0 && len(r.list) == 0:
		r.add("", "none", nil, "there is no file with boundaries: want GeoJSON, or a zip of it")
	}
	zipped := len(plain) > len(files)
	for _, f := range plain {
		r.file(f, zipped)
	}
	return r
}

const tooLarge = "the files are larger than %d MB unpacked; simplify the outlines, or leave out the levels below the second"

// unzip takes the GeoJSON files out of an archive, of all together no more than left
// bytes, whatever the archive says of their sizes.
func unzip(f File, left int) ([]File, *dtm.Error) {
	damaged := dtm.Errorf(dtm.Invalid, "the archive cannot be opened; it is damaged or encrypted").Coded("boundary.zip")
	z, err := zip.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		return nil, damaged
	}
	var out []File
	for _, e := range z.File {
		switch strings.ToLower(path.Ext(e.Name)) {
		case ".geojson", ".json":
		default:
			continue
		}
		if strings.HasPrefix(path.Base(e.Name), ".") || strings.HasPrefix(e.Name, "__MACOSX/") {
			continue
		}
		if len(out) == mostFiles {
			return nil, dtm.Errorf(dtm.Invalid, "the archive holds more than %d files", mostFiles).Coded("boundary.large.files", mostFiles)
		}
		in, err := e.Open()
		if err != nil {
			return nil, damaged
		}
		b, err := io.ReadAll(io.LimitReader(in, int64(left)+1))
		in.Close()
		if err != nil {
			return nil, damaged
		}
		if left -= len(b); left < 0 {
			return nil, dtm.Errorf(dtm.Invalid, tooLarge, MostBytes>>20).Coded("boundary.large.bytes", MostBytes>>20)
		}
		out = append(out, File{path.Base(e.Name), b})
	}
	if len(out) == 0 {
		return nil, dtm.Errorf(dtm.Invalid, "the archive holds no .geojson file; of COD-AB on HDX choose the GeoJSON, not the shapefile").Coded("boundary.zip.empty")
	}
	return out, nil
}

// collection is the part of a GeoJSON document that is read.
type collection struct {
	Type string
	CRS  *struct {
		Properties struct{ Name string }
	}
	Features []json.RawMessage
}

// file reads one GeoJSON file. Of an archive, files of lines and points, which COD-AB
// has beside its areas, are passed over.
func (r *reading) file(f File, zipped bool) {
	var doc collection
	data := bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(data, &doc); err != nil {
		line := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		}
		r.add(f.Name, "json", []any{line}, "the file is not GeoJSON (line %d); a shapefile has to be converted first")
		return
	}
	if doc.Type != "FeatureCollection" || len(doc.Features) == 0 {
		r.add(f.Name, "empty", nil, "the file is no GeoJSON FeatureCollection with features")
		return
	}
	if doc.CRS != nil && !degrees(doc.CRS.Properties.Name) {
		r.add(f.Name, "crs", []any{doc.CRS.Properties.Name}, "the file says that its coordinate system is %s; export it as WGS 84 (EPSG:4326)")
		return
	}
	if r.features += len(doc.Features); r.features > mostFeatures {
		r.add(f.Name, "large.features", []any{mostFeatures}, "the files hold more than %d features; areas of the levels 0, 1 and 2 are wanted")
		return
	}
	// What the file is of, before its features are faulted one by one.
	type head struct {
		Properties map[string]any
		Geometry   *geometry
	}
	heads := make([]head, len(doc.Features))
	outlines, coded := 0, 0
	for i, raw := range doc.Features {
		if json.Unmarshal(raw, &heads[i]) != nil {
			r.add(at(f.Name, i+1, ""), "feature", nil, "this is no GeoJSON feature")
			continue
		}
		if g := heads[i].Geometry; g != nil && (g.Type == "Polygon" || g.Type == "MultiPolygon") {
			outlines++
		}
		if read(heads[i].Properties).has {
			coded++
		}
	}
	if zipped && outlines == 0 {
		r.doubts.add(f.Name, "passed.over", nil, "the file holds no areas and is passed over")
		return
	}
	if coded == 0 {
		var names []string
		for k := range heads[0].Properties {
			names = append(names, k)
		}
		slices.Sort(names)
		said := strings.Join(names[:min(len(names), 12)], ", ")
		r.add(f.Name, "pcode.none", []any{said}, "no feature has a P-code: want a property like ADM1_PCODE or adm1_pcode; there are: %s")
		return
	}
	deep := true
	for i, h := range heads {
		a := area{properties: read(h.Properties), file: f.Name, feature: i + 1}
		if a.level > 2 {
			continue
		}
		deep = false
		if !a.has {
			r.add(at(f.Name, i+1, ""), "pcode.missing", nil, "the feature has no P-code property, as others of the file have")
			continue
		}
		switch {
		case a.code == "" && a.level > 0:
			r.add(a.where(), "pcode.empty", nil, "the P-code is empty")
			continue
		case len(a.code) > mostCode || strings.ContainsFunc(a.code, func(c rune) bool { return !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') }):
			r.add(a.where(), "pcode.form", []any{clip(a.code)}, "%q is no P-code: letters and digits, 20 at most")
			continue
		}
		if a.shape = h.Geometry.polygons(&r.faults, at(f.Name, i+1, ""), &r.left); a.shape != nil {
			r.areas = append(r.areas, a)
		} else if r.left < 0 {
			return
		}
	}
	if deep {
		r.doubts.add(f.Name, "deep", nil, "the file holds areas below the second level only, which are not used; it is passed over")
	}
}

// degrees tells whether a coordinate system's name is one of WGS 84 in degrees.
func degrees(name string) bool {
	n := strings.ToUpper(name)
	return n == "" || strings.HasSuffix(n, ":CRS84") || strings.HasSuffix(n, ":4326") || n == "WGS84" || n == "WGS 84"
}

func clip(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), mostCode+10)])
}

// text is a name fit to be shown: not longer than mostName.
func text(t dtm.Text) dtm.Text {
	out := dtm.Text{}
	for l, s := range t {
		r := []rune(strings.Join(strings.Fields(s), " "))
		out[l] = string(r[:min(len(r), mostName)])
	}
	return out
}
