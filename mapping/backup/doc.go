// Package backup saves a running program in one archive and brings it back: the book and the
// click spool as of one moment each, the secrets, the last good map, the plan, and the
// configuration. It copies whatever lies in the data folder and knows by name only what must not
// be copied like a file.
//
// The spool is copied before the book. A click that is drained in between is in both then, and
// the book counts it once, by node and number; the other way round it would be in neither.
package backup
