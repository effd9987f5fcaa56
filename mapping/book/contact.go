package book

import "context"

// ContactsByID lists the contacts with the given Keap ids, by id. Those that the book
// does not know are left out.
func (b *Book) ContactsByID(ctx context.Context, ids []int64) ([]Contact, error) {
	return contacts.find(ctx, b, "WHERE id IN "+anyOf+" ORDER BY id", idList(ids))
}
