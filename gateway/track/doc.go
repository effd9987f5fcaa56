// Package track is the tracking API: a billing system tells it of sign-ups, sales, refunds and
// cancellations in FirstPromoter's words, and it decides whose the customer is and what is
// earned, and books both before it answers. What an event means is decided here and in
// mapping/terms; HTTP stays in api.go and the files that it names.
package track
