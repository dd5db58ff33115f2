// Package site copies the public pages to files: the handler that serves them comes in,
// pages whose links lead to one another without a server, a script or a network go out.
package site
