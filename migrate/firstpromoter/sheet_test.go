package firstpromoter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// readText reads a file of March 2023, and writes it as "who event amount month, ...".
func readText(t *testing.T, text, amounts string) (string, *File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "theirs.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFile(path, 202303, angeles, "USD", amounts)
	if err != nil {
		return "", nil, err
	}
	var list []string
	for _, k := range f.Commissions {
		who := k.Token
		if who == "" {
			who = k.Email
		}
		list = append(list, strings.Join(strings.Fields(fmt.Sprintf("%s %s %d %s", who, k.EventID, k.Amount, k.CreatedAt.In(angeles).Format("1-2"))), " "))
	}
	return strings.Join(list, ", "), f, nil
}

// However somebody exported it or wrote it down.
func TestFileRows(t *testing.T) {
	f := func(text, amounts, want string, cents, dated bool) {
		t.Helper()
		got, file, err := readText(t, text, amounts)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		if got != want || file.Cents != cents || file.Dated != dated || len(file.Rejects) > 0 {
			t.Errorf("%q: %s (cents %v, dated %v, rejects %v); want %s (%v, %v)", text, got, file.Cents, file.Dated, file.Rejects, want, cents, dated)
		}
	}
	const auto = AmountsAuto
	// the API's own names
	f("id,ref_token,event_id,amount,created_at,unit,status\n1,anna,p1,2500,2023-03-04T10:00:00Z,cash,approved\n2,bob,p2,-100,2023-03-05T10:00:00Z,cash,pending\n", auto, "anna p1 2500 3-4, bob p2 -100 3-5", true, true)
	// a dashboard's, with money as people write it
	f("Promoter Email,Earnings,Created At\nAnna@Partners.test,\"$1,234.50\",3/4/2023\nbob@partners.test,($5.00),3/5/2023\n", auto, "anna@partners.test 123450 3-4, bob@partners.test -500 3-5", false, true)
	// one amount with decimals: all are
	f("ref_id;amount\nanna;10\nbob;10.5\n", auto, "anna 1000 3-15, bob 1050 3-15", false, false)
	f("ref_id,amount\nanna,10\n", auto, "anna 10 3-15", true, false)
	f("ref_id,amount\nanna,10\n", AmountsDecimal, "anna 1000 3-15", false, false)
	f("ref_id,amount_cents,amount\nanna,10,0.10\n", auto, "anna 10 3-15", false, false)
	// a month in place of a date
	f("partner,month,commission\nanna,2023-03,10.00\nbob,April 2023,1.00\ncarl@partners.test,Feb 2023,2.00\n", auto, "anna 1000 3-15, bob 100 4-15, carl@partners.test 200 2-15", false, true)
	// the customer's address is not the promoter's; points are no money; totals are no row
	f("Email,Promoter Email,Amount,Unit\ncat@shop.test,anna@partners.test,1.00,cash\ndog@shop.test,bob@partners.test,3.00,points\nTotal,,4.00,\n", auto, "anna@partners.test 100 3-15", false, false)
	f("email\tamount\nanna@partners.test\t1.00 USD\n", auto, "anna@partners.test 100 3-15", false, false)
}

func TestFileRowsThatCannotBeRead(t *testing.T) {
	_, file, err := readText(t, "ref_id,amount,created_at\nanna,ten,3/4/2023\n,1.00,3/4/2023\nbob,,3/4/2023\nbob,1.00,\nbob,1.00,soon\nbob,1.005,3/4/2023\nbob,EUR 1.00,3/4/2023\nbob,1.00,3/4/2023\n", AmountsAuto)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range file.Rejects {
		lines = append(lines, fmt.Sprintf("%d %s", r.Line, r.Reason))
	}
	if got, want := strings.Join(lines, ", "), "2 bad_money, 3 missing_value, 4 missing_value, 5 missing_value, 6 bad_date, 7 bad_money, 8 bad_money"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(file.Commissions) != 1 {
		t.Errorf("%+v", file.Commissions)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, _, err := readText(t, text, AmountsAuto); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f("", "empty")
	f("customer email,total\ncat@shop.test,1\n", "promoter_email or ref_id")
	f("ref_id,total\nanna,1\n", "amount")
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.csv"), 202303, time.UTC, "USD", AmountsAuto); err == nil {
		t.Error("a file that is not there was read")
	}
}
