// Package admin is what ops sees of a running gateway: health, metrics, a status page and
// pprof, on a listener of their own. It shows what it is given and decides nothing.
package admin
