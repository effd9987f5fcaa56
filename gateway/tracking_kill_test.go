package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/mapping/terms"
)

const apiKey = "a key of the tracking API"

// trackingOptions is how the tests' gateways are told to track.
func trackingOptions() Tracking {
	keys, err := track.ParseKeys(strings.ReplaceAll(apiKey, " ", "-"))
	if err != nil {
		panic(err)
	}
	return Tracking{
		Keys: keys, Accounts: []string{"carrot"}, Terms: terms.DefaultConfig(), Currency: "USD",
		CreditPolicy: terms.CreditPolicy{InactiveEarn: true},
	}
}

// applyPromoters writes promoters p0, p1, ... and customers c00000@mail.test, ... of theirs,
// as a migration does.
func applyPromoters(t testing.TB, b *book.Book, promoters, customers int64) {
	t.Helper()
	var c book.Changes
	for i := range promoters {
		c.Promoters = append(c.Promoters, book.Promoter{ID: i + 1, KeapID: i + 1, Token: fmt.Sprint("p", i), Status: book.StatusActive})
		c.Aliases = append(c.Aliases, book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(i + 1), PromoterID: i + 1})
	}
	for i := range customers {
		email := fmt.Sprintf("c%05d@mail.test", i)
		r := book.Referral{Customer: email, Email: email, PartnerID: 1 + i%promoters, Rule: terms.RuleOnly}
		c.KeapRecords.Referrals.Create = append(c.KeapRecords.Referrals.Create, r)
	}
	run := book.Import{PlanID: "plan", AppliedAt: time.Unix(1, 0), Inputs: []byte("{}"), Tables: []byte("{}")}
	if _, err := b.Apply(context.Background(), run, 0, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
}

// trackUntilKilled is the gateway of the crash test. It prints its address.
func trackUntilKilled(dir string) {
	b, err := book.Open(filepath.Join(dir, "book.db"))
	if err != nil {
		panic(err)
	}
	a, err := New(Options{
		Listen: "127.0.0.1:0", DataDir: dir, Feed: store.OpenBook(b), Book: b, Tracking: trackingOptions(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	if err := a.Start(); err != nil {
		panic(err)
	}
	fmt.Println(a.Addr())
	select {}
}

// Ten thousand events, each sent until it is answered, are each booked once, however often
// the gateway is killed meanwhile.
func TestKillBooksEachEventOnce(t *testing.T) {
	const events, kills, senders, amount = 10_000, 4, 16, 9_900
	dir := t.TempDir()
	b, err := book.Open(filepath.Join(dir, "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	applyPromoters(t, b, 20, 500)
	if _, _, err := store.OpenBook(b).Publish(context.Background(), smallMap(), "plan", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var addr atomic.Pointer[string]
	var gateway *exec.Cmd
	start := func() {
		t.Helper()
		gateway = exec.Command(os.Args[0])
		gateway.Env = append(os.Environ(), "CARRYOVER_TEST_TRACK="+dir)
		out, err := gateway.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := gateway.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		addr.Store(new(strings.TrimSpace(line)))
	}
	kill := func() {
		gateway.Process.Kill()
		gateway.Wait()
	}
	start()
	defer func() { kill() }()

	var next, answered, repeated atomic.Int64
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for n := next.Add(1); n <= events; n = next.Add(1) {
				body := fmt.Sprintf(`{"email":"c%05d@mail.test","event_id":"pay-%d","amount":%d}`, n%500, n, amount)
				for done := false; !done; {
					switch status, err := postEvent(client, *addr.Load(), "/api/v2/track/sale", body); {
					case err != nil || status == http.StatusServiceUnavailable:
						time.Sleep(5 * time.Millisecond) // it was killed, or is starting
					case status == http.StatusOK, status == http.StatusConflict:
						if status == http.StatusConflict {
							repeated.Add(1)
						}
						answered.Add(1)
						done = true
					default:
						t.Errorf("event %d: %d", n, status)
						done = true
					}
				}
			}
		})
	}
	for i := range int64(kills) {
		until(t, "events are booked", func() bool { return answered.Load() > (i+1)*events/(kills+2) })
		kill()
		start()
	}
	wg.Wait()
	kill()
	if b, err = book.Open(filepath.Join(dir, "book.db")); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	told, sum := map[string]int{}, int64(0)
	if err := b.Ledger(context.Background(), nil, func(e book.Entry) error {
		told[e.Invoice]++
		sum += e.Amount
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= events; n++ {
		if k := told[fmt.Sprintf("pay-%d", n)]; k != 1 {
			t.Errorf("event %d was booked %d times", n, k)
		}
	}
	if sum != events*amount/4 || len(told) != events {
		t.Errorf("%d events come to %d, want %d of %d", len(told), sum, events, events*amount/4)
	}
	t.Logf("%d events were told again after they had been booked", repeated.Load())
}

// postEvent sends a body to an endpoint of version 2.
func postEvent(client *http.Client, addr, path, body string) (status int, err error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.ReplaceAll(apiKey, " ", "-"))
	req.Header.Set("Account-ID", "carrot")
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
