package keap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"carryover/migrate/sheet"
)

var kindOfFile = map[string]string{
	"clawbacks.csv": Clawbacks, "commissions.csv": Commissions, "contacts.csv": Contacts, "ledger.csv": Ledger,
	"orders.csv": Orders, "partner-payments.csv": Payments, "referral-partners.csv": Partners,
	"referrals.csv": Referrals, "subscriptions.csv": Subscriptions, "tracking-links.csv": Links,
}

func probe(t *testing.T, path string) *sheet.File {
	t.Helper()
	in, err := sheet.Find([]string{path}, KindNames())
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	f, err := sheet.Probe(in[0], Kinds(), sheet.Options{Location: zone})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKindsOfSamples(t *testing.T) {
	names := []string{}
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	if !reflect.DeepEqual(names, KindNames()) {
		t.Errorf("KindNames is %v, Kinds are %v", KindNames(), names)
	}
	for _, sample := range []string{"small", "tiny"} {
		in, err := sheet.Find([]string{"testdata/" + sample}, nil)
		if err != nil || len(in) != len(kindOfFile) {
			t.Fatalf("%d files, %v", len(in), err)
		}
		for _, i := range in {
			want := kindOfFile[filepath.Base(i.Path)]
			// The name must not be needed to tell the kind.
			i.Path = "export.csv"
			f, err := sheet.Probe(i, Kinds(), sheet.Options{})
			if err != nil {
				t.Fatalf("%s/%s: %v", sample, want, err)
			}
			if f.Kind != want {
				t.Errorf("%s: a file of %s was taken for %s", sample, want, f.Kind)
			}
			if len(f.UnknownHeaders) > 0 && want != Contacts {
				t.Errorf("%s, %s: not understood: %v", sample, want, f.UnknownHeaders)
			}
		}
	}
}

func TestSampleFiles(t *testing.T) {
	f := func(path, encoding, lineEnd string, header int, dateHeaders ...string) {
		t.Helper()
		got := probe(t, "testdata/"+path)
		if got.Encoding != encoding || got.LineEnd != lineEnd || got.HeaderLine != header || got.Delimiter != "comma" {
			t.Errorf("%s: %s, %s, %s, header on line %d", path, got.Encoding, got.LineEnd, got.Delimiter, got.HeaderLine)
		}
		var headers []string
		for _, d := range got.Dates {
			headers = append(headers, d.Header)
			if d.NeedsDecision() || d.Invalid > 0 || d.Layout() != "month_first" {
				t.Errorf("%s: %+v", path, d)
			}
		}
		if fmt.Sprint(headers) != fmt.Sprint(dateHeaders) {
			t.Errorf("%s: date columns %v, want %v", path, headers, dateHeaders)
		}
	}
	f("small/referral-partners.csv", "utf-8-bom", "crlf", 1, "DATE CREATED")
	f("small/contacts.csv", "utf-8", "crlf", 1, "Date Created", "Last Updated")
	f("small/referrals.csv", "utf-8", "lf", 1, "Date Set", "expires")
	f("small/ledger.csv", "utf-8", "crlf", 2)
	f("small/tracking-links.csv", "utf-8", "crlf", 1, "Date Created")
	f("tiny/partner-payments.csv", "utf-8", "crlf", 1, "date")
}

// outcome is what reading one file gave, as a reviewer would write it down.
func outcome[T any](t *testing.T, path string, read func(*sheet.File, func(int, *T) error,
	func(*sheet.Reject) error) (sheet.Count, error)) (string, []*T) {
	t.Helper()
	f := probe(t, "testdata/"+path)
	var rows []*T
	var rejected, all bytes.Buffer
	w, err := sheet.NewRejectWriter(&all, f)
	if err != nil {
		t.Fatal(err)
	}
	count, err := read(f, func(line int, row *T) error {
		kept := *row
		rows = append(rows, &kept)
		return nil
	}, func(r *sheet.Reject) error {
		fmt.Fprintf(&rejected, "; %d %s %s %q", r.Line, r.Reason, r.Column, r.Value)
		return w.Write(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if count.Rows != f.Rows || count.Rows != count.Loaded+count.Rejected+count.Skipped || count.Loaded != len(rows) {
		t.Errorf("%s: %+v of %d rows", path, count, f.Rows)
	}
	everything, err := json.Marshal([]any{f, rows, rejected.String(), all.String()})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(everything, []byte("SECRET-CANARY")) {
		t.Errorf("%s: a secret got out", path)
	}
	return fmt.Sprintf("%d read, %d loaded, %v skipped%s", count.Rows, count.Loaded, count.SkippedBy, rejected.String()), rows
}

func TestReadSamples(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	got, partners := outcome(t, "small/referral-partners.csv", ReadPartners)
	f(got, `42 read, 40 loaded, map[blank:1] skipped; 10 bad_id id "8.72E+05"`)
	got, contacts := outcome(t, "small/contacts.csv", ReadContacts)
	f(got, `190 read, 187 loaded, map[blank:2] skipped; 9 missing_value Id ""`)
	got, links := outcome(t, "small/tracking-links.csv", ReadLinks)
	f(got, `7 read, 6 loaded, map[blank:1] skipped`)
	got, _ = outcome(t, "tiny/referral-partners.csv", ReadPartners)
	f(got, `5 read, 5 loaded, map[] skipped`)
	got, _ = outcome(t, "tiny/contacts.csv", ReadContacts)
	f(got, `15 read, 15 loaded, map[] skipped`)
	got, _ = outcome(t, "tiny/tracking-links.csv", ReadLinks)
	f(got, `2 read, 2 loaded, map[] skipped`)

	p := *partners[0]
	want := Partner{
		ID: sheet.ID{Number: 41, Valid: true}, ContactID: sheet.ID{Number: 25, Valid: true}, ParentID: sheet.ID{Number: 0, Valid: true},
		Code: "MirrorMe", Name: "Björn Ironside", Status: sheet.Active,
		CreatedAt: sheet.Date{Time: time.Date(2017, 9, 21, 1, 32, 0, 0, time.UTC), Clock: true, Valid: true},
	}
	if p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if c := contacts[0]; !c.ID.Valid || c.FullName == "" || !c.CreatedAt.Valid {
		t.Errorf("%+v", c)
	}
	if l := links[1]; l.Code != "Shop" || !strings.HasSuffix(l.Destination, "red%20blue#top") {
		t.Errorf("%+v", l)
	}
}

// Every other kind is laid over its fields alone: nothing may be rejected that the
// rules about cells do not reject.
func TestMoneyFilesAccount(t *testing.T) {
	type row struct {
		PartnerID   sheet.ID   `csv:"partner_id"`
		PartnerCode string     `csv:"partner_code"`
		ContactID   sheet.ID   `csv:"contact_id"`
		EarnedAt    sheet.Date `csv:"earned_at"`
		Amount      string     `csv:"amount"`
		Closing     string     `csv:"closing"`
	}
	f := func(path, want string) {
		t.Helper()
		got, rows := outcome(t, path, sheet.Rows[row])
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		for _, r := range rows {
			if !r.PartnerID.Valid && r.PartnerCode == "" && !strings.Contains(path, "orders") && !strings.Contains(path, "subscriptions") {
				t.Errorf("%s: a row without a partner: %+v", path, r)
			}
		}
	}
	f("small/referrals.csv", "246 read, 245 loaded, map[blank:1] skipped")
	f("small/orders.csv", "240 read, 239 loaded, map[blank:1] skipped")
	f("small/subscriptions.csv", "59 read, 58 loaded, map[blank:1] skipped")
	f("small/commissions.csv", "204 read, 203 loaded, map[blank:1] skipped")
	f("small/clawbacks.csv", "9 read, 8 loaded, map[blank:1] skipped")
	f("small/partner-payments.csv", "74 read, 73 loaded, map[blank:1] skipped")
	f("small/ledger.csv", "43 read, 40 loaded, map[blank:2 totals:1] skipped")
	f("tiny/ledger.csv", "5 read, 5 loaded, map[] skipped")
	f("tiny/commissions.csv", "7 read, 7 loaded, map[] skipped")
}

func TestKindByHeader(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := sheet.Find([]string{path}, KindNames())
		if err != nil {
			t.Fatal(err)
		}
		got, err := sheet.Probe(in[0], Kinds(), sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		columns := got.Kind
		for _, field := range []string{"id", "contact_id", "parent_id", "parent_code", "partner_id", "partner_code",
			"partner_name", "code", "email", "amount"} {
			if h, ok := got.Column(field); ok {
				columns += " " + field + "=" + h
			}
		}
		if columns != want {
			t.Errorf("got  %s\nwant %s", columns, want)
		}
	}
	f("a.csv", "Id,Name,Username,Email,affiliate,Partner Email Address\n", "contacts id=Id email=Email")
	f("a.csv", "Id,First Name,Last Name,Email,Username,Date Created,affiliate,Status\n", "contacts id=Id email=Email")
	f("contacts.csv", "Id,Email,Code\n", "contacts id=Id email=Email")
	f("a.csv", "Id,Name,Code,Url,What is your PayPal email address?\n", "links id=Id code=Code")
	f("a.csv", "Id,AffName,Username,Status\n", "partners id=Id code=Username")
	f("a.csv", "Id,Contact,Contact Id,Aff Code,Email 2,PayPal Email\n", "partners id=Id contact_id=Contact Id code=Aff Code")
	f("a.csv", "Id,Contact,Aff Code,E-mail\n1,Ann Lee,ann,a@b.test\n", "partners id=Id code=Aff Code email=E-mail")
	f("a.csv", "Id,Contact,Aff Code,Parent\n1,12,ann,MUM\n2,,bo,\n", "partners id=Id contact_id=Contact parent_code=Parent code=Aff Code")
	f("a.csv", "Id,Aff Code,Parent\n1,ann,7\n2,bo,0\n", "partners id=Id parent_id=Parent code=Aff Code")
	f("a.csv", "Id,Aff Code,Status,Email,First Name,Last Name,Phone 1,Street Address 1,City,State,Postal Code,"+
		"Country,Company\n", "partners id=Id code=Aff Code email=Email")
	f("a.csv", "Referral Partner;Ending Balance;Payments\nann;1.00;2.00\n", "ledger partner_code=Referral Partner")
	f("a.csv", "Referral Partner\tEnding Balance\tPayments\n17\t1.00\t2.00\n", "ledger partner_id=Referral Partner")
	f("a.csv", "Code,Referral Partner,Ending Balance,Payments\n17,Ann,1.00,2.00\n", "ledger partner_code=Code partner_name=Referral Partner")
	f("clawbacks.csv", "Affiliate Id,Date,Amount,Invoice Id\n", "clawbacks partner_id=Affiliate Id amount=Amount")
	f("commissions.csv", "Affiliate Id,Date,Amount,Invoice Id\n", "commissions partner_id=Affiliate Id amount=Amount")
	f("payments.csv", "Id,Affiliate Id,Date,Amount\n", "payments id=Id partner_id=Affiliate Id amount=Amount")
	f("a.csv", "Affiliate Id,Date Earned,Amt Earned,Invoice #\n", "commissions partner_id=Affiliate Id amount=Amt Earned")
}

func TestRequiredValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "partners.csv")
	text := "Id,Aff Code,Contact Id\n0007,ann,\n0,bo,1\n,cy,2\n8,,3\n9,di,12-3\n\"=\"\"10\"\"\",'ed,4,\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err := ReadPartners(probe(t, path), func(line int, p *Partner) error {
		got = append(got, fmt.Sprintf("%d loaded %d %s", line, p.ID.Number, p.Code))
		return nil
	}, func(r *sheet.Reject) error {
		got = append(got, fmt.Sprintf("%d %s %s", r.Line, r.Reason, r.Column))
		return nil
	})
	want := "2 loaded 7 ann, 3 bad_id Id, 4 missing_value Id, 5 missing_value Aff Code, 6 bad_id Contact Id, 7 loaded 10 ed"
	if err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, strings.Join(got, ", "), want)
	}
}
