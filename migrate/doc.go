// Package migrate carries a program from Keap's exports into the book and the published
// link map: promoters and links, customers and whose they are, and the money, compared with
// Keap's ledger to the cent. Plan reads and decides, Apply carries out exactly the plan that
// was reviewed, Verify compares, Rollback undoes.
//
// A plan is a pure function of its inputs, the decisions, the settings and the book it
// was made on, so Apply makes it again and refuses when its id is another one. It is made in
// stages, each a function from an input to an output in the file of its name, with a list
// that the conflicts go to:
//
//	read       finds and recognises the exports, reads partners, contacts and links
//	people     makes promoters of partners: who is one person, ref tokens, parents, codes
//	records    reads the rows of customers and money, which name partners
//	ownership  decides whose every customer is
//	ledger     settles commissions, clawbacks and payments: of several rows the one that holds
//	reconcile  compares Keap's ledger with its rows
//	findings   compares orders with commissions
//	changes    works out what the book lacks
//	linkmap    makes the link map that would be published
//
// Ownership runs beside the ledger and its reconciliation, findings run beside the changes:
// each on inputs that nobody changes meanwhile. What one id has several rows of is settled
// in duplicates, and a [Plan] holds results alone.
package migrate
