// Package click makes a click safe before it is answered, and brings it to the book
// afterwards.
//
// A [Recorder] writes to the spool, one SQLite file beside the gateway, committing all
// clicks that wait at once. A [Drainer] judges what is spooled and moves it on: to the
// book, or over a Redis stream to the gateway that has the book. Here also live the
// signed cookie and the daily keyed hash of addresses. Nothing here decides an answer.
package click
