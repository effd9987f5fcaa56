// Package mapping is the link map and the one function that decides what an old
// URL means now. It is pure: standard library only, no I/O, no clock of its own.
//
// A [Map] is the plain content that the migrator publishes; a [Table] is the same
// content indexed for lookups. Nothing here knows where a map is stored or served.
package mapping
