package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"carryover/mapping/book"
)

// entryKey gathers what makes an entry this one and no other. Lengths are part of it, so
// that no two lists of parts read the same.
type entryKey []byte

func (f entryKey) text(s string) entryKey {
	return append(binary.AppendUvarint(f, uint64(len(s))), s...)
}

func (f entryKey) int(n int64) entryKey { return binary.BigEndian.AppendUint64(f, uint64(n)) }

// id is a hash of it.
func (f entryKey) id() book.EntryID {
	sum := sha256.Sum256(f)
	return book.EntryID(sum[:16])
}

// commissionID is the id of a commission or a clawback, to which Keap gives none.
func commissionID(e *book.Commission) book.EntryID {
	var buffer [256]byte // enough for all but the longest descriptions
	key := entryKey(buffer[:0]).text(e.Kind).int(e.PartnerID).text(e.Invoice).int(e.EarnedAt)
	return key.text(e.Product).text(e.Description).int(e.Amount).text(e.Currency).id()
}

// ordinalID is the id of the n-th row of those that are equal.
func ordinalID(id book.EntryID, n int) book.EntryID {
	if n == 1 {
		return id
	}
	return entryKey(nil).text("nth").text(string(id[:])).int(int64(n)).id()
}

func compareIDs(a, b book.EntryID) int {
	return cmp.Or(
		cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])),
		cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])))
}

// sortCommissions puts the rows in ascending order of their ids, and equal ones in
// the order they were read.
func sortCommissions(rows []book.Commission) {
	type key struct {
		high, low uint64
		row       int32
	}
	// Ids are hashes: few begin with the same two bytes, and those are sorted among themselves.
	starts := make([]int32, 1<<16+1)
	for i := range rows {
		starts[int(binary.BigEndian.Uint16(rows[i].ID[:]))+1]++
	}
	for i := range len(starts) - 1 {
		starts[i+1] += starts[i]
	}
	keys, next := make([]key, len(rows)), slices.Clone(starts)
	for i := range rows {
		id := &rows[i].ID
		bucket := binary.BigEndian.Uint16(id[:])
		keys[next[bucket]] = key{binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:]), int32(i)}
		next[bucket]++
	}
	for i := range len(starts) - 1 {
		slices.SortFunc(keys[starts[i]:starts[i+1]], func(a, b key) int {
			return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.row, b.row))
		})
	}
	// The rows are large: each is moved once, round the rings of the permutation.
	const done = -1
	for start := range keys {
		if keys[start].row == done || int(keys[start].row) == start {
			continue
		}
		first := rows[start]
		for to := start; ; {
			from := int(keys[to].row)
			keys[to].row = done
			if from == start {
				rows[to] = first
				break
			}
			rows[to] = rows[from]
			to = from
		}
	}
}

// settleCommissions gives equal rows of one file their ordinals, and leaves one of the rows
// that are the same in several: the n-th equal row of a file is the n-th of another
// (Keap gives commissions no id). What it returns ascends by id; it stands in rows.
func settleCommissions(rows []book.Commission, skipped *skips) []book.Commission {
	sortCommissions(rows)
	out := rows[:0]
	sorted := true
	for i := 0; i < len(rows); {
		id := rows[i].ID
		known, ordinal, file := 0, 0, int64(0) // ordinals that earlier files have
		first := len(out)
		for ; i < len(rows) && rows[i].ID == id; i++ {
			e := &rows[i]
			if e.Origin.Source != file {
				file, ordinal = e.Origin.Source, 0
			}
			if ordinal++; ordinal <= known {
				skipped.add(positionIn(e.Origin), skippedDuplicate)
				kept := &out[first+ordinal-1] // its file may have fewer columns
				kept.ContactID, kept.SellerID = cmp.Or(kept.ContactID, e.ContactID), cmp.Or(kept.SellerID, e.SellerID)
				continue
			}
			known = ordinal
			sorted = sorted && ordinal == 1
			if len(out) == i { // it stands where it belongs
				out = out[:i+1]
			} else {
				out = append(out, *e)
			}
			out[len(out)-1].ID = ordinalID(id, ordinal)
		}
	}
	clear(rows[len(out):])
	if !sorted {
		sortCommissions(out)
	}
	return out
}

// missingIn lists the rows that the book does not hold; both ascend by id.
func missingIn(before []book.PostedCommission, rows []book.Commission) []book.Commission {
	if len(before) == 0 {
		return rows // there may be millions: not twice
	}
	var out []book.Commission
	for i := range rows {
		for len(before) > 0 && compareIDs(before[0].ID, rows[i].ID) < 0 {
			before = before[1:]
		}
		if len(before) == 0 || before[0].ID != rows[i].ID {
			out = append(out, rows[i])
		}
	}
	return out
}
