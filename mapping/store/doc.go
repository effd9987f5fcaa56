// Package store keeps the published link map: in Redis ([Redis]), or in the book when
// there is no Redis ([InBook]). Both write a whole new epoch before they flip to it, so
// a reader sees the old map or the new one, never a mixture; both pass the one contract
// suite in storetest. A gateway's last good map on disk is a snapshot of the same.
//
// Nothing here knows what a map means: that is [mapping]. No SQL driver is imported.
package store
