//go:build !synchronous_normal

package sqlite

// synchronous: every commit is on the disk before it is acknowledged.
const synchronous = "FULL"
