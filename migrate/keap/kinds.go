package keap

import (
	"slices"

	"carryover/migrate/sheet"
)

// Names of the kinds of export.
const (
	Partners      = "partners"
	Contacts      = "contacts"
	Links         = "links"
	Referrals     = "referrals"
	Orders        = "orders"
	Subscriptions = "subscriptions"
	Commissions   = "commissions"
	Clawbacks     = "clawbacks"
	Payments      = "payments"
	Ledger        = "ledger"
)

// Kinds returns all kinds of export. Headers vary with edition, age and report, so
// each field lists every spelling that was seen or is likely, as header keys.
func Kinds() []sheet.Kind {
	kinds := []sheet.Kind{
		partners(), contacts(), links(), referrals(), orders(),
		subscriptions(), commissions(), clawbacks(), payments(), ledger(),
	}
	for i := range kinds {
		kinds[i].SecretHeaders = secretHeaders
	}
	return kinds
}

// KindNames returns the names of all kinds, in the order of [Kinds].
func KindNames() []string {
	return []string{Partners, Contacts, Links, Referrals, Orders, Subscriptions, Commissions, Clawbacks, Payments, Ledger}
}

func text(name string, aliases ...string) sheet.Field {
	return sheet.Field{Name: name, Aliases: aliases}
}

func date(name string, aliases ...string) sheet.Field {
	return sheet.Field{Name: name, Aliases: aliases, Date: true}
}

// money is a column of amounts, which is written in one format.
func money(name string, aliases ...string) sheet.Field {
	return sheet.Field{Name: name, Aliases: aliases, Money: true}
}

// status is a column of [sheet.Status].
func status(name string, aliases ...string) sheet.Field {
	return sheet.Field{Name: name, Aliases: aliases, Status: true}
}

func id(name string, aliases ...string) sheet.Field {
	return sheet.Field{Name: name, Aliases: aliases, ID: true}
}

func required(f sheet.Field) sheet.Field {
	f.Required = true
	return f
}

// subject marks the id of what a row is about.
func subject(f sheet.Field) sheet.Field {
	f.Subject = true
	return f
}

// shared marks a field that a list of this kind may carry and that says nothing about
// the kind: contacts have it as well.
func shared(f sheet.Field) sheet.Field {
	f.Shared = true
	return f
}

func distinctive(f sheet.Field, aliases ...string) sheet.Field {
	f.Distinctive = aliases
	return f
}

func fallback(f sheet.Field, aliases ...string) sheet.Field {
	f.Fallbacks = aliases
	return f
}

// distinctiveCodes are headers of a partner's code that a file about anything else has only
// by chance, as a custom field.
var distinctiveCodes = []string{"affcode", "affiliatecode", "partnercode", "referralpartnercode"}

// codeField is a field with a partner's code, which headers name in its own ways or as any.
func codeField(name string, aliases ...string) sheet.Field {
	return distinctive(text(name, slices.Concat(aliases, distinctiveCodes, []string{"code"})...), distinctiveCodes...)
}

// genericPartnerHeaders are headers that may hold a partner's id, code or name.
var genericPartnerHeaders = []string{"referralpartner", "affiliate", "partner"}

// partnerFields are the ways in which money rows name their partner. A column called only
// "Referral Partner" or "Affiliate" may hold an id, a code or a name: it is an id when
// its cells say so, a code when nothing else names the partner, else a name.
func partnerFields(ids ...string) []sheet.Field {
	return []sheet.Field{
		subject(fallback(id("partner_id", append([]string{"affiliateid", "partnerid", "referralpartnerid", "affid", "keappartnerid"},
			ids...)...), genericPartnerHeaders...)),
		fallback(codeField("partner_code"), genericPartnerHeaders...),
		fallback(text("partner_name", "affname", "affiliatename", "partnername", "referralpartnername"),
			slices.Concat(genericPartnerHeaders, []string{"name"})...),
	}
}

// creditFields are the ways in which orders and subscriptions name who made the sale and who
// brought the lead. As with [partnerFields], the cells tell ids from codes.
func creditFields() []sheet.Field {
	sale := slices.Concat([]string{"salesaffiliate", "saleaffiliate", "salepartner"}, genericPartnerHeaders)
	lead := []string{"leadaffiliate", "leadpartner"}
	return []sheet.Field{
		fallback(id("sale_partner_id", "infusionsoftssaleaffiliateid", "salesaffiliateid", "saleaffiliateid", "salepartnerid",
			"affiliateid", "saleaffid", "referralpartnerid", "partnerid", "affid", "keappartnerid"), sale...),
		fallback(codeField("sale_partner_code", "salesaffiliatecode", "saleaffiliatecode", "salepartnercode", "saleaffcode"), sale...),
		fallback(id("lead_partner_id", "infusionsoftsleadaffiliateid", "leadaffiliateid", "leadpartnerid", "leadaffid"), lead...),
		fallback(text("lead_partner_code", "leadaffiliatecode", "leadpartnercode", "leadaffcode"), lead...),
	}
}

var partnerNamed = [][]string{{"partner_id", "partner_code"}}

// addressFields are the columns of a postal address, which contacts, orders and wide
// partner lists carry. Nothing reads them; knowing them tells the kinds apart.
func addressFields() []sheet.Field {
	return []sheet.Field{
		text("street1", "streetaddress1", "address1", "billingaddressstreet1"),
		text("street2", "streetaddress2", "address2", "billingaddressstreet2"),
		text("city", "city"), text("state", "state"),
		text("postal_code", "postalcode", "zip", "zipcode"), text("country", "country"),
		text("phone", "phone1", "phone", "mobile"),
	}
}

