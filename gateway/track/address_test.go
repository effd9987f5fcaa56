package track

import (
	"fmt"
	"net/netip"
	"testing"

	"carryover/mapping/book"
)

// Addresses of the program's own network, of one machine or of everybody say nothing about a
// customer, in whatever form they are told.
func TestAddressesAboutACustomer(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := ""
		if addr := customerAddress(netip.MustParseAddr(text)); addr.IsValid() {
			got = addr.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	f("203.0.113.7", "203.0.113.7")
	f("::ffff:203.0.113.7", "203.0.113.7")
	f("64:ff9b::203.0.113.7", "203.0.113.7")
	f("2002:cb00:7107::1", "203.0.113.7")
	f("172.15.255.255", "172.15.255.255")
	f("172.32.0.0", "172.32.0.0")
	f("100.63.255.255", "100.63.255.255")
	f("100.128.0.0", "100.128.0.0")
	f("2001:db8::7", "2001:db8::7")
	for _, nobody := range []string{
		"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.8.8.8", "169.254.10.10", "100.64.0.1", "100.127.255.255",
		"0.0.0.0", "0.1.2.3", "255.255.255.255", "240.0.0.1", "224.0.0.251", "192.0.0.8", "198.18.0.1", "198.19.255.255",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fd12:3456::1", "fc00::1", "fec0::1", "ff02::1", "100::1", "2001::1",
		"::ffff:10.1.2.3", "::ffff:127.0.0.1", "::10.1.2.3", "64:ff9b::192.168.1.1", "64:ff9b:1::1", "2002:0a01:0203::1", "2002:7f00:0001::",
	} {
		f(nobody, "")
	}
	if customerAddress(netip.Addr{}).IsValid() {
		t.Error("no address is one")
	}
}

// Three customers of one promoter from one address are suspicious, unless the address is one
// that says nothing about them: FirstPromoter's client for Node tells the one of the machine it
// runs on with every call.
func TestAddressesOfServers(t *testing.T) {
	n := 0
	f := func(customers, caller string, suspicious bool, api *apiFixture, s *fixture) {
		t.Helper()
		var flagged int
		for range 3 {
			n++
			email := fmt.Sprintf("c%d@mail.test", n)
			api.v2("signup", fmt.Sprintf(`{"email":%q,"ref_id":"anna","ip":%q}`, email, customers), "X-Test-Address: "+caller)
			before := len(s.reviewReasons())
			r := api.v2("sale", fmt.Sprintf(`{"email":%q,"event_id":"e%d","amount":9900,"ip":%q}`, email, n, customers), "X-Test-Address: "+caller)
			if r.StatusCode != 200 {
				t.Fatal(r.body)
			}
			flagged += len(s.reviewReasons()) - before
		}
		if (flagged > 0) != suspicious {
			t.Errorf("customers of %s told by %s: %d were flagged", customers, caller, flagged)
		}
	}
	for _, c := range []struct {
		customers, caller string
		suspicious        bool
	}{
		{"203.0.113.7", "198.51.100.1", true},
		{"192.168.1.20", "198.51.100.1", false},
		{"::ffff:10.0.0.1", "198.51.100.1", false},
		{"198.51.100.1", "198.51.100.1", false},
		{"::ffff:198.51.100.1", "198.51.100.1", false},
		{"198.51.100.1", "::ffff:198.51.100.1", false},
		{"2001:db8:1:1::1", "2001:db8:1:1::2", false}, // one machine has many in its network
		{"2001:db8:1:2::1", "2001:db8:1:1::2", true},
		{"203.0.113.7", "", true}, // nobody knows who called
	} {
		s := newFixture(t, nil)
		f(c.customers, c.caller, c.suspicious, serveAPI(t, s.Service, nil), s)
	}
	// One machine tells what another took in, whose address is known as that of a caller.
	s := newFixture(t, nil)
	api := serveAPI(t, s.Service, nil)
	api.v2("cancellation", `{"email":"nobody@mail.test"}`, "X-Test-Address: 198.51.100.2")
	f("198.51.100.2", "198.51.100.1", false, api, s)
	// Whoever has no key is no caller.
	api.send("POST", "/api/v2/track/cancellation", `{"email":"nobody@mail.test"}`, "X-Test-Address: 198.51.100.3", "Account-ID: carrot",
		"Authorization: Bearer wrong")
	f("198.51.100.3", "198.51.100.1", true, api, s)
}

// What is remembered of callers is bounded.
func TestCallersAreBounded(t *testing.T) {
	var c callers
	for i := range maxCallers + 10 {
		c.add(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}))
	}
	c.add(netip.Addr{})
	if len(c.seen) != maxCallers || c.has(netip.Addr{}) {
		t.Errorf("%d callers", len(c.seen))
	}
}

// A promoter who applied from an address that says nothing is not his own customer by it.
func TestOwnAddressOfNobody(t *testing.T) {
	f := newFixture(t, nil)
	inside := netip.MustParseAddr("10.0.0.9")
	if _, err := f.book.SubmitApplication(t.Context(),
		book.Application{Email: "new@promoters.test", Name: "New Body", AppliedAt: f.now.Unix(), Visitor: f.o.Visitors.Hash(inside, f.now)},
		book.JoinRules{Auto: true}); err != nil {
		t.Fatal(err)
	}
	f.submit(Call{Kind: book.EventSignup, Email: "c@mail.test", RefID: "new-body", Address: inside}).check(t, Booked, "new-body")
	if r := f.sale("c@mail.test", 9900, ""); len(r.Flagged) > 0 {
		t.Errorf("flagged: %v", f.reviewReasons())
	}
}
