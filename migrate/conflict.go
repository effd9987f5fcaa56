package migrate

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"carryover/migrate/sheet"
)

// Conflict is something about the exports that a person should know or decide.
type Conflict struct {
	ID          string   `json:"id"`      // kind and subject: the same from plan to plan
	Kind        string   `json:"kind"`    // one of the Kind… constants
	Subject     string   `json:"subject"` // the code, Keap id, token, address or file it is about
	Detail      string   `json:"detail"`  // a sentence: what was found and what the plan does
	Recommended string   `json:"recommended"`
	Blocking    bool     `json:"blocking"` // apply waits for a decision
	Decision    string   `json:"decision,omitempty"`
	DecidedBy   string   `json:"decided_by,omitempty"` // as the decisions file says
	options     []string // the decisions there are
	about       string   // fingerprint of the rows that the options name; Detail ends with it
}

// Kinds of conflicts. Those that block are marked.
const (
	KindNeedsEmail    = "needs_email"       // a promoter without a usable address
	KindCycle         = "parent_cycle"      // partners that are each other's parents
	KindUnknownParent = "unknown_parent"    // a parent that is in no file
	KindRenamed       = "renamed_token"     // a ref token that is not just the lower-cased code
	KindMerged        = "merged"            // several partners that are one person
	KindSplit         = "split"             // partners of one promoter in the book that no longer look like one person
	KindAmbiguousCode = "ambiguous_code"    // codes of several promoters that differ only by case, or not at all
	KindAmbiguousLink = "ambiguous_link"    // link codes that differ only by case
	KindMovedCode     = "moved_code"        // a code that another promoter had in the book
	KindUnsafeLink    = "unsafe_link"       // a destination that may not be forwarded to
	KindLoopingLink   = "looping_link"      // a destination that leads back to the old links
	KindUnknownCredit = "unknown_credit"    // a path of [paths] that credits a code or link that is not there
	KindReservedName  = "reserved_name"     // a destination that holds a promoter parameter
	KindOtherStatus   = "unknown_status"    // a status that says neither active nor inactive
	KindNoHouse       = "unknown_exclusion" // an excluded code that nobody has
	KindNoGrace       = "unknown_grace"     // a grace date for a code that nobody has
	KindDuplicate     = "duplicate"         // blocks: two rows of one id that say different things
	KindDateOrder     = "date_order"        // blocks: a column that only fits with the day first
	KindNumberFormat  = "number_format"     // blocks: a column of amounts that can be read two ways
	KindStatusWords   = "status_words"      // blocks: a column of statuses that is not understood, or names nobody active

	KindRejected = "rejected_rows" // blocks: rows that could not be loaded, of money or too many

	KindOlder = "older_exports" // blocks: exports from before those that the book was made of

	KindUnbalanced      = "unbalanced_ledger"      // blocks: a ledger and its rows do not agree
	KindNoLedger        = "no_ledger"              // blocks: rows of money and no ledger to prove them by
	KindUnlisted        = "unlisted_balance"       // a balance that the ledger does not list
	KindNoRows          = "no_rows"                // blocks: a column of the ledger and no file of its rows
	KindSubscription    = "subscription_partner"   // a running subscription that another partner sold than the owner
	KindHouseOwner      = "house_owner"            // a customer of the program's own
	KindSelfReferral    = "self_referral"          // a buyer who is his own promoter
	KindNoCustomerEmail = "customer_without_email" // a customer without a usable address
	KindMovedCustomer   = "moved_customer"         // a customer who had another owner in the book
	KindReferralType    = "unknown_referral_type"  // a referral type that Keap does not have
	KindProduct         = "unmatched_product"      // a product that [products] does not place, or places twice
	KindChangedPayment  = "changed_payment"        // a payment that the book has otherwise
	KindNegative        = "negative_balance"       // a promoter who owes
	KindCurrency        = "other_currency"         // amounts in another currency than the program's
	KindVanished        = "vanished"               // records of the book that these exports do not hold
	KindExplained       = "explained_difference"   // an accepted difference that rows explain by now
	KindNoReferrals     = "no_referrals"           // money and no referral list: no customer is carried over
	KindAlsoTracked     = "also_tracked"           // a new row that the live program has booked as well
)

var kinds = []string{
	KindOlder, KindRejected, KindNeedsEmail, KindCycle, KindUnknownParent, KindRenamed, KindMerged, KindSplit,
	KindAmbiguousCode, KindAmbiguousLink, KindMovedCode, KindUnsafeLink, KindLoopingLink, KindUnknownCredit,
	KindReservedName, KindOtherStatus, KindNoHouse, KindNoGrace, KindDuplicate, KindDateOrder,
	KindNumberFormat, KindStatusWords,
	KindUnbalanced, KindNoLedger, KindUnlisted, KindNoRows, KindSubscription, KindHouseOwner, KindSelfReferral, KindNoCustomerEmail,
	KindMovedCustomer,
	KindReferralType, KindProduct, KindChangedPayment, KindNegative, KindCurrency, KindVanished, KindExplained, KindNoReferrals,
	KindAlsoTracked,
}

