package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"carryover/mapping/book"
)

// inputs are what was read, by the stages read and people: all that the later ones decide
// by.
type inputs struct {
	book     bookState
	exports  *exports
	model    *modelRows
	people   *people
	contacts knownContacts
	rows     customerRows
	ledger   ledgerRows
	live     liveBook

	asOf      string // the day whose customers are carried over
	asOfGiven string // the one that was asked for, when the book's is later and holds
	keepNewer bool   // these exports are older than the book, whose rows hold
}

// bookState is what the book holds before the plan.
type bookState struct {
	base     int64  // the import that it stands at; 0: none
	asOf     string // the day whose customers that one carried over
	leftOut  []leftOutFile
	earlier  []earlierDecision
	content  *book.Content
	partners map[int64]*book.Alias // what it says of partners, by Keap id
	money    *book.KeapRecords
}

// readInputs reads the book and the exports. Customers and money need to know first who the
// promoters are.
func readInputs(ctx context.Context, req *Request, conflicts *conflictList) (*inputs, error) {
	in := &inputs{}
	money := inBackground(func() (m moneyResult) {
		m.money, m.err = readMoney(ctx, req.Book)
		return m
	})
	var err error
	if in.book, err = readContent(ctx, req.Book); err != nil {
		return nil, err
	}
	if in.exports, err = findExports(ctx, req, conflicts); err != nil {
		return nil, err
	}
	if in.model, err = readModel(ctx, in.exports, modelInput{req.Settings, in.book.partners, in.book.content.Links}, conflicts); err != nil {
		return nil, err
	}
	if len(in.book.content.Promoters) == 0 && len(in.model.partners) == 0 {
		return nil, in.exports.errNoPartners()
	}
	m := money()
	if m.err != nil {
		return nil, m.err
	}
	in.book.money = m.money
	if err = in.askOlder(ctx, req, conflicts); err != nil {
		return nil, err
	}
	if in.keepNewer {
		in.keepModel()
	}
	in.people = resolvePeople(peopleInput{
		rows: in.model.partners, known: in.book.partners, contacts: &in.model.contacts, before: in.book.content,
		directory: book.NewDirectory(in.book.content), exclude: req.Settings.Exclude, paths: in.exports.paths(),
	}, conflicts)
	in.exports.askNobodyActive(in.people.promoters, conflicts)
	in.contacts = newKnownContacts(&in.model.contacts, m.money.Contacts.Create)
	index := newPartnerIndex(in.people, in.book.content)
	if in.rows, in.ledger, err = readRecords(ctx, in.exports, recordsInput{req.Settings, index, &in.contacts}, conflicts); err != nil {
		return nil, err
	}
	if in.keepNewer {
		in.keepRecords()
	}
	if err = in.exports.settleMended(); err != nil {
		return nil, err
	}
	in.settleTold()
	in.exports.dropSettled()
	in.ledger.dropSuspects(in.exports.settled)
	in.live, err = readLive(ctx, req.Book, in.ledger.commissions)
	return in, err
}

type moneyResult struct {
	money *book.KeapRecords
	err   error
}

func readMoney(ctx context.Context, b *book.Book) (*book.KeapRecords, error) {
	if b == nil {
		return &book.KeapRecords{}, nil
	}
	return b.KeapRecords(ctx)
}

func readContent(ctx context.Context, b *book.Book) (s bookState, err error) {
	s = bookState{content: &book.Content{}, partners: map[int64]*book.Alias{}}
	if b == nil {
		return s, nil
	}
	if s.content, err = b.Content(ctx); err != nil {
		return s, err
	}
	for i := range s.content.Aliases {
		a := &s.content.Aliases[i]
		if id, ok := a.KeapID(); ok {
			s.partners[id] = a
		}
	}
	last, err := b.LastImport(ctx)
	if errors.Is(err, book.ErrNoImport) {
		return s, nil
	}
	if err == nil {
		s.base = last.ID
		var in importInputs
		if err = json.Unmarshal(last.Inputs, &in); err != nil {
			return s, fmt.Errorf("run %d does not say what it read: %w", last.ID, err)
		}
		s.asOf, s.leftOut, s.earlier = in.AsOf, in.LeftOut, in.moneyDecisions(last.ID)
	}
	return s, err
}

// inBackground begins fn at once; what it returns waits for it, and is to be called once.
// What fn works on nobody else may change until then.
func inBackground[T any](fn func() T) (wait func() T) {
	done := make(chan T, 1)
	go func() { done <- fn() }()
	return func() T { return <-done }
}
