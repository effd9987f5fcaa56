// Package history says whose a customer is and why, and what became of an order, an invoice,
// an event or a click: as structs, with the sentences that people read and one timeline. The
// rules that decide are in mapping/terms; this explains what they decided.
package history
