package main

import (
	"encoding/csv"
	"strings"
	"testing"
	"unicode"
)

// What stands in the exports and comes from strangers never commands the terminal of who reads it.
func TestNoValueCommandsTheTerminal(t *testing.T) {
	const esc = "\x1b]0;owned\a\x1b[2J\u009b31m"
	d := newSampleDesk(t)
	d.write("exports/partners.csv", "Affiliate Id,Contact Id,AffCode,Aff Name,Status,ParentId\n"+
		"101,2001,plum"+esc+",Pat "+esc+",1,0\n102,2002,wren,Will,"+esc+",0\n")
	d.write("exports/contacts.csv", "Id,First Name,Last Name,Email\n2001,Pat"+esc+",Plum,pat@post.test\n3001,Cleo"+esc+",Quill,cleo@mail.test\n")
	d.write("exports/links.csv", "Id,Name,Link Code,Website Address\n1,Course,course"+esc+",https://carrot.test/course\n"+
		"2,Else,else,https://else.test/"+esc+"\n")
	d.write("exports/referrals.csv", "Id,Contact Id,Affiliate Id,Date Set,Type\n1,3001,101,2023-01-15,COOKIE"+esc+"\n2,3001,101,"+esc+",COOKIE\n")
	d.write("exports/orders.csv", "Order Id,Contact Id,Order Date,Order Total,Product Name,Sales Affiliate Id\n"+
		"5001,3001,2023-01-15,49.00,Membership"+esc+",101\n")
	d.write("exports/commissions.csv", "Affiliate Id,Invoice Id,Date,Contact Id,Product,Commission Amount,Description\n"+
		"101,8001,2023-01-15,3001,Membership"+esc+",12.25,by "+esc+"\n101,8002,2023-01-15,3001,Membership,12.2"+esc+",\n")
	d.write("exports/odd"+strings.ReplaceAll(esc, "/", "")+".csv", "Some,Header"+esc+"\n1,2\n")
	calm := func(args ...string) {
		t.Helper()
		r := d.run(args...)
		for _, text := range []string{r.out, r.err} {
			if i := strings.IndexFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }); i >= 0 {
				t.Errorf("%q: %q", args, text[max(0, i-40):min(len(text), i+40)])
			}
		}
	}
	calm("plan", "exports")
	rows, err := csv.NewReader(strings.NewReader(d.read("data/plan/conflicts.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		row[6] = row[4] // what is recommended
	}
	var decided strings.Builder
	if err := csv.NewWriter(&decided).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	d.ok("apply", "--decisions", d.write("decided.csv", decided.String()))
	for _, form := range [][]string{nil, {"--json"}} {
		for _, command := range []string{"links", "promoters", "referrals", "ledger", "explain cleo@mail.test", "explain invoice:8001", "explain order:5001",
			"explain Cleo", "explain nobody" + esc, "resolve https://go.carrot.test/go/course/plum" + esc, "map list", "nosuch" + esc, "promoters --nosuch" + esc} {
			calm(append(strings.Split(command, " "), form...)...)
		}
	}
	if out := d.ok("links"); !strings.Contains(out, `\u001b]0;owned`) {
		t.Errorf("the links do not say what is in them: %q", out)
	}
}
