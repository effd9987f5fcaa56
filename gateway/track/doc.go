// Package track is the tracking API. A billing system sends sign-ups, sales, refunds and
// cancellations in FirstPromoter's words; the package decides whose the customer is and what
// is earned, books both, and then answers.
//
// api.go and response.go speak HTTP, body.go, field.go and read.go turn a request into a
// [Call], [Service] books calls in groups, and a booking books one of them. What is earned,
// and what a refund takes back, mapping/terms says. [Service.Watch] flags commissions for
// review, and forward.go sends what was booked to FirstPromoter.
package track
