package migrate

import (
	"context"

	"carryover/mapping/book"
)

// Make reads the exports and works out what would be done. It changes nothing.
func Make(ctx context.Context, req Request) (*Plan, error) {
	p, _, err := makePlan(ctx, &req)
	return p, err
}

// makePlan runs the stages. evidence is what they read and verify compares.
//
// A stage that runs beside others has inputs that nobody changes meanwhile, collects
// conflicts of its own, and hands over what it found at its end.
func makePlan(ctx context.Context, req *Request) (*Plan, *evidence, error) {
	conflicts := newConflictList(req.Decisions)
	in, err := readInputs(ctx, req, conflicts)
	if err != nil {
		return nil, nil, err
	}
	p := &Plan{
		BaseRun: in.book.base, WorkDir: req.WorkDir, Args: req.Args, Unread: orEmpty(in.exports.unread),
		Currency: req.Settings.Currency, AsOf: in.asOf,
		After: book.Content{
			Promoters: in.people.promoters, Aliases: in.people.aliases, Links: linksAfter(in.book.content.Links, in.model.links),
			Settings: in.book.content.Settings,
		},
	}
	if in.asOfGiven != in.asOf {
		p.AsOfGiven = in.asOfGiven
	}
	p.Rejected = in.exports.askRejected(req.Settings, in.model.foreign, conflicts)
	p.unwritten = in.exports.unwritten
	own, l, r := in.decide(req, p.AsOf, conflicts)
	in.exports.skip(own.skipped)
	in.exports.skip(l.skipped)
	in.exports.skip(r.skipped)
	p.Files, p.Rejects, p.Customers, p.Differences = in.exports.files, in.exports.rejectLines(), own.totals, orEmpty(r.differences)
	p.Standing, p.Unlisted = r.standing, r.unlisted

	found := in.startFindings(req, own.orders, l.commissions)
	p.setChanges(in, makeChanges(changesInput{
		before: in.book.content, after: &p.After, beforeMoney: in.book.money, files: p.Files, contacts: &in.model.contacts, ownership: own,
		ledger: r, directory: in.people.directory, live: &in.live, zone: req.Settings.Zone,
	}, conflicts))
	in.reportMissing(req, own, l, conflicts)
	p.missing = in.stillMissing(p, own, l, r.statements)
	p.Missing = summarizeLeftOut(p.missing)
	p.setTotals(in, sumMoney(totalsInput{
		settings: req.Settings, asOfStart: dayStart(p.AsOf, req.Settings.Zone), directory: in.people.directory,
		before: in.book.money, changes: &p.Changes.KeapRecords, accounts: l.accounts, ledger: r,
		files: p.Files, rejected: p.Rejected, missing: p.Missing,
	}, conflicts))
	p.setFindings(found())

	var mapErr error
	p.Map, mapErr = makeLinkMap(linkMapInput{req.Settings, &p.After, in.model.links}, conflicts)
	if err := p.setConflicts(conflicts); err != nil {
		return nil, nil, err
	}
	if mapErr != nil {
		return nil, nil, mapErr
	}
	p.setEarlier(in.book.earlier, r)
	p.identify(req.Settings.ConfigHash)
	listed := make(map[account]bool, len(r.statements))
	for a := range r.statements {
		listed[a] = true
	}
	return p, &evidence{in.people.directory, in.book.money, l.commissions, l.payments.rows, listed}, nil
}

// evidence is what verify compares beside a plan: rows of the exports, and what the book
// held.
type evidence struct {
	directory   *book.Directory // of the promoters after the plan
	held        *book.KeapRecords
	commissions []book.Commission // of the exports, with the clawbacks, ascending by id
	payments    []payment         // of the exports, ascending by id
	listed      map[account]bool  // that the ledger has
}

// decide runs ownership beside the ledger and its reconciliation.
func (in *inputs) decide(req *Request, asOf string, conflicts *conflictList) (*ownership, *ledger, *reconciliation) {
	type result struct {
		ledger         *ledger
		reconciliation *reconciliation
	}
	paths, found := in.exports.paths(), conflicts.fork()
	ledgerIn := &ledgerInput{
		settings: req.Settings, asOfStart: dayStart(asOf, req.Settings.Zone), directory: in.people.directory, house: in.people.house,
		contacts: &in.contacts, rows: in.ledger, before: in.book.money, tracked: in.live.lines, kinds: in.exports.kinds(), paths: paths,
		remade: req.reviewed != nil, keepNewer: in.keepNewer,
	}
	reconciled := inBackground(func() result {
		l := settleLedger(ledgerIn, found)
		return result{l, reconcile(ledgerIn, l, found)}
	})
	own := decideOwnership(ownershipInput{
		settings: req.Settings, asOf: asOf, people: in.people, contacts: &in.contacts, rows: in.rows, before: in.book.money,
		credited: in.live.credited, paths: paths,
	}, conflicts)
	r := reconciled()
	conflicts.join(found)
	return own, r.ledger, r.reconciliation
}

// startFindings begins to look for findings; nobody reads those of a plan that is made
// again.
func (in *inputs) startFindings(req *Request, orders []book.Sale, commissions []book.Commission) (wait func() findings) {
	if req.reviewed != nil {
		return func() findings { return findings{} }
	}
	return inBackground(func() findings {
		return findFindings(findingsInput{orders, commissions, in.people.house, req.Settings.Products, req.Settings.Terms, req.Settings.Zone})
	})
}

// reportMissing reports what these exports, or the configuration, should have.
func (in *inputs) reportMissing(req *Request, own *ownership, l *ledger, conflicts *conflictList) {
	reportProducts(req.Settings.Products, own.orders, own.subscriptions, l.commissions, conflicts)
	kinds := in.exports.kinds()
	if in.keepNewer { // older exports lack much, and what they have of the rest does not count
		kinds = map[string]bool{}
	}
	reportVanished(vanishedInput{
		kinds: kinds, known: in.book.partners, links: in.book.content.Links, money: in.book.money, model: in.model, ownership: own, ledger: l,
	}, conflicts)
	reportNoReferrals(in.exports.kinds(), in.book.money, own, l, conflicts)
}
