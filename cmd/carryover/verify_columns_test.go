package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
)

// notSealed are the tables of which verify does not compare each row with what was written, and
// why. A table that is new is compared.
var notSealed = map[string]string{
	"book_schema": "the schema itself is compared", "chain": "the chain", "chain_head": "the chain",
	"click": "clicks earn nothing", "click_rollup": "clicks earn nothing",
	"map_epoch": "compared with the book", "map_entry": "compared with the book", "publication": "where the map is published",
	"outbox": "how far events are on their way to FirstPromoter", "refused_event": "what was not booked, and is let go",
}

// bookLive books one of everything that is booked live, for the promoter of a token.
func (d *desk) bookLive(token string) {
	d.Helper()
	d.inBook(func(b *book.Book) error {
		ctx := context.Background()
		var line book.EventLine
		if err := b.Track(func(t *book.Tracking) error {
			id := t.Directory().ByToken(token).Promoter.ID
			c := book.Customer{Email: "new@customers.test", UID: "u-1", PromoterID: id, BoundAt: 5, CreatedAt: 5}
			if err := t.AddCustomer(&c); err != nil {
				return err
			}
			line = book.EventLine{Kind: book.KindCommission, PromoterID: id, CustomerID: c.ID, At: 6, Month: 202303, Amount: 2475, Currency: "USD",
				SaleAmount: 9900, Percent: 250000, Product: "Content Membership", ProductKind: "membership", Quantity: 1}
			sale := book.Event{Kind: book.EventSale, ExternalID: "pay-1", CustomerID: c.ID, At: 6, ReceivedAt: 7, Amount: 9900, Currency: "USD",
				Quantity: 1, Plan: "Content Membership", PromoterID: id, Evidence: "{}"}
			lines := []book.EventLine{line}
			if err := t.AddEvent(&sale, lines); err != nil {
				return err
			}
			line = lines[0]
			if err := t.AddFurtherEmail(&book.FurtherEmail{Email: "also@customers.test", CustomerID: c.ID, At: 6}); err != nil {
				return err
			}
			return t.AddReview(line.ID, book.ReasonFast, "2 seconds after the click", 7)
		}); err != nil {
			return err
		}
		accept := book.ReviewDecision{LineID: line.ID, Decision: book.ReviewAccept, DecidedAt: 8, DecidedBy: "Kim"}
		if _, err := b.Decide(ctx, []book.ReviewDecision{accept}); err != nil {
			return err
		}
		owed := book.Correction{PromoterID: line.PromoterID, Month: 202303, Amount: 25, Currency: "USD", Note: "owed"}
		if err := b.Correct(ctx, &owed); err != nil {
			return err
		}
		if _, err := b.SubmitApplication(ctx, book.Application{Email: "joins@customers.test", Name: "New", AppliedAt: 9}, book.JoinRules{}); err != nil {
			return err
		}
		in, err := b.PayoutInputs(ctx, "USD", 0)
		if err != nil {
			return err
		}
		batch := book.PayoutBatch{Month: 202305, EarnedThrough: 202303, Currency: "USD", ApprovedBy: "Kim"}
		paid := []book.PayoutLine{{PromoterID: line.PromoterID, Months: "2023-03", Gross: 2475, Net: 2475, Method: "paypal", Name: "A"}}
		if err := b.ApprovePayouts(ctx, &batch, paid, in.State); err != nil {
			return err
		}
		_, err = b.RecordPayouts(ctx, []book.PayoutRecord{{LineID: paid[0].ID, Status: book.PayoutPaid, Reference: "PP-1", At: 10, Month: 202305}})
		return err
	})
}

