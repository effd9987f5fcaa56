package view

import (
	"strconv"
	"strings"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
)

// HeldLines is what is not paid, and why.
func HeldLines(cfg *config.Config) *console.Table[payout.HeldLine] {
	return &console.Table[payout.HeldLine]{
		Titles: []string{"ref token", "name", "amount", "reason", "also"},
		Cells: func(h *payout.HeldLine) []string {
			also := make([]string, 0, len(h.Reasons))
			for _, r := range h.Reasons[1:] {
				also = append(also, string(r))
			}
			return []string{h.RefToken, h.Name, cfg.Amount(h.Amount, h.Currency), string(h.Reason), strings.Join(also, " ")}
		},
		Alert: func(h *payout.HeldLine, title string) bool { return title == "reason" && h.Reason == terms.HoldFlagged },
	}
}

// Batches is the approved batches.
func Batches(cfg *config.Config) *console.Table[payout.Batch] {
	return &console.Table[payout.Batch]{
		Titles: []string{"run", "paid in", "earned through", "lines", "net", "paid", "failed", "returned", "open", "approved", "by"},
		Cells: func(b *payout.Batch) []string {
			amount := func(minor int64) string { return cfg.Amount(minor, b.Currency) }
			return []string{
				strconv.FormatInt(b.ID, 10), b.Month, b.EarnedThrough, strconv.Itoa(b.LineCount), amount(b.Net), amount(b.Paid),
				amount(b.Failed), amount(b.Returned), amount(b.Open), b.ApprovedOn(), b.ApprovedBy,
			}
		},
		Below: []string{"approved", "by"},
		Empty: "No payouts were approved yet: \"carryover payouts plan\" says who is payable.",
	}
}

// BatchLines is the lines of a batch.
func BatchLines(cfg *config.Config) *console.Table[payout.BatchLine] {
	return &console.Table[payout.BatchLine]{
		Titles: []string{"line", "ref token", "name", "earned in", "net", "method", "paid to", "status", "reference", "on", "note"},
		Cells: func(l *payout.BatchLine) []string {
			at, note := "", ""
			if n := len(l.Records); n > 0 {
				at, note = strings.SplitN(l.Records[n-1].At, "T", 2)[0], l.Records[n-1].Note
			}
			return []string{
				l.Name, l.RefToken, l.Payee, payout.MonthSpan(l.Months), cfg.Amount(l.Net, l.Currency),
				l.Method, l.Address, l.Status, l.Reference, at, note,
			}
		},
		Below: []string{"paid to", "reference", "on", "note"},
		Alert: func(l *payout.BatchLine, title string) bool {
			return title == "status" && (l.Status == book.PayoutFailed || l.Status == book.PayoutReturned)
		},
	}
}

// TaxPayees is payees for tax forms.
func TaxPayees(cfg *config.Config) *console.Table[payout.TaxPayee] {
	return &console.Table[payout.TaxPayee]{
		Titles: []string{"ref token", "name", "W-9", "paid", "over PayPal", "otherwise", "form"},
		Cells: func(p *payout.TaxPayee) []string {
			form := map[bool]string{true: "1099-NEC", false: "PayPal's 1099-K"}[p.FileNEC]
			return []string{
				p.RefToken, p.Name, map[bool]string{true: "yes", false: "no"}[p.W9], cfg.Amount(p.Paid, cfg.Currency),
				cfg.Amount(p.ViaPayPal, cfg.Currency), cfg.Amount(p.Other, cfg.Currency), form,
			}
		},
		Below: []string{"form"},
		Alert: func(p *payout.TaxPayee, title string) bool { return title == "W-9" && !p.W9 && p.FileNEC },
		Empty: "Nobody.",
	}
}

// PayableLines is what is paid.
func PayableLines(cfg *config.Config) *console.Table[payout.PayableLine] {
	return &console.Table[payout.PayableLine]{
		Titles: []string{"ref token", "name", "earned in", "gross", "refunds", "carried", "net", "method", "paid to"},
		Cells: func(l *payout.PayableLine) []string {
			amount := func(minor int64) string { return cfg.Amount(minor, l.Currency) }
			return []string{
				l.RefToken, l.Name, payout.MonthSpan(l.Months), amount(l.Gross), amount(l.Refunds), amount(l.Carried), amount(l.Net),
				l.Method, l.Address,
			}
		},
		Below: []string{"paid to", "method", "earned in"},
	}
}
