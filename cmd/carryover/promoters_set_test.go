package main

import (
	"fmt"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// What a person records of a promoter holds at once, is told with who and when, and is
// checked field by field.
func TestPromotersSet(t *testing.T) {
	t.Parallel()
	d := newPayDesk(t)
	d.contains(d.ok("promoters", "set", "ann", "w9=yes", "country=us", "legal_name=Ann Payee Ltd", "--by", "Kim Lane", "--from", "2023-02-01"), "ann: w9 = yes, recorded by Kim Lane", "ann: country = US")
	d.ok("promoters", "set", "ann", "W9=no", "legal_name=")
	shown := d.objects(d.ok("promoters", "show", "ann", "--json"))[0]
	var history []string
	for _, h := range shown["history"].([]any) {
		h := h.(map[string]any)
		history = append(history, fmt.Sprint(h["field"], "=", h["value"]))
	}
	if got := strings.Join(history, " "); got != "w9=yes country=US legal_name=Ann Payee Ltd w9=no legal_name=" {
		t.Errorf("history %s", got)
	}
	if got := fmt.Sprint(shown["details"]); got != "map[country:US w9:no]" || shown["w9"] != false {
		t.Errorf("details %s, %v", got, shown["w9"])
	}
	first := shown["history"].([]any)[0].(map[string]any)
	if first["from"] != "2023-02-01T00:00:00-08:00" || first["recorded_by"] != "Kim Lane" || first["recorded_at"] == "" {
		t.Errorf("%v", first)
	}
	d.contains(d.ok("promoters", "show", "ann"), "Ann Payee", "ann@mail.test", "(taken back)", "Kim Lane", "2023-02-01")
	d.contains(d.ok("promoters", "show", "bo"), "Nothing was recorded")

	// Without --by it is the user of the machine.
	cmd := d.command("promoters", "set", "bo", "w9=yes")
	cmd.Env = append(cmd.Env, "USER=casey")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "recorded by casey") {
		t.Errorf("%v\n%s", err, out)
	}

	before := d.ok("promoters", "show", "cy", "--json")
	f := func(want string, args ...string) {
		t.Helper()
		d.fails(console.ExitUsage, []string{want}, append([]string{"promoters", "set", "cy"}, args...)...)
	}
	f(`w9="maybe": it must be one of yes, no`, "w9=maybe")
	f(`payout_method="cash": it must be one of paypal, check, wire, other`, "payout_method=cash")
	f(`status="gone": it must be one of active, inactive, blocked`, "status=gone")
	f(`country="USA": it must be a country of two letters`, "country=USA")
	f(`grace="2023-02-29": it must be a day`, "grace=2023-02-29")
	f(`membership_percent="120": it must be a number from 0 to 100`, "membership_percent=120")
	f(`PayPal pays to an e-mail`, "payout_method=paypal", "payout_address=Main Street 1")
	f(`PayPal pays to an e-mail`, "payout_method=paypal", "payout_address==1+1@mail.test")
	f(`coupon="two words": it must be a code`, "coupon=two words")
	f(`"ssn" is no field: there are status, w9`, "ssn=123-45-6789")
	f(`"w9": write a field and its value`, "w9")
	f("w9 is there twice", "w9=yes", "w9=no")
	f("--from: \"soon\" is no day", "w9=yes", "--from", "soon")
	f("w9 holds at once: it cannot begin on 2999-01-01", "w9=yes", "--from", "2999-01-01")
	f("it must be", "country=US", "w9=?") // all or nothing
	if after := d.ok("promoters", "show", "cy", "--json"); after != before {
		t.Errorf("what was refused was recorded:\n%s", after)
	}
	d.fails(console.ExitFailed, []string{"no promoter has"}, "promoters", "set", "nobody", "w9=yes")

	// A percentage may begin later.
	d.ok("promoters", "set", "cy", "membership_percent=30%", "--from", "2999-01-01")
	// A coupon is one promoter's.
	d.ok("promoters", "set", "ann", "coupon=Spring")
	d.fails(console.ExitFailed, []string{"another promoter's", "nothing was recorded"}, "promoters", "set", "bo", "coupon=SPRING")
	d.ok("promoters", "set", "ann", "coupon=")
	d.ok("promoters", "set", "bo", "coupon=SPRING")

	list := map[string]map[string]any{}
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		list[p["ref_token"].(string)] = p
	}
	if list["bo"]["w9"] != true || list["ann"]["w9"] != false || list["bo"]["payout_method"] != "" {
		t.Errorf("%v", list)
	}
	if d.ok("promoters") != d.ok("promoters", "list") {
		t.Error("promoters and promoters list differ")
	}
}

// A status and a grace date are in the link map at once.
func TestPromotersSetPublishes(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(d *desk) {
		d.ok("plan", sample(d, "tiny"))
		d.ok("apply")
		d.contains(d.ok("promoters", "set", "hill_web39", "status=active"), "Link map 2 is live now")
		for _, p := range d.objects(d.ok("promoters", "--json")) {
			if p["ref_token"] == "hill_web39" && (p["standing"] != "active" || p["status"] != "inactive") {
				d.Errorf("%v", p)
			}
		}
		d.contains(d.ok("map", "diff", "1", "2"), "~ partners")
		d.contains(d.ok("promoters", "set", "hill_web39", "status=active"), "Link map 2 is live already")
		got := d.objects(d.ok("promoters", "set", "hill_web39", "status=", "grace=2023-06-30", "--json"))[0]
		if got["published"] != true || got["ref_token"] != "hill_web39" {
			d.Errorf("%v", got)
		}
		d.contains(d.ok("map", "diff", "1", "3"), `"u":1688194800`) // 2023-07-01 there
		d.ok("promoters", "set", "hill_web39", "grace=")
		d.contains(d.ok("map", "diff", "1", "4"), "mean the same")
		d.ok("verify")
	})
}
