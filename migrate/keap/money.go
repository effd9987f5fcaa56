package keap

import (
	"slices"

	"carryover/migrate/sheet"
)

func referrals() sheet.Kind {
	return sheet.Kind{
		Name: Referrals,
		Fields: slices.Concat([]sheet.Field{
			id("id", "referralid", "leadid", "id"),
			required(fallback(id("contact_id", "contactid"), "contact")),
		}, partnerFields("leadaffiliateid"), []sheet.Field{
			required(date("set_at", "dateset", "referraltime", "referraldate", "setat")),
			date("expires_at", "dateexpires", "expirationtime", "expirationdate", "expires", "expiresat", "expirydate"),
			text("type", "referraltype", "type"),
			text("ip", "ipaddress", "ip"),
			text("source", "source", "trackinglink", "link"),
			text("note", "info", "description", "notes"),
			text("first_name", "firstname", "contactfirstname", "givenname"),
			text("last_name", "lastname", "contactlastname", "familyname"),
			text("email", "email", "emailaddress", "contactemail"),
		}),
		OneOf:     partnerNamed,
		FileHints: []string{"referrals", "referral-history", "leads"},
	}
}

func orders() sheet.Kind {
	return sheet.Kind{
		Name: Orders,
		Fields: slices.Concat([]sheet.Field{
			required(id("id", "orderid", "order", "id", "invoiceid")),
			required(fallback(id("contact_id", "contactid"), "contact")),
			required(date("ordered_at", "orderdate", "ordertime", "creationdate", "creationtime", "datecreated", "date")),
			required(money("total", "ordertotal", "invoicetotal", "total")),
		}, creditFields(), []sheet.Field{
			fallback(text("contact_name", "contactname"), "contact"),
			text("first_name", "firstname", "contactfirstname", "givenname"),
			text("last_name", "lastname", "contactlastname", "familyname"),
			text("email", "email", "emailaddress", "contactemail"),
			text("job_title", "jobtitle", "title"),
			text("company", "coname", "companyname", "company"),
			text("type", "ordertype"), text("promo_code", "promocode"), text("title", "ordertitle"),
			text("product_ids", "productids", "productid"),
			text("products", "productname", "productnames", "productsold", "product"),
			text("serial", "serial"),
			text("paid", "totalpaid", "amountpaid"), text("due", "totaldue", "balance"),
			text("refunded", "refundtotal"), text("status", "paystatus", "orderstatus", "status"),
		}, addressFields()),
		FileHints: []string{"order", "sales", "invoice"},
	}
}

func subscriptions() sheet.Kind {
	return sheet.Kind{
		Name: Subscriptions,
		Fields: slices.Concat([]sheet.Field{
			id("id", "subscriptionid", "id", "recurringorderid"),
			required(fallback(id("contact_id", "infusionsoftscontactid", "contactid"), "contact")),
		}, creditFields(), []sheet.Field{
			text("plan_id", "subscriptionplanid", "planid"),
			text("product_id", "productid"), text("program_id", "programid"),
			text("product", "productname", "product", "programname", "subscriptionplanname", "planname"),
			required(fallback(money("amount", "billingamt", "billingamount"), "price", "amount")),
			text("frequency", "frequency", "billingfrequency"), text("cycle", "billingcycle", "cycle"),
			status("status", "status", "active"),
			date("started_at", "startdate", "starttime"),
			date("ended_at", "enddate", "endtime"),
			date("paid_through", "paidthrudate", "paidthroughdate"),
			date("next_bill", "nextbilldate"), date("last_bill", "lastbilldate"),
			text("reason_stopped", "reasonstopped"), text("auto_charge", "autocharge"),
			text("max_attempts", "maxchargeattempts", "maxretry"), text("retry_days", "numdaysbetweenretry"),
			text("promo_code", "promocode"), text("type", "ordertype"), text("quantity", "qty", "quantity"),
			text("order_id", "originatingorderid"),
		}),
		Markers:   []string{"amount", "plan_id", "cycle", "frequency", "paid_through", "next_bill"},
		FileHints: []string{"subscription", "recurring", "membership"},
	}
}