// Whatever column of whatever table is changed behind carryover's back, carried over or booked
// live, verify ends with 1 and names the table, the row and the column; and so it does when a row
// is removed, or put in.
func TestVerifyNamesEveryColumn(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.run("plan", sample(t, "small"), "--out", "plan")
	var decided strings.Builder
	w := csv.NewWriter(&decided)
	w.Write([]string{"id", "decision"})
	for _, c := range d.plan("plan").Conflicts {
		w.Write([]string{c.ID, c.Recommended})
	}
	w.Flush()
	d.ok("apply", "--decisions", d.write("decided.csv", decided.String()), "plan")
	token := d.objects(d.ok("promoters", "--json"))[0]["ref_token"].(string)
	d.ok("promoters", "set", token, "w9=yes", "--by", "Kim")
	d.bookLive(token)
	if r := d.run("verify"); r.code == console.ExitFailed {
		t.Fatalf("verify before anything was changed: %s%s", r.out, r.err)
	}
	db, err := sql.Open("sqlite", d.path("data/book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := db.Exec(query, args...)
		must(err)
	}
	exec(`PRAGMA ignore_check_constraints = ON`)
	type column struct {
		table, name, kind string
		key               int
	}
	var columns []column
	rows, err := db.Query(`SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' ORDER BY m.name, c.cid`)
	must(err)
	for rows.Next() {
		var c column
		must(rows.Scan(&c.table, &c.name, &c.kind, &c.key))
		if notSealed[c.table] == "" {
			columns = append(columns, c)
		}
	}
	must(rows.Err())
	rows.Close()
	names := func(about, row, what string) bool {
		t.Helper()
		r := d.run("verify")
		out := strings.Join(strings.Fields(r.out), " ")
		if r.code != console.ExitFailed || !strings.Contains(out, row) {
			t.Errorf("%s: exit %d, and %q is not named\n%s%s", about, r.code, row, r.out, r.err)
			return true
		}
		return strings.Contains(out, row+what)
	}
	tried, unnamed, former := 0, 0, ""
	for _, c := range columns {
		var all, key []string
		for _, k := range columns {
			if k.table == c.table {
				all = append(all, k.name)
				if k.key > 0 {
					key = append(key, k.name)
				}
			}
		}
		cells, dest, is := make([]any, len(key)), make([]any, len(key)), make([]string, len(key))
		for i := range key {
			dest[i], is[i] = &cells[i], key[i]+" = ?"
		}
		if err := db.QueryRow(`SELECT ` + strings.Join(key, ", ") + ` FROM ` + c.table + ` LIMIT 1`).Scan(dest...); err != nil {
			t.Errorf("%s has no row here: %v", c.table, err)
			continue
		}
		tried++
		where := ` WHERE ` + strings.Join(is, " AND ")
		var was any
		must(db.QueryRow(`SELECT `+c.name+` FROM `+c.table+where, cells...).Scan(&was))
		changed, other := slices.Clone(cells), any(nil)
		switch v := was.(type) {
		case string:
			other = v + "x"
		case int64:
			other = v + 7_000
		case nil:
			other = int64(7)
		}
		if i := slices.Index(key, c.name); i >= 0 {
			changed[i] = other
		}
		exec(`UPDATE `+c.table+` SET `+c.name+` = ?`+where, append([]any{other}, cells...)...)
		row := c.table + " " + strings.TrimSpace(fmt.Sprintln(cells...))
		isKey := slices.Contains(key, c.name)
		if !names(c.table+"."+c.name, row, ": "+c.name+" changed since it was written") && !isKey {
			unnamed++
			t.Logf("%s.%s is named without its column", c.table, c.name)
		}
		exec(`UPDATE `+c.table+` SET `+c.name+` = ?`+where, append([]any{was}, changed...)...)
		if c.table != former { // once a table
			former = c.table
			exec(`CREATE TEMP TABLE kept AS SELECT * FROM `+c.table+where, cells...)
			exec(`DELETE FROM `+c.table+where, cells...)
			names(c.table+", a row removed", row+" is missing: it was written", "")
			put := `INSERT INTO ` + c.table + ` SELECT ` + strings.Join(all, ", ") + ` FROM kept`
			exec(put)
			copied := slices.Clone(cells)
			last := len(key) - 1
			switch v := cells[last].(type) {
			case string:
				copied[last] = v + "x"
			case int64:
				copied[last] = v + 7_000
			}
			for _, k := range columns { // some columns are unique
				if k.table == c.table && k.kind == "TEXT" {
					exec(`UPDATE kept SET ` + k.name + ` = ` + k.name + ` || 'x'`)
				} else if k.table == c.table {
					exec(`UPDATE kept SET ` + k.name + ` = ` + k.name + ` + 7000`)
				}
			}
			for i := range key {
				exec(`UPDATE kept SET `+key[i]+` = ?`, copied[i])
			}
			exec(put)
			row = c.table + " " + strings.TrimSpace(fmt.Sprintln(copied...))
			names(c.table+", a row put in", row+" was put into the book by something else than carryover", "")
			exec(`DELETE FROM `+c.table+where, copied...)
			exec(`DROP TABLE kept`)
		}
	}
	if unnamed > 1 { // of 65,536 changes one is missed
		t.Errorf("of %d columns %d were not named", tried, unnamed)
	}
	if r := d.run("verify"); tried < 200 || r.code == console.ExitFailed {
		t.Errorf("%d columns; all put back: %s%s", tried, r.out, r.err)
	}
}
