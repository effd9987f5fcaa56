// Package terms holds the rules of an affiliate program as pure functions: standard library
// only, no I/O, no clock of its own. Amounts are int64 minor units; the currency that they
// are in is known elsewhere. Where each rule stands:
//
//	What does the program promise?                config.go            Config, DefaultConfig
//	Which promoter gets a new customer?           attribution.go       Attribute
//	Whose was a customer at Keap?                 attribution_keap.go  AttributeKeap
//	Is a product a membership or a training?      products.go          Products.Kind
//	Had a customer bought it at Keap?             training.go          BoughtAtKeap
//	What share does a sale earn?                  commission.go        Config.CommissionPercent
//	How is a share rounded, an amount split?      share.go             Share, Scale, Allocate
//	What does a refund take back?                 refund.go            AllocateRefund, RefundFacts.Source
//	When is a commission payable?                 payable.go           Config.PayoutMonth, Config.SplitPayable
//	When does an event count that is told late?   payable.go           CountsAt
//	What do the payouts of a month owe?           due.go               Config.AmountDue
//	What does a clawback of Keap's take back?     due.go               Account.AllocateUnmatched
//	Which months are still owed, how much held?   balance.go           OpenBalances, Config.HeldAmount
//	What is an amount worth in another currency?  currency.go          ExchangeRate.Convert
//	Which address, which ref token is meant?      identity.go          EmailKey, LowerEmail, RefToken
//	Which name is taken for another's?            lookalike.go         Skeleton, ReservedNames.Match
//
// percent.go, calendar.go and format.go hold percentages, months and how people write them.
package terms
