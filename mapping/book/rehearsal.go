package book

import "context"

// HasRecordings reports whether there is anything here that gateways record with their time.
func (b *Book) HasRecordings(ctx context.Context) (recorded bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM click) OR EXISTS (SELECT 1 FROM click_rollup) OR EXISTS (SELECT 1 FROM event)
		OR EXISTS (SELECT 1 FROM refused_event) OR EXISTS (SELECT 1 FROM application)`
	err = b.r.QueryRowContext(ctx, query).Scan(&recorded)
	return recorded, err
}
