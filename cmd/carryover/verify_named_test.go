package main

import (
	"fmt"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// However many balances a person decided about, verify names each of them, after their run and
// after later ones; and the answer for links stands beside.
func TestVerifyNamesEveryDecision(t *testing.T) {
	t.Parallel()
	const partners = 40
	d := newSampleDesk(t)
	d.writeManyMoney("exports", partners)
	rows := strings.Split(strings.TrimSpace(d.read("exports/ledger.csv")), "\n")
	for i := range partners { // each ends with a cent more than its rows
		row := &rows[i+1]
		*row = (*row)[:strings.LastIndexByte(*row, ',')] + fmt.Sprintf(",$%d.%02d", (2*i+1)/100, (2*i+1)%100)
	}
	d.write("exports/ledger.csv", strings.Join(rows, "\n")+"\n")
	d.run("plan", "exports")
	decisions := "id,decision\n"
	for _, c := range d.plan("data/plan").Conflicts {
		decisions += c.ID + "," + c.Recommended + "\n"
	}
	d.ok("apply", "--decisions", d.write("decided.csv", decisions))
	named := func(about, what string) {
		t.Helper()
		r := d.run("verify")
		if r.code != console.ExitDecide || !strings.Contains(r.out, "links: GO, all ") ||
			!strings.Contains(r.out, "40 differences that a person decided about") || strings.Contains(r.out, "more in") {
			t.Errorf("%s: exit %d\n%s%s", about, r.code, r.out, r.err)
		}
		for i := 1; i <= partners; i++ {
			if name := fmt.Sprintf("partner Code%xZ (%d), ", i, 1000+i*3); !strings.Contains(r.out, name) || !strings.Contains(r.out, what) {
				t.Errorf("%s: %q is not named", about, name)
			}
		}
	}
	named("decided", "do not agree, difference 0.01 USD; decided: accept")

	d.write("links/partners.csv", d.read("exports/partners.csv"))
	d.write("links/links.csv", "Id,Code,Website Address\n1,course,https://carrot.test/course\n")
	d.ok("plan", "links")
	d.ok("apply")
	named("links alone", "holds a difference of 0.01 USD that was booked as a person had decided")
	if out := d.run("verify").out; !strings.Contains(out, "money: not proven, the newest exports have no ledger, so no balance was compared with one; 40 ") {
		t.Errorf("nothing was compared with a ledger, and verify says\n%s", out)
	}
}

// Of a program that began here there are no exports: verify says that its money is as it was
// written, and not that there is none.
func TestVerifyOfLiveMoneyAlone(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/partners.csv", manyPartners(2))
	d.ok("plan", "exports")
	d.ok("apply")
	d.contains(d.ok("verify"), "money: there is none")
	token := d.objects(d.ok("promoters", "--json"))[0]["ref_token"].(string)
	d.bookLive(token)
	d.contains(d.ok("verify"), "money: nothing differs; 3 entries are as written, and no exports say what they should be")
	d.tamper(`UPDATE event_line SET month = month + 1 WHERE id = 1`)
	d.contains(d.fails(console.ExitFailed, []string{"1 difference, 1 of them of money: the totals are not proven"}, "verify").out,
		"event_line 1: month changed since it was written", "money: not proven, 1 difference")
	d.tamper(`UPDATE event_line SET month = month - 1 WHERE id = 1; UPDATE customer SET created_at = 9; UPDATE correction SET note = 'x'`)
	d.contains(d.fails(console.ExitFailed, []string{"2 differences, 1 of them of money"}, "verify").out,
		"correction 2: note changed since it was written", "customer 1: created_at changed since it was written")
	d.tamper(`DELETE FROM chain_head`)
	d.contains(d.fails(console.ExitFailed, []string{"3 differences, 2 of them of money"}, "verify").out, "the head of the chain is gone")
}
