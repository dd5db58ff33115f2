// Package serve is what every HTTP room stands on: requests come in through its
// server and middleware, answers and errors go out through its writers. It knows
// no room and no store.
package serve