// Decisions that a conflict can take. Most know only one: what the plan does.
const (
	Accept     = "accept"
	KeepFirst  = "first"
	KeepLater  = "later"
	DayFirst   = "day_first"
	MonthFirst = "month_first"

	DecimalPoint = "decimal_point"
	DecimalComma = "decimal_comma"
	ReadActive   = "active" // words that nobody knows say that a partner is active

	Exclude          = "exclude"      // leave the money of this partner out
	Fix              = "fix"          // the rows are right, and the ledger's ending is not
	KeepReferral     = "referral"     // the customer belongs to whom its referrals say
	KeepSubscription = "subscription" // and to the partner who sold its running subscription
	KeepRow          = "keep"         // the row is carried over, whoever booked it as well
	SkipRow          = "skip"         // the row is left out
	Mend             = "mend"         // the rows will be mended: the question stays open until they are
)

// Undecided reports whether apply waits for c.
func (c *Conflict) Undecided() bool { return c.Blocking && (c.Decision == "" || c.Decision == Mend) }

// question makes a conflict that blocks until a person has chosen an option.
func question(kind, subject, detail, recommended string, options ...string) Conflict {
	return Conflict{
		ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: detail, Recommended: recommended, Blocking: true, options: options,
	}
}

// conflictList collects the conflicts that stages find, and puts the decisions to them. It
// is for one goroutine: what runs beside it works on a [conflictList.fork].
type conflictList struct {
	list      []Conflict
	decisions Decisions
	seen      map[string]int // how many there are of an id
}

func newConflictList(d Decisions) *conflictList {
	return &conflictList{decisions: d, seen: map[string]int{}}
}

// fork is an empty list with the same decisions.
func (l *conflictList) fork() *conflictList { return newConflictList(l.decisions) }

// join adds the conflicts of a fork, which finds others than the list.
func (l *conflictList) join(fork *conflictList) {
	l.list = append(l.list, fork.list...)
	for id, n := range fork.seen {
		l.seen[id] += n
	}
}

// add appends c, and returns it with its decision, if there is one. A subject that has
// several conflicts of one kind gets numbered ids. A decision that was made about other rows
// does not count: the question is asked again.
func (l *conflictList) add(c Conflict) Conflict {
	l.seen[c.ID]++
	if n := l.seen[c.ID]; n > 1 {
		c.ID = fmt.Sprintf("%s#%d", c.ID, n)
	}
	if c.about != "" {
		c.Detail += " [rows " + c.about + "]"
	}
	switch d := l.decisions[c.ID]; {
	case d.answers(&c):
		c.Decision, c.DecidedBy = d.Value, d.By
	case d.Value != "":
		c.Detail = fmt.Sprintf("asked again, because %q was decided about other rows: %s", d.Value, c.Detail)
	}
	l.list = append(l.list, c)
	return c
}

// inform adds a conflict that informs and does not block; the format and what goes into it
// are its detail.
func (l *conflictList) inform(kind, subject, format string, args ...any) {
	l.add(Conflict{
		ID: kind + ":" + subject, Kind: kind, Subject: subject, Detail: fmt.Sprintf(format, args...),
		Recommended: Accept, options: []string{Accept},
	})
}

// sort puts what blocks first, and the others in the order of their kinds: those of one
// kind come from one side, but for the duplicates.
func (l *conflictList) sort() {
	slices.SortStableFunc(l.list, func(a, b Conflict) int {
		if a.Blocking != b.Blocking {
			return map[bool]int{true: -1, false: 1}[a.Blocking]
		}
		if a.Kind == KindDuplicate && b.Kind == KindDuplicate {
			return strings.Compare(a.ID, b.ID)
		}
		return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind)
	})
}

// conflictsRow is one row of conflicts.csv.
type conflictsRow struct {
	ID          string `csv:"id"`
	Kind        string `csv:"kind"`
	Subject     string `csv:"subject"`
	Detail      string `csv:"detail"`
	Recommended string `csv:"recommended"`
	Blocking    string `csv:"blocking"` // yes or no
	Decision    string `csv:"decision"`
	DecidedBy   string `csv:"decided_by"`
}

// WriteConflicts writes the list as the CSV that a person fills in.
func WriteConflicts(w io.Writer, conflicts []Conflict) error {
	rows := make([]conflictsRow, len(conflicts))
	for i, c := range conflicts {
		blocking := "no"
		if c.Blocking {
			blocking = "yes"
		}
		rows[i] = conflictsRow{c.ID, c.Kind, c.Subject, c.Detail, c.Recommended, blocking, c.Decision, c.DecidedBy}
	}
	return sheet.Write(sheet.NewWriter(w), rows)
}
