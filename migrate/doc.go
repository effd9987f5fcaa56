// Package migrate carries a program from Keap's exports into the book and the
// published link map: promoters and links, customers and whose they are, and the money,
// compared with Keap's ledger to the cent. Plan reads and decides, Apply carries out
// exactly the plan that was reviewed, Verify compares, Rollback undoes.
//
// A plan is a pure function of its inputs, the decisions, the settings and the book it
// was made on, so Apply makes it again and refuses when its id is another one.
package migrate
