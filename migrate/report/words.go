package report

import (
	"cmp"
	"slices"

	"carryover/migrate"
)

// words say what a kind of conflict is, to someone who has never seen one.
type words struct {
	Kind    string
	Title   string
	Meaning string   // what was found
	Outcome string   // what the plan does about it
	Options []option // what the decision column takes, when there is a choice
}

type option struct{ Value, Meaning string }

// kinds are in the order in which they matter: questions, what stops working, who needs
// something, what merely looks different afterwards.
var kinds = []words{
	{
		Kind:  migrate.KindOlder,
		Title: "Exports that are older than the book",
		Meaning: "Their as_of is an earlier day than that of the newest run, or their ledger is from before entries that the book has: " +
			"somebody may have named the wrong folder.",
		Outcome: "What the book holds stays, and what it lacks is added, unless a person wants to go back.",
		Options: []option{{migrate.KeepNewer, "the book's rows hold, and only what it lacks is added"},
			{migrate.Accept, "the older exports hold: owners, statuses, links and balances go back"}},
	},
	{
		Kind:  migrate.KindRejected,
		Title: "Rows that could not be loaded",
		Meaning: "Rows of money or of referrals, or many of another kind, or all of a file, cannot be read. What they say is in no sum and " +
			"proven by nothing.",
		Outcome: "They lie word for word in rejects/, each with its reason. Mend them there, name the folder beside the exports and plan " +
			"again; or leave them out, which every later plan and verify names.",
		Options: []option{{migrate.Accept, "the rows are left out, and never called proven"},
			{migrate.Mend, "they will be mended; nothing is applied before"}},
	},
	{
		Kind:    migrate.KindDuplicate,
		Title:   "Two rows of one id that say different things",
		Meaning: "An id, or a link code, stands in the exports twice with different content, and no date tells which row is newer.",
		Outcome: "One row is carried over and the other is skipped. A person has to say which.",
		Options: []option{{migrate.KeepFirst, "keeps the row named first"}, {migrate.KeepLater, "keeps the other"}},
	},
	{
		Kind:    migrate.KindDateOrder,
		Title:   "Dates with the day or the month first?",
		Meaning: "A column holds a date such as 13/08/2022, which only fits with the day first, and none that needs the month first.",
		Outcome: "Every date of the column is read the same way. A person has to say which.",
		Options: []option{
			{migrate.DayFirst, "13/08/2022 is August 13"}, {migrate.MonthFirst, "a date that only fits with the day first is rejected"},
		},
	},
	{
		Kind:    migrate.KindNumberFormat,
		Title:   "Amounts with a decimal point or a decimal comma?",
		Meaning: "A column holds an amount such as 1.234, which is one thing with a decimal comma and another with a decimal point.",
		Outcome: "Every amount of the column is read the same way. A person has to say which.",
		Options: []option{
			{migrate.DecimalPoint, "1,234.50 is an amount; what fits only the comma is rejected"},
			{migrate.DecimalComma, "1.234,50 is an amount; what fits only the point is rejected"},
		},
	},
	{
		Kind:    migrate.KindStatusWords,
		Title:   "Partners whose status is not understood",
		Meaning: "A status is a word that says neither active nor inactive, or a list names nobody who is active.",
		Outcome: "Such partners would be carried over as inactive, and their links credit nobody. A person has to confirm it.",
		Options: []option{{migrate.Accept, "they are inactive"}, {migrate.ReadActive, "the words that are not known mean active"}},
	},
	{
		Kind:  migrate.KindUnbalanced,
		Title: "Ledgers that do not agree with their rows",
		Meaning: "The ledger says that a partner is owed one amount, and the commissions, clawbacks and payments of that partner come to " +
			"another.",
		Outcome: "Nothing is rounded away or filled in silently. A person has to say which of the two is right; most often a row was " +
			"rejected, or an export is missing.",
		Options: []option{
			{migrate.Accept, "the ledger's ending holds; rows of a partner it does not list count too"},
			{migrate.Fix, "the rows hold, and the difference stays in every report"},
			{migrate.Exclude, "leaves this partner's money out"},
		},
	},
	{
		Kind:    migrate.KindNoLedger,
		Title:   "Money without a ledger",
		Meaning: "There are commissions, clawbacks or payments, and no ledger that their sums could be compared with.",
		Outcome: "They are carried over, and nothing proves that none is missing. Export the ledger too, or accept that.",
	},
	{
		Kind:    migrate.KindUnlisted,
		Title:   "Balances that the ledger does not list",
		Meaning: "Earlier runs carried a balance over, and the ledger among these exports has no row of that partner.",
		Outcome: "The balance stays as it is, and nothing of these exports proves it. Export a ledger that lists every partner.",
	},
	{
		Kind:    migrate.KindNoRows,
		Title:   "A column of the ledger without its rows",
		Meaning: "The ledger has sums of commissions, clawbacks or payments, and no export holds the rows behind them.",
		Outcome: "The ledger's endings are carried over. What they owe to those rows is one entry for each partner, and cannot be proven. " +
			"Export the rows too, or accept that.",
	},
	{
		Kind:    migrate.KindUnsafeLink,
		Title:   "Tracking links with a destination that is not allowed",
		Meaning: "The address is not http or https, is damaged, or is on a host that allowed_hosts does not name.",
		Outcome: "The link is not carried over, and its code will be unknown. Correct the address, or add the host to allowed_hosts when it " +
			"is yours, and plan again.",
	},
	{
		Kind:    migrate.KindLoopingLink,
		Title:   "Tracking links that lead back to themselves",
		Meaning: "The destination is on a host whose links this gateway answers, so a visitor would go round in circles.",
		Outcome: "The link is not carried over, and its code will be unknown. Put the page it was meant for in its place, and plan again.",
	},
	{
		Kind:    migrate.KindAmbiguousCode,
		Title:   "Codes that could mean several promoters",
		Meaning: "The codes of different promoters are the same, or differ only in capital letters.",
		Outcome: "A code is honoured as it is spelled. A spelling that could mean several promoters credits nobody.",
	},
	{
		Kind:    migrate.KindAmbiguousLink,
		Title:   "Link codes that differ only in capital letters",
		Meaning: "Two tracking links have the same code but for capital letters.",
		Outcome: "Each is honoured as it is spelled. Any other spelling is an unknown link.",
	},
	{
		Kind:    migrate.KindMovedCode,
		Title:   "Codes that changed hands",
		Meaning: "The book has the code as another promoter's.",
		Outcome: "These exports are the newer word: from now on the code credits the promoter they name.",
	},
	{
		Kind:    migrate.KindSplit,
		Title:   "Promoters who look like several people now",
		Meaning: "An earlier run made one promoter of partners who no longer share a contact or an e-mail address.",
		Outcome: "They stay one promoter: no old link changes hands.",
	},
	{
		Kind:    migrate.KindCurrency,
		Title:   "Amounts in another currency",
		Meaning: "An export holds amounts in a currency that is not the program's.",
		Outcome: "They are carried over in their own currency, reported apart, and never added or converted.",
	},
	{
		Kind:    migrate.KindProduct,
		Title:   "Products that are neither a membership nor a training",
		Meaning: "No pattern in [products] matches the name, or patterns of both kinds do.",
		Outcome: "What Keap paid for them is carried over as it is. Their sales are compared with no rate, and later sales earn nothing " +
			"certain, until [products] in carryover.toml names them.",
	},
	{
		Kind:    migrate.KindNoReferrals,
		Title:   "No referral list",
		Meaning: "There are orders or money, and neither the exports nor the book have a list of referrals.",
		Outcome: "No customer is carried over. Export the referrals too and plan again, unless the program has none.",
	},
	{
		Kind:    migrate.KindExplained,
		Title:   "Accepted differences that are explained by now",
		Meaning: "A person had accepted a difference between a ledger and its rows, and rows that came since explain it.",
		Outcome: "The difference is taken back with an entry, so that the balance is the ledger's ending again.",
	},
	{
		Kind:    migrate.KindChangedPayment,
		Title:   "Payments that have changed since",
		Meaning: "The book holds a payment of that id with another amount, currency or partner.",
		Outcome: "Nothing is edited: the book gets an entry with the difference.",
	},
	{
		Kind:  migrate.KindAlsoTracked,
		Title: "Rows that the live program has booked as well",
		Meaning: "The billing system has told the live program of a sale or a refund, and Keap has it too: the same promoter, customer and " +
			"amount, at most a day apart.",
		Outcome: "The row is carried over, and both count, unless a person says otherwise. For a row that is left out, the ledger is asked " +
			"about if it counts it.",
		Options: []option{{migrate.KeepRow, "these are two, and both count"},
			{migrate.SkipRow, "these are one: Keap's row is left out, and what was tracked counts"}},
	},
	{
		Kind:    migrate.KindNegative,
		Title:   "Promoters who owe money",
		Meaning: "What was taken back and paid is more than what was earned.",
		Outcome: "The balance is carried over below zero. Later earnings fill it first.",
	},
	{
		Kind:    migrate.KindSubscription,
		Title:   "Running subscriptions that another partner sold",
		Meaning: "By its referrals a customer belongs to one partner, or to nobody; its running subscription was sold by another.",
		Outcome: "The referrals decide, as in Keap, unless a person says otherwise for a customer.",
		Options: []option{{migrate.KeepReferral, "the customer belongs to whom its referrals say"},
			{migrate.KeepSubscription, "it belongs to the partner who sold the running subscription"}},
	},
	{
		Kind:    migrate.KindMovedCustomer,
		Title:   "Customers who have another owner now",
		Meaning: "The book has the customer as another promoter's.",
		Outcome: "These exports are the newer word: from now on the customer belongs to the promoter they name. One that the live program has " +
			"bound since stays whose it is; the detail says so.",
	},
	{
		Kind:    migrate.KindNeedsEmail,
		Title:   "Promoters without an e-mail address",
		Meaning: "The contact is not in the exports, or its Email column holds no usable address.",
		Outcome: "They become promoters all the same, and their links work. An address is needed before they can be invited.",
	},
	{
		Kind:    migrate.KindNoCustomerEmail,
		Title:   "Customers without an e-mail address",
		Meaning: "A contact was referred, and its Email column holds no usable address.",
		Outcome: "The customer is kept under its Keap id. FirstPromoter will not know it before it has an address.",
	},
	{
		Kind:    migrate.KindUnknownParent,
		Title:   "Parents who are in no file",
		Meaning: "A partner names a parent that the exports do not hold.",
		Outcome: "The promoter is carried over without a parent.",
	},
	{
		Kind:    migrate.KindCycle,
		Title:   "Partners who are each other's parents",
		Meaning: "Going from parent to parent leads round in a circle.",
		Outcome: "The one with the lowest Keap id loses its parent, the others keep theirs.",
	},
	{
		Kind:    migrate.KindOtherStatus,
		Title:   "Partners with a status of another kind",
		Meaning: "The status is a word that says neither active nor inactive.",
		Outcome: "The partner is carried over as inactive.",
	},
	{
		Kind:    migrate.KindReferralType,
		Title:   "Referrals of a type that Keap does not have",
		Meaning: "The type is none of COOKIE, MANUAL and PERMANENT.",
		Outcome: "They are read as COOKIE, the weakest, which matters only between referrals of the same minute.",
	},
	{
		Kind:    migrate.KindNoHouse,
		Title:   "Excluded codes that nobody has",
		Meaning: "The configuration excludes a code that no partner of these exports has.",
		Outcome: "Nothing is excluded by it. Check the spelling in carryover.toml.",
	},
	{
		Kind:    migrate.KindNoGrace,
		Title:   "Grace dates for codes that nobody has",
		Meaning: "The configuration gives a grace date to a code that is in no file.",
		Outcome: "The date applies to nothing. Check the spelling in carryover.toml.",
	},
	{
		Kind:    migrate.KindVanished,
		Title:   "Records of the book that these exports lack",
		Meaning: "An earlier run loaded them, and the exports of their kind no longer hold them.",
		Outcome: "They stay in the book as they are: nothing is deleted. When they should be there, the export is not whole.",
	},
	{
		Kind:    migrate.KindHouseOwner,
		Title:   "Customers of the program's own partner",
		Meaning: "The referral that wins names a partner that the configuration excludes.",
		Outcome: "The customer belongs to nobody. The next referral does not inherit it.",
	},
	{
		Kind:    migrate.KindSelfReferral,
		Title:   "Buyers who are their own promoter",
		Meaning: "Customer and partner share a contact, or an e-mail address.",
		Outcome: "The customer stays with its own promoter, as in Keap.",
	},
	{
		Kind:    migrate.KindMerged,
		Title:   "Partners who are one person",
		Meaning: "They share a contact, or an e-mail address.",
		Outcome: "They become one promoter, and all their codes and ids lead to it.",
	},
	{
		Kind:  migrate.KindRenamed,
		Title: "Ref tokens that differ from the old code",
		Meaning: "A ref token is the old code in small letters, made of a–z, 0–9, - and _. Here a character had to go, or another " +
			"promoter has that token already.",
		Outcome: "New links carry the token. The old codes and ids keep working.",
	},
	{
		Kind:    migrate.KindUnknownCredit,
		Title:   "Own paths that credit nobody we know",
		Meaning: "[paths] gives the path to a partner's code, or to a link, that is in no export and not in the book.",
		Outcome: "It is answered as a link with an unknown partner, or to an unknown link. Spell the code as Keap does.",
	},
	{
		Kind:    migrate.KindReservedName,
		Title:   "Destinations that carry a promoter of their own",
		Meaning: "The address holds a parameter that FirstPromoter would read as a promoter.",
		Outcome: "It is removed when visitors are sent on, so that nobody else is credited.",
	},
}

