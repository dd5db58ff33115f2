package duckdb

/*
#include <malloc.h>

static size_t inUse(void) {
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}
*/
import "C"

// Objects is how many bytes the C library has given out in this process. Nearly all are
// DuckDB's: what it holds beside the blocks that Memory counts, its plans, catalogs and
// the notes on blocks that are gone. 0: not known here.
func Objects() int64 { return int64(C.inUse()) }
