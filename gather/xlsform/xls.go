package xlsform

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf16"

	"dtm"
)

// Records of a workbook stream ([MS-XLS], called BIFF8).
const (
	recFormula    = 0x0006
	recEOF        = 0x000A
	recDateMode   = 0x0022
	recFilePass   = 0x002F
	recContinue   = 0x003C
	recBoundSheet = 0x0085
	recMulRK      = 0x00BD
	recXF         = 0x00E0
	recSST        = 0x00FC
	recLabelSST   = 0x00FD
	recNumber     = 0x0203
	recLabel      = 0x0204
	recBoolErr    = 0x0205
	recString     = 0x0207
	recRK         = 0x027E
	recFormat     = 0x041E
	recBOF        = 0x0809
)

// xls reads the workbooks of Excel 97 to 2003: the text, numbers, truth values
// and dates of their cells, and what formulas had come to when it was saved. No
// library for the format is kept today; of the format a form needs little.
func xls(name string, data []byte) ([]sheet, error) {
	book, err := stream(data, "Workbook")
	if err != nil {
		if _, older := stream(data, "Book"); older == nil {
			return nil, dtm.Errorf(dtm.Unsupported, "this is a workbook of Excel 95 or older; save it as .xlsx").At(name).Coded("form.xls")
		}
		if _, word := stream(data, "WordDocument"); word == nil {
			return nil, dtm.Errorf(dtm.Unsupported, "this is a Word document, not a workbook").At(name).Coded("form.word")
		}
		if _, locked := stream(data, "EncryptedPackage"); locked == nil {
			return nil, dtm.Errorf(dtm.Unsupported, "the workbook is protected by a password; save it without one").At(name).Coded("form.password")
		}
		return nil, damaged(name, err)
	}
	r := &biff{data: book, formats: map[int]string{}}
	if err := r.globals(); err != nil {
		return nil, damaged(name, err)
	}
	if r.locked {
		return nil, dtm.Errorf(dtm.Unsupported, "the workbook is protected by a password; save it without one").At(name).Coded("form.password")
	}
	var out []sheet
	for _, b := range r.sheets {
		s, err := r.sheet(b)
		switch {
		case err != nil:
			return nil, damaged(name, err)
		case r.tooLarge:
			return nil, large(name)
		}
		out = append(out, s)
	}
	return out, nil
}

// biff reads the records of a workbook stream.
type biff struct {
	data     []byte
	texts    []string
	formats  map[int]string // patterns by number
	styles   []int          // number of the format of each style
	late     bool           // dates count from 1904
	sheets   []boundSheet
	locked   bool
	cells    int
	tooLarge bool
}

type boundSheet struct {
	name string
	at   int
}

// record reads the record at a place, and where the next one begins.
func (r *biff) record(at int) (kind int, body []byte, next int, ok bool) {
	if at < 0 || at+4 > len(r.data) {
		return 0, nil, 0, false
	}
	kind = int(binary.LittleEndian.Uint16(r.data[at:]))
	end := at + 4 + int(binary.LittleEndian.Uint16(r.data[at+2:]))
	if end > len(r.data) {
		return 0, nil, 0, false
	}
	return kind, r.data[at+4 : end], end, true
}

func (r *biff) globals() error {
	kind, _, at, ok := r.record(0)
	if !ok || kind != recBOF {
		return errCompound
	}
	for {
		kind, body, next, ok := r.record(at)
		if !ok {
			return errCompound
		}
		at = next
		switch {
		case kind == recEOF:
			return nil
		case kind == recFilePass:
			r.locked = true
			return nil // what follows cannot be read
		case kind == recDateMode && len(body) >= 2:
			r.late = body[0] == 1
		case kind == recBoundSheet && len(body) >= 8:
			// Only worksheets: charts and macros have another type.
			if title, _, ok := unicodeText(body[7:], int(body[6])); ok && body[5] == 0 {
				r.sheets = append(r.sheets, boundSheet{title, int(binary.LittleEndian.Uint32(body))})
			}
		case kind == recXF && len(body) >= 4:
			r.styles = append(r.styles, int(binary.LittleEndian.Uint16(body[2:])))
		case kind == recFormat && len(body) >= 5:
			if text, _, ok := unicodeText(body[4:], int(binary.LittleEndian.Uint16(body[2:]))); ok {
				r.formats[int(binary.LittleEndian.Uint16(body))] = text
			}
		case kind == recSST:
			parts := [][]byte{body}
			for {
				k, more, n, ok := r.record(at)
				if !ok || k != recContinue {
					break
				}
				parts, at = append(parts, more), n
			}
			r.texts = sharedTexts(parts)
		}
	}
}

// unicodeText reads a text of n letters: a byte of flags, then bytes or pairs.
func unicodeText(b []byte, n int) (string, []byte, bool) {
	if len(b) < 1 {
		return "", nil, false
	}
	wide := b[0]&1 != 0
	b = b[1:]
	length := n
	if wide {
		length *= 2
	}
	if len(b) < length {
		return "", nil, false
	}
	return letters(b[:length], wide), b[length:], true
}

func letters(b []byte, wide bool) string {
	out := make([]uint16, 0, len(b))
	if !wide {
		for _, c := range b {
			out = append(out, uint16(c))
		}
		return string(utf16.Decode(out))
	}
	for i := 0; i+1 < len(b); i += 2 {
		out = append(out, binary.LittleEndian.Uint16(b[i:]))
	}
	return string(utf16.Decode(out))
}

