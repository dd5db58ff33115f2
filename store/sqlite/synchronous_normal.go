//go:build synchronous_normal

package sqlite

// synchronous of the negative control of internal/crash: a program built with this tag
// must lose what it acknowledged when the power fails. Nobody runs it otherwise.
const synchronous = "NORMAL"
