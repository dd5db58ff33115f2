// Package bulk reads registry history: CSV and XLSX files of the consolidated
// registry come in as streams; immutable chunks of movement rows go out to the
// store, rows that cannot be read go to a reject file with their number and the
// reason, and a summary says what became of each row. Chunks are turned back into
// movements by Decode.
//
// What a row says is stored as it was written, apart from spelling of codes;
// points are resolved when a chunk is decoded, so that an alias added to the pack
// later also mends old imports.
package bulk
