// Package book is the book of record: runs, promoters, every code and id that ever
// named one, links, customers and whose they are, what was sold, the ledger of what was
// earned and paid, what a billing system has told, payouts, and the clicks that were counted. It speaks database/sql to one
// SQLite file; every statement of the book stands here and nowhere else.
//
// What earns or moves money is only ever appended. The published link map is a
// projection of the book (see [Content.Project]) and can be rebuilt from it at any time.
package book
