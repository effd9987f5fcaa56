// Package program is the terms of an affiliate program: whose a customer is, what share of a
// payment is earned, how long it is held, when and to whom it is paid out, and which
// products are what. It is pure: standard library only, no I/O, no clock of its own.
//
// Amounts are int64 minor units; the currency that they are in is known elsewhere.
package terms
