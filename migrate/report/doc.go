// Package report is what a person reads of a migration: the closing text of a plan on
// the terminal, the page that a manager opens, and how far a long step is. It words
// what package migrate has found and decides nothing. Everything it repeats of an
// export is made harmless first: control characters are spelled out, HTML is escaped.
package report
