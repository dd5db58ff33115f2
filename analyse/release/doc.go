// Package release freezes months: rows of a warehouse come in through a Reader and
// become the facts of a month in one canonical form, whatever the order they were
// loaded in; these, with figures, checks and reports, become parts that a Manifest
// names by their hashes. It reads the parts back, and tells what differs between
// two releases or between a release and what the event log says. It writes no file
// and knows no database: the parts are bytes.
package release
