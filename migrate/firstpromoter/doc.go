// Package firstpromoter reads a program as FirstPromoter has it, over its API or from a
// file that people exported there, and compares what both ledgers say of a month. It
// writes nothing there. The fake server that tests and rehearsals use is in fake.
package firstpromoter
