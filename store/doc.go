// Package store defines the records that lull keeps, the errors, and the
// contract that every storage engine fulfils.
//
// It reads no clock and draws no randomness: ids and times are arguments.
package store
