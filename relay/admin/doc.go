// Package admin is the operators' door: HTTP on a unix socket in the state
// folder, and the client that the commands use. Both sides share the types of
// this package, whose JSON names are the command contract.
//
// Who may enter is decided by the folder's rights; who did something is told
// by the kernel (SO_PEERCRED), never by the caller. Lists travel as JSON lines,
// one object a line, as they are read from the store.
package admin
