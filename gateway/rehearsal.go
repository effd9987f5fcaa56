package gateway

import (
	"context"
	"fmt"
	"path/filepath"

	"carryover/gateway/click"
)

// spoolPath is where clicks are kept until they are in the book.
func (o *Options) spoolPath() string { return filepath.Join(o.DataDir, "clicks.db") }

// checkRehearsal fails when this is a rehearsal, and something was recorded on its data under the
// real clock: what bears another time must not be mixed with it. Without a book nobody knows what
// a gateway has recorded that served here.
func (o *Options) checkRehearsal(ctx context.Context) error {
	if !o.Rehearsal {
		return nil
	}
	spool, err := click.InspectSpool(ctx, o.spoolPath())
	if err != nil || spool.Rehearsed {
		return err
	}
	recorded := spool.Clicks || spool.Used && o.Book == nil
	if !recorded && o.Book != nil {
		if recorded, err = o.Book.HasRecordings(ctx); err != nil {
			return err
		}
	}
	if recorded {
		return fmt.Errorf("no rehearsal on the data folder %s: something was recorded under the real clock there, and what a rehearsal "+
			"records bears another time; add --copy-to DIR to rehearse on a copy", o.DataDir)
	}
	return nil
}
