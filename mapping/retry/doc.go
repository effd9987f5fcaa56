// Package retry decides whether and when a call that failed is made again: which HTTP statuses
// another try may mend, how long to wait after so many failures, and what a Retry-After header
// asks for. It is pure: standard library only; the time and the randomness are arguments, and
// the caller does the waiting.
package retry
