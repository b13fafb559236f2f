// Package memory is the readable reference of a store: the records are Go maps
// and nothing lasts. It shows what an engine has to do beside the ledger, and
// tests run on it.
package memory
