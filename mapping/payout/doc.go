// Package payout says who is paid, how much, and what became of it: it plans the payouts of
// a month, approves them as a batch, records what the bank said, and writes what comes of it:
// files to pay by, a promoter's statement, the list for tax forms. The arithmetic is in
// mapping/terms, the rows are in mapping/book. Nothing here knows flags, terminals or HTTP.
package payout
