package keap

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"carryover/migrate/sheet"
)

// probeText probes a file that is not on disk; kind is what it is said to be, if anything.
func probeText(path, kind, text string) (*sheet.File, error) {
	return sheet.Probe(sheet.Input{Kind: kind, Source: sheet.Source{Path: path, Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}}, Kinds(), sheet.Options{})
}

// headers are the spellings of one column; an empty one means that the file lacks it.
type headers []string

func spellings(list string) headers { return strings.Split(list, ",") }

// product is every way to take one spelling of each column; "+" joins several columns.
func product(columns ...headers) [][]string {
	rows := [][]string{nil}
	for _, column := range columns {
		var longer [][]string
		for _, row := range rows {
			for _, name := range column {
				longer = append(longer, append(slices.Clone(row), strings.Split(name, "+")...))
			}
		}
		rows = longer
	}
	return rows
}

// TestKindGrid lays every spelling of the columns that a kind needs beside every other,
// without optional columns and with all of them, and every way to name the partner beside
// each optional column: the header alone must tell the kind.
func TestKindGrid(t *testing.T) {
	partner := spellings("Affiliate Id,AffiliateId,Partner Id,Referral Partner Id,Keap Partner Id,Code,Aff Code,AffCode," +
		"Affiliate Code,Partner Code,Referral Partner Code,Referral Partner,Affiliate,Partner," +
		"Affiliate Id+Aff Code,Id+Aff Code+Referral Partner")
	credited := slices.Concat(headers{""}, partner,
		spellings("Sale Affiliate Id,sales_affiliate_id,Sale Affiliate,Sale Partner,Sale Affiliate+Lead Affiliate,"+
			"Lead Partner,Sale Affiliate Id+Aff Code+Lead Affiliate Id"))
	contact := spellings("ContactId,contact_id,Contact Id,Contact")
	earned := spellings("DateEarned,date_earned,time_earned,Date Earned,Date")
	invoice := spellings("InvoiceId,Invoice Id,Inv Id,Invoice,Invoice #,Order Id")
	detail := "Id,ContactId,Contact,Customer,First Name,contact_last_name,Product Name,Description,SaleAffId," +
		"sales_affiliate_id,Sold By,Sale Affiliate,Sale Partner,"

	f := func(kind, optional string, needed ...headers) {
		t.Helper()
		usual := headers{""}
		for _, column := range needed[1:] {
			usual[0] += "+" + column[0]
		}
		rows := product(append(needed, headers{"", strings.ReplaceAll(optional, ",", "+")})...)
		rows = append(rows, product(needed[0], usual, spellings(optional))...)
		tried, failed := map[string]bool{}, 0
		for _, row := range rows {
			seen := map[string]bool{"": true} // a header that is there already is not added again
			row = slices.DeleteFunc(row, func(name string) bool {
				again := seen[sheet.Key(name)]
				seen[sheet.Key(name)] = true
				return again
			})
			path, text := "export.csv", strings.Join(row, ",")+"\n"
			keys := strings.ToLower(strings.NewReplacer(" ", "", "_", "").Replace(text))
			if tried[keys] {
				continue
			}
			tried[keys] = true
			if kind == Clawbacks && seen["amount"] {
				path = "clawbacks.csv" // its header is that of a list of commissions
			}
			file, err := probeText(path, "", text)
			switch {
			case err != nil:
				t.Errorf("%s: %v", kind, err)
			case file.Kind != kind:
				t.Errorf("a file of %s was taken for %s: %s", kind, file.Kind, text)
			default:
				continue
			}
			if failed++; failed == 5 {
				return
			}
		}
	}
	f(Partners, "ContactId,Contact,AffName,Name,Affiliate,Referral Partner,Status,Active?,ParentId,Parent,Parent Code,"+
		"Parent Name,LeadCookieFor,NotifySale,Date added,Date Created,PayoutType,Commission Type,Sale Amount,Lead Pct,"+
		"Programs,Email,First Name,Company,Phone 1,PayPal Email,Password",
		spellings("Id,ID,Affiliate Id,AffiliateId,Partner Id,Referral Partner Id"),
		spellings("AffCode,Code,Aff Code,Affiliate Code,Partner Code,Referral Partner Code,Tracking Code"))
	f(Contacts, "Name,First Name,family_name,Email 2,Email Status,Company Name,Phone 1,Street Address 1,City,Tag Ids,Tags,"+
		"Person Type,Lead Source,Referral Code,Date Created,Last Updated,OwnerID,Username,affiliate,Affiliate Code Source,"+
		"Partner First Name,Password",
		spellings("Id,ContactId,Contact Id"), spellings("Email,Email Address,E-mail,Contact Email"))
	f(Links, "Id,Name,Link Name,Web page,program_ids,Affiliate Id,affiliate_id,Date Created,Hits,Opt-Ins,Orders,Subscriptions,Sales",
		spellings("Code,LocalUrl,local_url_code,Local Url,Link Code,Tracking Code"),
		spellings("Website Address,RedirectUrl,Url,Destination,Destination URL"))
	f(Referrals, "Id,Referral Id,DateExpires,expiration_time,Expires,Type,referral_type,IPAddress,IP,Source,Link,"+
		"Tracking Link,Info,description,First Name,Email",
		partner, contact, spellings("DateSet,Date Set,referral_time,Referral Date"))
	f(Orders, "Contact,First Name,Title,Co Name,Street Address 1,Country,Order Type,Promo Code,Order Title,Product Ids,"+
		"Product Name,ProductSold,Serial,Amount Paid,total_due,Balance,Pay Status,Email",
		credited, spellings("Id,Order Id,Order #,Invoice Id"), contact,
		spellings("Order Date,order_time,creation_date,DateCreated"), spellings("Order Total,total,InvoiceTotal"))
	f(Subscriptions, "Id,Subscription Id,Product Id,Program Id,Product Name,Program Name,Status,Active,Start Date,End Date,"+
		"Reason Stopped,LastBillDate,Auto Charge,Max Charge Attempts,Num Days Between Retry,Promo Code,Order Type,Qty,OriginatingOrderId",
		append(credited, "AffiliateId+LeadAffiliateId", "Infusionsoft's Sale Affiliate Id+Infusionsoft's Lead Affiliate Id"),
		append(contact, "Infusionsoft's Contact Id"),
		spellings("BillingAmt,Billing Amount,Price+Cycle,Price+Frequency,Price+Subscription Plan Id,BillingAmt+BillingCycle,"+
			"Amount+Paid Thru Date,Price+Next Bill Date,BillingAmt+StartDate"))
	f(Commissions, detail+"SoldByFirstName", partner, append(earned, "Commission Date"),
		spellings("AmtEarned,amount_earned,Amount Earned,Amount,Commission,Earned"), invoice)
	f(Clawbacks, detail+"subscription_plan_name,sold_by_given_name,Reason", partner, earned,
		spellings("Amount,Clawback,Clawback Amount"), invoice)
	f(Payments, "Id,Payment Id,Batch,Batch Id,type,Pay Type,Payment Type,notes,PayNote,create_time,Date Created", partner,
		spellings("date,pay_date,PayDate,Payment Date"), spellings("amount,pay_amount,PayAmt,Pay Amt,Payment Amount"))
	f(Ledger, "Name,Partner Name,Aff Name,Contact Id,Beginning Balance,Previous Balance,Total Commission,Claw-backs,"+
		"Payments Issued", append(partner, "Id"),
		spellings("Beginning Balance,Opening Balance,Commissions,amount_earned,Commission,Earned,Clawbacks,Claw Backs,Payments,Payouts,Paid"),
		spellings("Ending Balance,balance,RunningBalance,End Balance,Amount Owed,Balance Due"))
}