// wordsFor returns the words of a kind; one that has none goes by its name.
func wordsFor(kind string) words {
	if i := slices.IndexFunc(kinds, func(w words) bool { return w.Kind == kind }); i >= 0 {
		return kinds[i]
	}
	return words{Kind: kind, Title: kind}
}

// group is the conflicts of one kind.
type group struct {
	words
	List     []migrate.Conflict // open ones first
	Blocking int
	Open     int // block and are not decided
}

// Asks reports whether a person has, or may take, a choice.
func (g group) Asks() bool { return g.Blocking > 0 || len(g.Options) > 0 }

// groupConflicts gathers conflicts by kind: open ones first, then those that block, then
// in the order of kinds.
func groupConflicts(conflicts []migrate.Conflict) []group {
	index := map[string]int{}
	var groups []group
	for _, c := range conflicts {
		i, ok := index[c.Kind]
		if !ok {
			i = len(groups)
			index[c.Kind] = i
			groups = append(groups, group{words: wordsFor(c.Kind)})
		}
		g := &groups[i]
		g.List = append(g.List, c)
		if c.Blocking {
			g.Blocking++
		}
		if open(c) {
			g.Open++
		}
	}
	rank := func(g group) int {
		at := slices.IndexFunc(kinds, func(w words) bool { return w.Kind == g.Kind })
		switch {
		case g.Open > 0:
			return at - 2*len(kinds)
		case g.Blocking > 0:
			return at - len(kinds)
		case at < 0:
			return len(kinds)
		}
		return at
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(rank(a), rank(b)) })
	for _, g := range groups {
		slices.SortStableFunc(g.List, func(a, b migrate.Conflict) int { return cmp.Compare(order(a), order(b)) })
	}
	return groups
}