func commissions() sheet.Kind {
	return sheet.Kind{
		Name: Commissions,
		Fields: slices.Concat(partnerFields(), []sheet.Field{
			text("id", "id"), // of a row of the report; Keap has none
			required(date("earned_at", "dateearned", "timeearned", "commissiondate", "date")),
			required(money("amount", "amtearned", "amountearned", "commissionamount", "commissionearned", "commission", "earned", "amount")),
			required(text("invoice_id", "invoiceid", "invid", "invoice", "orderid")),
			fallback(id("contact_id", "contactid", "customerid"), "contact", "customer"),
			text("first_name", "contactfirstname", "firstname", "givenname"),
			text("last_name", "contactlastname", "lastname", "familyname"),
			text("product", "productname", "product"),
			text("description", "description"),
			id("seller_id", "saleaffid", "salesaffiliateid", "saleaffiliateid", "salepartnerid"),
			text("seller_name", "salesaffiliatename", "saleaffiliatename", "soldby", "saleaffiliate", "salepartner"),
			text("seller_first_name", "soldbyfirstname"), text("seller_last_name", "soldbylastname"),
		}),
		OneOf:     partnerNamed,
		FileHints: []string{"commission"},
	}
}

func clawbacks() sheet.Kind {
	return sheet.Kind{
		Name: Clawbacks,
		Fields: slices.Concat(partnerFields(), []sheet.Field{
			text("id", "id"), // of a row of the report; Keap has none
			required(date("earned_at", "dateearned", "timeearned", "clawbackdate", "date")),
			required(money("amount", "clawbackamount", "clawbackamt", "clawback", "clawbacks", "amount")),
			required(text("invoice_id", "invoiceid", "invid", "invoice", "orderid")),
			fallback(id("contact_id", "contactid", "customerid"), "contact", "customer"),
			text("first_name", "firstname", "givenname", "contactfirstname"),
			text("last_name", "lastname", "familyname", "contactlastname"),
			text("product", "productname", "product"),
			text("plan", "subscriptionplanname"),
			text("description", "description"), text("reason", "reason"),
			id("seller_id", "saleaffid", "saleaffiliateid", "salesaffiliateid", "salepartnerid"),
			text("seller_name", "salesaffiliatename", "saleaffiliatename", "soldby", "saleaffiliate", "salepartner"),
			text("seller_first_name", "soldbygivenname", "soldbyfirstname"),
			text("seller_last_name", "soldbyfamilyname", "soldbylastname"),
		}),
		OneOf:     partnerNamed,
		FileHints: []string{"clawback"},
	}
}

func payments() sheet.Kind {
	return sheet.Kind{
		Name: Payments,
		Fields: slices.Concat([]sheet.Field{
			id("id", "paymentid", "payoutid", "id"),
			text("batch", "batchid", "batch"),
		}, partnerFields(), []sheet.Field{
			required(date("paid_at", "paydate", "paymentdate", "payoutdate", "datepaid", "date")),
			required(money("amount", "payamt", "payamount", "paymentamount", "payoutamount", "amountpaid", "amount")),
			text("type", "paytype", "paymenttype", "type"),
			text("note", "paynote", "paynotes", "notes", "note", "description"),
			date("created_at", "createtime", "datecreated", "created"),
		}),
		OneOf:     partnerNamed,
		FileHints: []string{"payment", "payout"},
	}
}

func ledger() sheet.Kind {
	return sheet.Kind{
		Name: Ledger,
		Fields: slices.Concat(partnerFields("id"), []sheet.Field{
			id("contact_id", "contactid"),
			money("opening", "beginningbalance", "beginbalance", "openingbalance", "startingbalance", "previousbalance"),
			money("commissions", "commissions", "commission", "amountearned", "amtearned", "commissionearned",
				"commissionsearned", "earned", "totalcommission", "totalcommissions"),
			money("clawbacks", "clawbacks", "clawback"),
			money("payments", "payments", "payment", "payouts", "paid", "paymentsissued"),
			required(money("closing", "endingbalance", "endbalance", "closingbalance", "runningbalance", "balance", "amountowed", "balancedue")),
		}),
		OneOf:     append([][]string{{"opening", "commissions", "clawbacks", "payments"}}, partnerNamed...),
		FileHints: []string{"ledger", "balance"},
	}
}
