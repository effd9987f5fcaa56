package book

import (
	"encoding/hex"
	"errors"
)

// EntryID is the id of a ledger entry that was carried over: a hash of the exported row, so
// that the same row of another export is the same entry.
type EntryID [16]byte

// String writes the id as people and the book's file do: "k-" and 32 hex digits.
func (id EntryID) String() string { return "k-" + hex.EncodeToString(id[:]) }

// ParseEntryID reads an id as [EntryID.String] writes it.
func ParseEntryID(s string) (id EntryID, err error) {
	raw, err := hex.DecodeString(s[min(len(s), 2):])
	if err != nil || len(raw) != len(id) || s[:2] != "k-" {
		return id, errors.New("not an event id: " + s)
	}
	return EntryID(raw), nil
}