func open(c migrate.Conflict) bool { return c.Undecided() }

func order(c migrate.Conflict) int {
	switch {
	case open(c):
		return 0
	case c.Blocking:
		return 1
	}
	return 2
}

// reasons say why a row was rejected or skipped.
var reasons = map[string]string{
	"bad_id":             "an id that is no whole number",
	"missing_value":      "a value that must not be blank is missing",
	"bad_money":          "an amount that is none",
	"bad_date":           "a date that is none",
	"too_many_cells":     "more cells than the header has columns",
	"unknown_partner":    "a partner that is in no file",
	"unknown_contact":    "a contact that is in no file",
	"unsafe_destination": "a destination that is not allowed",
	"blank":              "blank",
	"repeated_header":    "repeated header",
	"totals":             "totals",
	"duplicate":          "duplicate",
	"superseded":         "replaced by another row",
	"excluded":           "left out by a decision",
	"mended":             "mended in a file of rejects",
}

func reasonWords(reason string) string { return cmp.Or(reasons[reason], visible(reason)) }

// ledgerTable holds what promoters earned and lost, and what ledgers ask for beside it.
const ledgerTable = "commission"

// tables are the model's tables in the order in which they are explained. Those of money
// are named only when they hold something.
var tables = []struct {
	name, words string
	money       bool
}{
	{"promoter", "promoters", false}, {"promoter_alias", "old codes and ids", false}, {"link", "tracking links", false},
	{"referral", "customers", true}, {"referral_row", "referral rows", true}, {"contact", "contacts of customers", true},
	{"sale", "orders", true}, {"subscription", "subscriptions", true},
	{ledgerTable, "ledger entries", true}, {"payout", "payments", true},
}
