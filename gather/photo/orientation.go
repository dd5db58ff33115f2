package photo

import "encoding/binary"

// orientation is how a camera was held, 2 to 8, as a TIFF says it (Exif 2.32, tag 0x0112);
// 0 when it does not, or is upright.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var o binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		o = binary.LittleEndian
	}
	at := int64(o.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[at:]
	n := int(o.Uint16(entries))
	for entries = entries[2:]; n > 0 && len(entries) >= 12; n, entries = n-1, entries[12:] {
		if o.Uint16(entries) == 0x0112 {
			if v := int(o.Uint16(entries[8:])); v >= 2 && v <= 8 {
				return v
			}
			return 0
		}
	}
	return 0
}

// turn is a segment that says nothing else.
func turn(orientation int) []byte {
	return []byte{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0, 0, 0, 0, 0}
}
