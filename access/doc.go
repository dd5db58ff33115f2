// Package access says who may do what: passwords and roles come in, decisions go
// out. It keeps nothing; users are read through dtm.Users.
package access
