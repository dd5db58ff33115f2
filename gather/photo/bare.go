package photo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

// Bare reads r and gives the same file without what stands in it beside the picture; how a
// JPEG is to be turned stays. r is read to its end, and its errors are returned as they are.
// A picture that is broken is given as it came from where it is broken. The same bytes give
// the same bytes.
func Bare(r io.Reader) io.Reader {
	b := &bare{in: bufio.NewReaderSize(r, 32<<10)}
	b.step = b.begin
	return b
}

// bare is a file being read: out and then pass bytes of in are to be given, and drop bytes
// of in to be left out, before step is asked for more.
type bare struct {
	in   *bufio.Reader
	out  []byte
	pass int64
	zero bool // what is passed is given as zeros
	drop int64
	left int64 // of a WebP
	step func() error
	err  error
}

const rest = math.MaxInt64

func (b *bare) Read(p []byte) (int, error) {
	for len(p) > 0 {
		switch {
		case len(b.out) > 0:
			n := copy(p, b.out)
			b.out = b.out[n:]
			return n, nil
		case b.err != nil:
			return 0, b.err
		case b.pass > 0:
			n, err := b.in.Read(p[:min(int64(len(p)), b.pass)])
			if b.zero {
				clear(p[:n])
			}
			b.pass -= int64(n)
			b.err = err
			if n > 0 {
				return n, nil
			}
		case b.drop > 0:
			n, err := b.in.Discard(int(min(b.drop, 1<<20)))
			b.drop -= int64(n)
			b.err = err
		default:
			b.zero = false
			if err := b.step(); err != nil && b.err == nil {
				b.err = err
			}
		}
	}
	return 0, nil
}

// take reads n bytes. When there are no more so many, what is there is given as it is.
func (b *bare) take(n int) ([]byte, bool) {
	p := make([]byte, n)
	got, err := io.ReadFull(b.in, p)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		b.out, b.err = append(b.out, p[:got]...), err
		return nil, false
	}
	return p, true
}

// broken gives all that follows as it is.
func (b *bare) broken(p ...byte) error {
	b.out, b.pass = append(b.out, p...), rest
	return nil
}

// ended leaves out all that follows the picture.
func (b *bare) ended() error {
	b.drop = rest
	return nil
}

var pngStart = []byte("\x89PNG\r\n\x1a\n")

func (b *bare) begin() error {
	head, err := b.in.Peek(16)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case len(head) >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff:
		b.out, b.drop, b.step = []byte{0xff, 0xd8}, 2, b.jpeg
	case bytes.HasPrefix(head, pngStart):
		b.pass, b.step = int64(len(pngStart)), b.png
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		b.left = int64(binary.LittleEndian.Uint32(head[4:8])) - 4
		b.pass, b.step = 12, b.webp
	default:
		b.pass = rest
	}
	return nil
}

// jpeg reads a marker and its segment (ITU-T T.81, B.1.1).
func (b *bare) jpeg() error {
	p, ok := b.take(1)
	if !ok {
		return nil
	}
	if p[0] != 0xff {
		return b.broken(p...)
	}
	return b.segment()
}

// segment follows the first byte of a marker.
func (b *bare) segment() error {
	b.step = b.jpeg
	p := []byte{0xff, 0xff}
	for p[1] == 0xff { // filling
		next, ok := b.take(1)
		if !ok {
			b.out = append(b.out, 0xff)
			return nil
		}
		p[1] = next[0]
	}
	switch code := p[1]; {
	case code == 0xd9:
		b.out = append(b.out, p...)
		b.step = b.ended
		return nil
	case code == 0x01, code >= 0xd0 && code <= 0xd8:
		b.out = append(b.out, p...)
		return nil
	}
	size, ok := b.take(2)
	if !ok {
		b.out = append(p, b.out...)
		return nil
	}
	n := int(binary.BigEndian.Uint16(size)) - 2
	if n < 0 {
		return b.broken(append(p, size...)...)
	}
	// What a segment is for stands at its beginning.
	name, err := b.in.Peek(min(n, 14))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	is := func(s string) bool { return bytes.HasPrefix(name, []byte(s)) }
	keep := true
	switch code := p[1]; {
	case code == 0xe0:
		keep = is("JFIF\x00")
	case code == 0xe1 && is("Exif\x00\x00"):
		all, ok := b.take(n)
		if !ok {
			b.out = nil // half of it is worse than none
			return nil
		}
		if turned := orientation(all[6:]); turned > 1 {
			b.out = append(b.out, turn(turned)...)
		}
		return nil
	case code == 0xe2:
		keep = is("ICC_PROFILE\x00") // colours
	case code == 0xee:
		keep = is("Adobe")
	case code >= 0xe1 && code <= 0xef, code == 0xfe:
		keep = false
	}
	if !keep {
		b.drop = int64(n)
		return nil
	}
	b.out, b.pass = append(append(b.out, p...), size...), int64(n)
	if p[1] == 0xda {
		b.step = b.scan
	}
	return nil
}

// scan passes the picture itself until the next marker.
func (b *bare) scan() error {
	piece, err := b.in.ReadSlice(0xff)
	if err != nil {
		b.out = append(b.out, piece...)
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil
		}
		return err
	}
	b.out = append(b.out, piece...)
	next, err := b.in.Peek(1)
	if err != nil {
		return err
	}
	if c := next[0]; c == 0 || c >= 0xd0 && c <= 0xd7 || c == 0xff {
		return nil
	}
	b.out, b.step = b.out[:len(b.out)-1], b.segment
	return nil
}

// kept are the chunks of a PNG that are needed to see it (PNG, third edition, 11.3; and of
// animations).
var kept = []string{"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "hIST", "pHYs", "sPLT", "cICP", "mDCV", "cLLI", "acTL", "fcTL", "fdAT"}

func (b *bare) png() error {
	head, ok := b.take(8)
	if !ok {
		return nil
	}
	n, name := int64(binary.BigEndian.Uint32(head)), string(head[4:])
	switch needed := name[0] >= 'A' && name[0] <= 'Z'; {
	case n > math.MaxInt32:
		return b.broken(head...)
	case needed || slices.Contains(kept, name):
		b.out, b.pass = append(b.out, head...), n+4 // and the check sum
	default:
		b.drop = n + 4
	}
	if name == "IEND" {
		b.step = b.ended
	}
	return nil
}

// webp blanks chunks instead of leaving them out: the file says its length first.
func (b *bare) webp() error {
	if b.left < 8 {
		return b.ended()
	}
	head, ok := b.take(8)
	if !ok {
		return nil
	}
	n := int64(binary.LittleEndian.Uint32(head[4:]))
	n += n % 2
	b.left -= 8 + n
	switch string(head[:4]) {
	case "EXIF", "XMP ":
		copy(head, "free")
		b.zero = true
	case "VP8X":
		if flags, err := b.in.Peek(1); err == nil && n > 0 {
			const exif, xmp = 0x08, 0x04
			b.out, b.drop, b.pass = append(head, flags[0]&^(exif|xmp)), 1, n-1
			return b.after()
		}
	}
	b.out, b.pass = head, n
	return nil
}

// after has what is dropped dropped before what is passed is passed.
func (b *bare) after() error {
	_, err := b.in.Discard(int(b.drop))
	b.drop = 0
	return err
}
