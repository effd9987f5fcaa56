// Package book is the book of record: imports, promoters and what names them, links, customers
// and their owners, sales, the ledger of what was earned and paid, live events, payouts and
// clicks. It speaks database/sql to one SQLite file. Every SQL statement of the book is here and
// nowhere else; the schema is in schema/*.sql.
//
// Whatever earns or moves money is only ever appended. [Directory] says whose something is.
// The published link map is a projection of the book, see [Content.Project], and can be made
// again at any time.
//
// Rules of the program are not here but in mapping/terms, and what is done with the book in
// packages above it, such as mapping/payout.
package book
