package gateway

import (
	"net/netip"
	"testing"
	"time"
)

func TestJoinLimits(t *testing.T) {
	now := time.Unix(1_680_000_000, 0)
	l := newJoinLimits()
	taken := func(addr string) (n int) {
		a := netip.Addr{}
		if addr != "" {
			a = netip.MustParseAddr(addr)
		}
		for n < 10*visitorBurst && l.allowVisitor(a, now) {
			n++
		}
		return n
	}
	f := func(addr string, want int) {
		t.Helper()
		if got := taken(addr); got != want {
			t.Errorf("%q: %d forms are taken, want %d", addr, got, want)
		}
	}
	f("192.0.2.1", visitorBurst)
	f("192.0.2.1", 0)
	f("192.0.2.2", visitorBurst)
	f("2001:db8::1", visitorBurst)
	f("2001:db8::ffff:1", 0) // the same network
	f("2001:db8:0:1::1", visitorBurst)
	f("127.0.0.1", 10*visitorBurst)
	f("10.1.2.3", 10*visitorBurst)
	f("fd00::1", 10*visitorBurst)
	f("", visitorBurst) // nobody knows whose
	f("", 0)
	now = now.Add(visitorEvery)
	f("192.0.2.1", 1)

	kept := func(addr string) (n int) {
		for n < 10*dailyBurst && l.allowApplication(netip.MustParseAddr(addr), now) {
			n++
		}
		return n
	}
	if n := kept("192.0.2.9"); n != dailyBurst {
		t.Errorf("of one network %d applications are kept, want %d", n, dailyBurst)
	}
	if now = now.Add(24 * time.Hour); kept("192.0.2.9") != dailyBurst {
		t.Error("a day later it may not send as many again")
	}
	if n := kept("10.0.0.9"); n != 10*dailyBurst {
		t.Errorf("of a network behind a proxy that tells nobody apart %d are kept", n)
	}
}

// Whoever sends from however many addresses, memory stays bounded, and one who may not
// send is forgotten only when there is nobody else to forget.
func TestJoinLimitsAreBounded(t *testing.T) {
	now := time.Unix(1_680_000_000, 0)
	l := newJoinLimits()
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for range visitorBurst {
		l.allowVisitor(from(0), now)
	}
	for i := range maxVisitors - 1 {
		l.allowVisitor(from(i+1), now)
	}
	now = now.Add(visitorEvery) // all others may send as many as anybody again
	for i := range 5 * maxVisitors {
		now = now.Add(time.Microsecond)
		l.allowVisitor(from(maxVisitors+i), now)
		if i == 0 && !l.allowVisitor(from(0), now) {
			t.Error("one form comes back after a while")
		}
		if i == 0 && l.allowVisitor(from(0), now) {
			t.Error("who had sent all that he may was forgotten")
		}
		if len(l.visitors) > maxVisitors {
			t.Fatalf("%d addresses are remembered", len(l.visitors))
		}
	}
}
