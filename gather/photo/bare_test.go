package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// secret stands wherever a camera may say something; a bare picture has it nowhere.
const secret = "11.5886N 43.1456E Canon 0123456789"

func picture() image.Image {
	r := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, 97, 61))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	for x := range 97 {
		m.Set(x, 3, color.White)
	}
	return m
}

func segment(code byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, code}, uint16(len(s)+2)), s...)
}

// exif turns and has a position, by a directory of its own, and a thumbnail.
func exif(o binary.AppendByteOrder, orientation uint16) string {
	b := []byte("MM")
	if o == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II")
	}
	b = o.AppendUint32(o.AppendUint16(b, 42), 8)
	b = o.AppendUint16(b, 2)
	b = o.AppendUint32(o.AppendUint16(o.AppendUint16(b, 0x0112), 3), 1)
	b = o.AppendUint16(o.AppendUint16(b, orientation), 0)
	b = o.AppendUint32(o.AppendUint32(o.AppendUint16(o.AppendUint16(b, 0x8825), 4), 1), 38) // GPS
	b = o.AppendUint32(b, 0)
	return "Exif\x00\x00" + string(b) + secret
}

func shot(t *testing.T, o binary.AppendByteOrder, orientation uint16) (with, plain []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	plain = b.Bytes()
	with = slices.Concat([]byte{0xff, 0xd8}, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), segment(0xe1, exif(o, orientation)), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+secret+"</x:xmpmeta>"),
		segment(0xe0, "JFXX\x00\x10"+secret), segment(0xe2, "ICC_PROFILE\x00\x01\x01colours"), segment(0xe2, "MPF\x00"+secret), []byte{0xff, 0xff}, segment(0xed, "Photoshop 3.0\x008BIM"+secret)[1:], segment(0xfe, secret), segment(0xef, secret),
		plain[2:], []byte(secret), plain, segment(0xe1, exif(o, 1)))
	return with, plain
}

func barely(t *testing.T, b []byte) []byte {
	t.Helper()
	out, err := io.ReadAll(Bare(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	slow, err := io.ReadAll(iotest.OneByteReader(Bare(iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(b))))))
	if err != nil || !bytes.Equal(out, slow) {
		t.Errorf("in small pieces it is another: %d and %d bytes, %v", len(out), len(slow), err)
	}
	if again, err := io.ReadAll(Bare(bytes.NewReader(out))); err != nil || !bytes.Equal(again, out) {
		t.Errorf("what is bare changes again: %d and %d bytes, %v", len(out), len(again), err)
	}
	return out
}

func same(t *testing.T, a, b []byte, decode func(io.Reader) (image.Image, error)) {
	t.Helper()
	x, err := decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	y, err := decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if x.Bounds() != y.Bounds() {
		t.Fatalf("%v and %v", x.Bounds(), y.Bounds())
	}
	for i := range x.Bounds().Dx() * x.Bounds().Dy() {
		at := image.Pt(i%x.Bounds().Dx(), i/x.Bounds().Dx())
		if x.At(at.X, at.Y) != y.At(at.X, at.Y) {
			t.Fatalf("the pixel at %v is another", at)
		}
	}
}

// TestBareJPEG: position, owner, remarks, thumbnails and second pictures go; the pixels, the
// colours and how it is to be turned stay.
func TestBareJPEG(t *testing.T) {
	t.Parallel()
	for _, o := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		for _, turned := range []uint16{0, 1, 3, 6, 8, 9} {
			with, plain := shot(t, o, turned)
			got := barely(t, with)
			if bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("xmpmeta")) || bytes.Count(got, []byte{0xff, 0xd8, 0xff}) != 1 {
				t.Fatalf("turned %d: something stays: %q", turned, got[:min(300, len(got))])
			}
			if !bytes.Contains(got, []byte("ICC_PROFILE\x00\x01\x01colours")) || !bytes.Contains(got, []byte("JFIF")) {
				t.Error("the colours are lost")
			}
			same(t, plain, got, jpeg.Decode)
			at := bytes.Index(got, []byte("Exif\x00\x00"))
			if turned < 2 || turned > 8 {
				if at >= 0 {
					t.Errorf("turned %d: it says more than nothing", turned)
				}
				continue
			}
			if at < 0 || orientation(got[at+6:]) != int(turned) {
				t.Errorf("turned %d is lost", turned)
			}
		}
	}
	_, plain := shot(t, binary.BigEndian, 1)
	if got := barely(t, plain); !bytes.Equal(got, plain) {
		t.Error("a picture that says nothing is changed")
	}
}