func partners() sheet.Kind {
	return sheet.Kind{
		Name: Partners,
		Fields: slices.Concat([]sheet.Field{
			subject(required(id("id", "affiliateid", "partnerid", "referralpartnerid", "keappartnerid", "id"))),
			fallback(id("contact_id", "contactid"), "contact"),
			fallback(id("parent_id", "parentid", "parentaffiliateid", "parentpartnerid", "parentreferralpartnerid"),
				"parent", "parentpartner", "parentaffiliate", "parentreferralpartner"),
			fallback(text("parent_code", "parentcode", "parentaffcode", "parentaffiliatecode", "parentpartnercode"),
				"parent", "parentpartner", "parentaffiliate", "parentreferralpartner"),
			required(fallback(distinctive(text("code", slices.Concat(distinctiveCodes, []string{"code", "trackingcode"})...),
				distinctiveCodes...), "username")),
			text("name", "affname", "affiliatename", "partnername", "referralpartnername", "name", "affiliate", "referralpartner"),
			status("status", "status", "partnerstatus", "affiliatestatus", "active"),
			date("created_at", "datecreated", "dateadded", "createtime", "created"),
			shared(text("email", "email", "emailaddress", "contactemail")),
			shared(text("first_name", "firstname", "contactfirstname", "givenname")),
			shared(text("last_name", "lastname", "contactlastname", "familyname")),
			shared(text("company", "companyname", "company", "coname")),
			text("parent_name", "parentname"),
			text("track_days", "leadcookiefor", "trackleadsfor", "trackleadsdays", "trackleaddays", "numberofdaystotrack", "cookiedays"),
			text("notify_lead", "notifylead", "notifyonlead"),
			text("notify_sale", "notifysale", "notifyonsale"),
			text("payout_type", "payouttype"),
			text("commission_type", "defcommissiontype", "defaultcommissiontype", "commissiontype"),
			text("sale_percent", "salepercent", "salepct"), text("sale_amount", "saleamount", "saleamt"),
			text("lead_percent", "leadpercent", "leadpct"), text("lead_amount", "leadamount", "leadamt"),
			text("programs", "programids", "programs", "commissionprogram", "commissionprograms", "program"),
			shared(text("payout_email", "paypal", "paypalemail", "paypalemailaddress", "payoutemail", "whatisyourpaypalemailaddress")),
		}, addressFields()),
		ForeignHeaders: [][]string{ // what happened to a partner is in other files
			{"dateset"}, {"referraltime"}, {"referraldate"},
			{"date", "amount"}, {"paydate"}, {"payamt"}, {"payamount"}, {"paymentdate"}, {"paymentamount"},
			{"dateearned"}, {"timeearned"}, {"orderdate"}, {"ordertotal"}, {"billingamt"},
		},
		FileHints: []string{"partner", "affiliate"},
	}
}

func contacts() sheet.Kind {
	return sheet.Kind{
		Name: Contacts,
		Fields: slices.Concat([]sheet.Field{
			subject(required(id("id", "id", "contactid"))),
			required(text("email", "email", "emailaddress", "contactemail")),
			text("first_name", "firstname", "givenname"), text("last_name", "lastname", "familyname"),
			text("full_name", "name", "fullname", "contactname"),
			text("company", "companyname", "company", "coname"),
			date("created_at", "datecreated", "dateadded", "createtime", "created"),
			date("updated_at", "lastupdated", "dateupdated", "updated"),
			text("email2", "emailaddress2", "email2"), text("email3", "emailaddress3", "email3"),
			text("email_status", "emailstatus", "optinstatus"),
			text("username", "username"),
			text("spouse_name", "spousename"), text("birthday", "birthday"), text("anniversary", "anniversary"),
			text("company_id", "companyid"), text("nickname", "nickname"), text("middle_name", "middlename"),
			text("job_title", "jobtitle"), text("title", "title"), text("suffix", "suffix"), text("website", "website"),
			text("tag_ids", "tagids", "groups"), text("tags", "tags"),
			text("person_type", "persontype", "contacttype"), text("created_by", "createdby"),
			text("owner_id", "ownerid"), text("owner", "owner"), text("notes", "notes"),
			text("lead_source", "leadsource", "leadsourceid"), text("referral_code", "referralcode"),
			text("language", "language"), text("time_zone", "timezone"), text("lead_score", "leadscore"),
		}, addressFields()),
		FileHints: []string{"contact", "people", "customer"},
	}
}

func links() sheet.Kind {
	return sheet.Kind{
		Name: Links,
		Fields: []sheet.Field{
			id("id", "id", "linkid", "trackinglinkid"),
			required(text("code", "linkcode", "localurlcode", "localurl", "code", "trackingcode", "trackinglinkcode")),
			text("name", "linkname", "name", "webpage"),
			required(text("destination", "websiteaddress", "redirecturl", "destinationurl", "destination", "url", "website")),
			date("created_at", "datecreated", "dateadded", "createtime", "created"),
			text("programs", "programids", "programs"),
			text("partner", "affiliateid"),
			text("hits", "hits", "clicks", "uniquehits"), text("optins", "optins"),
			text("orders", "orders", "sales"), text("subscriptions", "subscriptions"),
		},
		FileHints: []string{"link", "redirect"},
	}
}
