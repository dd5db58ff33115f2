package xlsform

import (
	"encoding/binary"
	"errors"
	"slices"
	"unicode/utf16"
)

// errCompound is a compound file that cannot be followed.
var errCompound = errors.New("its parts do not fit together")

// Ends of chains in a compound file.
const (
	endOfChain = 0xFFFFFFFE
	noSector   = 0xFFFFFFFA // and above
)

// stream reads one stream of a compound file (Microsoft's [MS-CFB], the container
// of .xls), found by the first of names that is there. Every chain is followed at
// most once round, so a file made to harm costs no more than its length.
func stream(data []byte, names ...string) ([]byte, error) {
	if len(data) < 512 {
		return nil, errCompound
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(data[at:]) }
	shift, miniShift := u16(30), u16(32)
	if shift < 7 || shift > 16 || miniShift < 4 || miniShift >= shift {
		return nil, errCompound
	}
	size := 1 << shift
	sector := func(n uint32) []byte {
		at := (int64(n) + 1) << shift
		if at >= int64(len(data)) {
			return nil
		}
		return data[at:min(at+int64(size), int64(len(data)))]
	}
	numbers := func(b []byte) []uint32 {
		out := make([]uint32, len(b)/4)
		for i := range out {
			out[i] = binary.LittleEndian.Uint32(b[i*4:])
		}
		return out
	}
	total := len(data)/size + 1

	// The table of sectors is itself in sectors, listed in the header and beyond.
	var table []uint32
	lists := numbers(data[76:512])
	for next, round := u32(68), 0; next < noSector && round < total; round++ {
		more := numbers(sector(next))
		if len(more) < 2 {
			break
		}
		lists, next = append(lists, more[:len(more)-1]...), more[len(more)-1]
	}
	for _, n := range lists {
		if n < noSector && len(table) < total*2 {
			table = append(table, numbers(sector(n))...)
		}
	}
	chain := func(next uint32, table []uint32, part func(uint32) []byte) ([]byte, error) {
		var out []byte
		for round := 0; next < noSector; round++ {
			p := part(next)
			if int64(next) >= int64(len(table)) || round > len(table) || p == nil {
				return nil, errCompound
			}
			out, next = append(out, p...), table[next]
		}
		return out, nil
	}

	directory, err := chain(u32(48), table, sector)
	if err != nil {
		return nil, err
	}
	type entry struct {
		name  string
		start uint32
		size  uint32
	}
	var root entry
	var found []entry
	for at := 0; at+128 <= len(directory); at += 128 {
		e := directory[at : at+128]
		length := int(binary.LittleEndian.Uint16(e[64:]))
		if length < 2 || length > 64 {
			continue
		}
		var letters []uint16
		for i := 0; i+1 < length-1; i += 2 {
			letters = append(letters, binary.LittleEndian.Uint16(e[i:]))
		}
		x := entry{string(utf16.Decode(letters)), binary.LittleEndian.Uint32(e[116:]), binary.LittleEndian.Uint32(e[120:])}
		switch e[66] {
		case 5:
			root = x
		case 2:
			found = append(found, x)
		}
	}
	for _, name := range names {
		i := slices.IndexFunc(found, func(e entry) bool { return e.name == name })
		if i < 0 {
			continue
		}
		var out []byte
		if found[i].size >= u32(56) {
			out, err = chain(found[i].start, table, sector)
		} else {
			// Small streams lie in sectors of their own, within the root's stream.
			small, e := chain(root.start, table, sector)
			if e != nil {
				return nil, e
			}
			minis, e := chain(u32(60), table, sector)
			if e != nil {
				return nil, e
			}
			out, err = chain(found[i].start, numbers(minis), func(n uint32) []byte {
				at := int64(n) << miniShift
				if at >= int64(len(small)) {
					return nil
				}
				return small[at:min(at+1<<miniShift, int64(len(small)))]
			})
		}
		if err != nil || int64(len(out)) < int64(found[i].size) {
			return nil, errCompound
		}
		return out[:found[i].size], nil
	}
	return nil, errCompound
}
