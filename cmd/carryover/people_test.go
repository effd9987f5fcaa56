package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestPromotersMoney(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	byToken := map[string]map[string]any{}
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		byToken[p["ref_token"].(string)] = p
	}
	f := func(token string, balance, held float64, from, others string) {
		t.Helper()
		p := byToken[token]
		origins, _ := json.Marshal(p["carried_from"])
		other, _ := json.Marshal(p["other_balances"])
		if p["balance_cents"] != balance || p["held_cents"] != held || p["currency"] != "USD" || string(origins) != from || string(other) != others {
			t.Errorf("%s: %v", token, p)
		}
	}
	// Each refund took back its own month; the payment filled 90 of January: 10 of it, 40 of
	// February and 10 of March are open.
	f("alpha", 6000, 5000, `["commissions.csv:3"]`, `null`)
	f("beta", 2426, 0, `["ledger.csv:3","commissions.csv:7"]`, `[{"balance_cents":1200,"currency":"AUD"}]`)
	f("gamma-x", 0, 0, `[]`, `null`)
	if byToken["house"] != nil || len(byToken) != 5 {
		t.Errorf("promoters: %v", byToken)
	}
	d.contains(d.ok("promoters"), "balance", "held", "24.26 + 12.00 AUD")

	// The day of the newest run counts, whatever the configuration says by now.
	d.write("carryover.toml", strings.Replace(d.read("carryover.toml"), `as_of = "2023-03-31"`, `as_of = "2023-06-30"`, 1))
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		if p["ref_token"] == "alpha" && p["held_cents"] != 5000.0 {
			t.Errorf("held on the day of the configuration: %v", p)
		}
	}
	d.ok("plan", "exports")
	d.ok("apply")
	for _, p := range d.objects(d.ok("promoters", "--json")) {
		if p["held_cents"] != 0.0 {
			t.Errorf("held long after: %v", p)
		}
	}
}

// Without anything booked here, held is as of the newest run; from the first sale or
// correction on it is as of today, and the tables say which day that is.
func TestHeldOn(t *testing.T) {
	t.Parallel()
	d := newMoneyDesk(t)
	held := func(want float64, on any, heading string) {
		t.Helper()
		for _, args := range [][]string{{"promoters"}, {"promoters", "show", "alpha"}} {
			d.contains(d.ok(args...), heading)
			for _, p := range d.objects(d.ok(append(args, "--json")...)) {
				if p["ref_token"] == "alpha" && (p["held_cents"] != want || p["held_on"] != on) {
					t.Errorf("%v: held %v on %v, want %v on %v", args, p["held_cents"], p["held_on"], want, on)
				}
			}
		}
	}
	held(5000, nil, "held on 2023-03-31")
	d.contains(d.ok("promoters", "--month", "2023-04"), "held in 2023-04")
	now := time.Now().In(losAngeles(t))
	d.ok("ledger", "correct", "--promoter", "alpha", "--amount", "3.00", "--note", "late", "--month", now.Format("2006-01"))
	held(300, now.Format(time.DateOnly), "held on "+now.Format(time.DateOnly))
	d.contains(d.ok("promoters", "--month", "2023-04"), "held in 2023-04")
}

// What the samples say of their balances.
func TestSampleBalances(t *testing.T) {
	t.Parallel()
	f := func(name string, total, owned int, balances map[string]float64) {
		t.Helper()
		d := newSampleDesk(t)
		d.ok("plan", "--decisions", sampleDecisions(t), sample(t, name))
		d.ok("apply")
		sum := 0.0
		for _, p := range d.objects(d.ok("promoters", "--json")) {
			amount, held := p["balance_cents"].(float64), p["held_cents"].(float64)
			sum += amount
			if want, ok := balances[p["ref_token"].(string)]; ok && amount != want {
				t.Errorf("%s: %v, want %v", name, p, want)
			}
			if held < 0 || held > max(0, amount) {
				t.Errorf("%s: more is held than owed: %v", name, p)
			}
		}
		entries := 0.0
		for _, e := range d.objects(d.ok("ledger", "--json")) {
			if e["ref_token"] != "" {
				entries += e["amount_cents"].(float64)
			}
		}
		if int(sum) != total || entries != sum {
			t.Errorf("%s: balances come to %v, entries to %v, want %d", name, sum, entries, total)
		}
		if n := len(d.objects(d.ok("referrals", "--json"))); n != owned {
			t.Errorf("%s: %d customers, want %d", name, n, owned)
		}
	}
	f("tiny", 4118, 8, map[string]float64{"hill_web39": 1500, "b99606": 436, "b39973": 0, "st_8853": 2182})
	f("small", 267983, 93, map[string]float64{"mirrorme": 18204, "b76391392": 64950})
}
