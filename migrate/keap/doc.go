// Package keap is what Keap's exports say: which kinds there are and by which
// headers they are known (as data for migrate/sheet), and one struct for each row
// of a kind. It reads cells as they stand; joining rows, deciding conflicts, and
// anything about the platform that the program moves to do not belong here.
package keap