// sharedTexts reads the table of texts. A text may go on in the next record,
// where its flags are said again.
func sharedTexts(parts [][]byte) []string {
	here := parts[0]
	parts = parts[1:]
	more := func() bool {
		for len(here) == 0 {
			if len(parts) == 0 {
				return false
			}
			here, parts = parts[0], parts[1:]
		}
		return true
	}
	take := func(n int) []byte {
		var out []byte
		for len(out) < n && more() {
			k := min(n-len(out), len(here))
			out, here = append(out, here[:k]...), here[k:]
		}
		return out
	}
	if len(take(8)) < 8 {
		return nil
	}
	var out []string
	for more() {
		head := take(3)
		if len(head) < 3 {
			break
		}
		left, flags := int(binary.LittleEndian.Uint16(head)), head[2]
		after := 0
		if flags&8 != 0 { // runs of other fonts
			if b := take(2); len(b) == 2 {
				after += 4 * int(binary.LittleEndian.Uint16(b))
			}
		}
		if flags&4 != 0 { // phonetics
			if b := take(4); len(b) == 4 {
				after += int(min(binary.LittleEndian.Uint32(b), 1<<20))
			}
		}
		var text strings.Builder
		for wide := flags&1 != 0; left > 0; {
			size := 1
			if wide {
				size = 2
			}
			k := min(left, len(here)/size)
			text.WriteString(letters(here[:k*size], wide))
			here, left = here[k*size:], left-k
			if left == 0 {
				break
			}
			if here = nil; !more() {
				return append(out, text.String())
			}
			wide, here = here[0]&1 != 0, here[1:]
		}
		out = append(out, text.String())
		take(after)
	}
	return out
}

// sheet reads the cells of a worksheet.
func (r *biff) sheet(b boundSheet) (sheet, error) {
	s := sheet{name: b.name}
	kind, _, at, ok := r.record(b.at)
	if !ok || kind != recBOF {
		return s, errCompound
	}
	rows := map[int]map[int]string{}
	last, depth := -1, 1
	put := func(row, col int, text string) {
		if text == "" {
			return
		}
		if r.cells++; row >= maxRows || col >= maxColumns || r.cells > maxCells {
			r.tooLarge = true
			return
		}
		if rows[row] == nil {
			rows[row] = map[int]string{}
		}
		rows[row][col] = text
		last = max(last, row)
	}
	var pending [2]int // the formula whose text follows
	for depth > 0 && !r.tooLarge {
		kind, body, next, ok := r.record(at)
		if !ok {
			return s, errCompound
		}
		at = next
		switch kind {
		case recBOF:
			depth++ // of a chart within the sheet
			continue
		case recEOF:
			depth--
			continue
		case recString:
			if len(body) >= 3 {
				if text, _, ok := unicodeText(body[2:], int(binary.LittleEndian.Uint16(body))); ok {
					put(pending[0], pending[1], text)
				}
			}
			continue
		}
		if depth > 1 || len(body) < 6 {
			continue
		}
		row, col, style := int(binary.LittleEndian.Uint16(body)), int(binary.LittleEndian.Uint16(body[2:])), int(binary.LittleEndian.Uint16(body[4:]))
		switch {
		case kind == recLabelSST && len(body) >= 10:
			if i := binary.LittleEndian.Uint32(body[6:]); int64(i) < int64(len(r.texts)) {
				put(row, col, r.texts[i])
			}
		case kind == recLabel && len(body) >= 9:
			if text, _, ok := unicodeText(body[8:], int(binary.LittleEndian.Uint16(body[6:]))); ok {
				put(row, col, text)
			}
		case kind == recNumber && len(body) >= 14:
			put(row, col, r.number(math.Float64frombits(binary.LittleEndian.Uint64(body[6:])), style))
		case kind == recRK && len(body) >= 10:
			put(row, col, r.number(short(binary.LittleEndian.Uint32(body[6:])), style))
		case kind == recMulRK:
			for i := 4; i+8 <= len(body); i += 6 {
				put(row, col+(i-4)/6, r.number(short(binary.LittleEndian.Uint32(body[i+2:])), int(binary.LittleEndian.Uint16(body[i:]))))
			}
		case kind == recBoolErr && len(body) >= 8 && body[7] == 0:
			put(row, col, truthText(body[6]))
		case kind == recFormula && len(body) >= 14:
			value := body[6:14]
			switch {
			case value[6] != 0xFF || value[7] != 0xFF:
				put(row, col, r.number(math.Float64frombits(binary.LittleEndian.Uint64(value)), style))
			case value[0] == 0:
				pending = [2]int{row, col}
			case value[0] == 1:
				put(row, col, truthText(value[2]))
			}
		}
	}
	for n := 0; n <= last; n++ {
		width := 0
		for col := range rows[n] {
			width = max(width, col+1)
		}
		cells := make([]string, width)
		for col, text := range rows[n] {
			cells[col] = text
		}
		s.add(n+1, cells)
	}
	return s, nil
}

func truthText(b byte) string {
	if b != 0 {
		return "TRUE"
	}
	return "FALSE"
}

// short reads a number of four bytes: 30 bits of a whole number or of the head of
// a fraction, perhaps in hundredths.
func short(rk uint32) float64 {
	var v float64
	if rk&2 != 0 {
		v = float64(int32(rk) >> 2)
	} else {
		v = math.Float64frombits(uint64(rk&^3) << 32)
	}
	if rk&1 != 0 {
		v /= 100
	}
	return v
}

func (r *biff) number(v float64, style int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	if style < len(r.styles) {
		format := r.styles[style]
		if pattern, own := r.formats[format]; dateFormat(format) || own && datePattern(pattern) {
			if r.late {
				v += 1462 // days from 1900 to 1904
			}
			return date(v, plain(v))
		}
	}
	return plain(v)
}