// What happened to partners is no list of them, whatever else is there or lacking.
func TestNoPartnerList(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		file, err := probeText("partners.csv", "", header+"\n")
		var unknown *sheet.UnknownKindError
		switch {
		case want == "" && !errors.As(err, &unknown):
			t.Errorf("%s: %+v %v", header, file, err)
		case want != "" && (err != nil || file.Kind != want):
			t.Errorf("%s: %+v %v", header, file, err)
		}
	}
	f("Id,Aff Code,date,amount,type", Payments)
	f("Id,Aff Code,Aff Name,Status,Parent,Email,Date Added,Program,Payout Type,Date,Amount", Payments)
	f("Id,ContactId,Aff Code,DateSet,DateExpires,Type", Referrals)
	f("Id,Aff Code,DateSet", "")
	f("Id,Username,PayDate,PayAmt", "")
	f("Id,Aff Code,Amount", Partners)
	f("Id,Aff Code,Date", Partners)
}

func TestPlainSubscriptions(t *testing.T) {
	f := func(kind, header, want string) {
		t.Helper()
		file, err := probeText("export.csv", kind, header+"\n")
		got := ""
		if err == nil {
			got = file.Kind
		}
		if got != want {
			t.Errorf("%s as %q: %q %v", header, kind, got, err)
		}
	}
	f("", "Id,ContactId,Product Name,BillingAmt,Status,StartDate,EndDate,AffiliateId", Subscriptions)
	f(Subscriptions, "Id,ContactId,Product Name,BillingAmt,Status,StartDate,EndDate,AffiliateId", Subscriptions)
	f(Subscriptions, "Contact Id,Amount", Subscriptions)
	f("", "Id,ContactId,Date,Amount,Type", "")
	f("", "Id,ContactId,Affiliate Id,Start Date,End Date,Pay Date,Amount", Payments)
	f(Subscriptions, "Id,Product Name,Amount", "")
}