func chunk(name, s string) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), name+s...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func TestBarePNG(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	head := plain[:8+25] // the signature and IHDR
	with := slices.Concat(head, chunk("gAMA", "\x00\x00\xb1\x8f"), chunk("eXIf", exif(binary.BigEndian, 3)[6:]), chunk("tEXt", "Comment\x00"+secret), chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+secret), chunk("zTXt", secret), chunk("tIME", secret[:7]), chunk("prIv", secret), plain[len(head):], []byte(secret))
	got := barely(t, with)
	if bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("eXIf")) || bytes.Contains(got, []byte("tIME")) || !bytes.Contains(got, []byte("gAMA")) {
		t.Errorf("%q", got[:200])
	}
	same(t, plain, got, png.Decode)
	if got := barely(t, plain); !bytes.Equal(got, plain) {
		t.Error("a picture that says nothing is changed")
	}
}

func TestBareWebP(t *testing.T) {
	t.Parallel()
	part := func(name, s string) []byte {
		b := append([]byte(name), binary.LittleEndian.AppendUint32(nil, uint32(len(s)))...)
		if b = append(b, s...); len(s)%2 == 1 {
			b = append(b, 0)
		}
		return b
	}
	file := func(flags byte, parts ...[]byte) []byte {
		all := slices.Concat(append([][]byte{[]byte("WEBP"), part("VP8X", string([]byte{flags, 0, 0, 0, 0, 0, 0, 0, 0, 0}))}, parts...)...)
		return slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(all))), all)
	}
	pixels := part("VP8L", "\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	got := barely(t, append(file(0x2c, part("ICCP", "colours"), pixels, part("EXIF", secret+"!"), part("XMP ", secret)), secret...))
	if want := file(0x20, part("ICCP", "colours"), pixels, part("free", strings.Repeat("\x00", len(secret)+1)), part("free", strings.Repeat("\x00", len(secret)))); !bytes.Equal(got, want) {
		t.Errorf("\n%q, want\n%q", got, want)
	}
	if plain := file(0x20, pixels); !bytes.Equal(barely(t, plain), plain) {
		t.Error("a picture that says nothing is changed")
	}
}

// TestBareOthers: no picture, or half of one, is as it came, and an error of who sends it
// stays what it is.
func TestBareOthers(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "\xff\xd8", "\xff\xd8\xff", "GIF89a" + secret, "%PDF-1.7 " + secret, "RIFF\x04\x00\x00\x00WEBP", "\x89PNG\r\n\x1a\n", "<svg onload=alert(1)>", strings.Repeat("long ", 100_000), "\xff\xd8\xff\xe0\x00\x01" + secret} {
		if got := barely(t, []byte(s)); string(got) != s {
			t.Errorf("%.60q became %.60q", s, got)
		}
	}
	with, _ := shot(t, binary.BigEndian, 6)
	broke := errors.New("broke off")
	if _, err := io.ReadAll(Bare(io.MultiReader(bytes.NewReader(with[:len(with)/2]), iotest.ErrReader(broke)))); !errors.Is(err, broke) {
		t.Errorf("an error became %v", err)
	}
	for n := range len(with) { // cut anywhere
		if n > 400 {
			break
		}
		if got := barely(t, with[:n]); bytes.Contains(got, []byte(secret)) {
			t.Fatalf("cut after %d bytes it says %q", n, got)
		}
	}
}

func FuzzBare(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00IEND"))
	f.Add([]byte("RIFF\x0c\x00\x00\x00WEBPEXIF\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { barely(t, b) })
}
