// Package compose turns the cut of a digest into the bytes of a mail.
//
// It is pure: the same input gives the same bytes, it reads no clock, draws
// no randomness and knows no store. What it is given is what strangers sent;
// nothing of that reaches a header or a page but as clean, bounded text.
package compose
