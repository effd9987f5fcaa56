// Package program is the terms of an affiliate program: what share of a payment is earned,
// how long it is held, when it is paid out, and which products are what. It is pure:
// standard library only, no I/O, no clock of its own.
//
// Amounts are int64 minor units; whose currency they are in is known elsewhere, and so is
// who earned them.
package program
