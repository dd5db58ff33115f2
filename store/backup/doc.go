// Package backup packs a data folder into one file and makes a folder of it again,
// encrypts the file for somebody who is not here (age, filippo.io/age), and keeps a
// shelf of such files: one an hour, fewer of the older ones.
//
// A backup is a gzipped tar of the settings, the store and, unless they lie on the
// shelf beside it, the attachments; its last file is the SHA-256 of every other, so
// that a backup cut short is none. The server holds only the public half of the key:
// it writes backups that it cannot read.
package backup
