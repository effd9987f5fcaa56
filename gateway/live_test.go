package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carryover/mapping"
	"carryover/mapping/store"
)

// health asks /readyz of addr.
func health(t *testing.T, addr string) (Health, int) {
	t.Helper()
	a := sendRaw(t, addr, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	var h Health
	if err := json.Unmarshal([]byte(a.body), &h); err != nil {
		t.Fatalf("%q: %v", a.body, err)
	}
	return h, a.StatusCode
}

// loadDriver sends requests over connections that stay open, and counts.
type loadDriver struct {
	wg               sync.WaitGroup
	answered, failed atomic.Int64
	stop             chan struct{}
	check            func(*http.Response) error
	err              atomic.Pointer[error]
}

func startLoad(addr string, connections int, check func(*http.Response) error) *loadDriver {
	d := &loadDriver{stop: make(chan struct{}), check: check}
	for range connections {
		d.wg.Go(func() {
			if err := d.run(addr); err != nil {
				d.failed.Add(1)
				d.err.Store(&err)
			}
		})
	}
	return d
}

func (d *loadDriver) run(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		select {
		case <-d.stop:
			return nil
		default:
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(conn, "GET /go/demo/ANNA HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: "+browser+"\r\n\r\n"); err != nil {
			return err
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err := d.check(res); err != nil {
			return err
		}
		d.answered.Add(1)
	}
}

// waitFor waits until n further requests are answered, or one fails.
func (d *loadDriver) waitFor(t *testing.T, n int64) {
	t.Helper()
	from := d.answered.Load()
	until(t, "requests are answered", func() bool { return d.answered.Load() >= from+n || d.failed.Load() > 0 })
	if err := d.err.Load(); err != nil {
		t.Fatal(*err)
	}
}

func (d *loadDriver) finish(t *testing.T) int64 {
	t.Helper()
	close(d.stop)
	d.wg.Wait()
	if err := d.err.Load(); err != nil {
		t.Error(*err)
	}
	return d.answered.Load()
}

func isRedirect(res *http.Response) error {
	if res.StatusCode != 302 || !strings.HasPrefix(res.Header.Get("Location"), "https://carrot.test/") {
		return fmt.Errorf("%d %v", res.StatusCode, res.Header)
	}
	return nil
}

func TestMapsAreSwappedUnderLoad(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	d := startLoad(w.Addr(), 8, isRedirect)
	for i := range 10 {
		m := smallMap()
		m.Links[0].Destination = fmt.Sprintf("https://carrot.test/demo%d", i)
		e := w.publish(m)
		until(t, "the new map is live", func() bool { return w.maps.live.Load().epoch.ID == e.ID })
		if a := w.get("/go/demo/ANNA"); !strings.HasPrefix(a.Header.Get("Location"), m.Links[0].Destination+"?fpr=anna") {
			t.Errorf("%v", a.Header)
		}
		d.waitFor(t, 50)
	}
	n := d.finish(t)
	if got := len(w.clicks()); int64(got) != n+10 {
		t.Errorf("%d answered, %d clicks", n+10, got)
	}
}

// downFeed is a store that does not answer, until it is told to.
type downFeed struct {
	Feed
	up   atomic.Bool
	hang bool
}

func (f *downFeed) Load(ctx context.Context) (*mapping.Map, store.Epoch, error) {
	if f.up.Load() {
		return f.Feed.Load(ctx)
	}
	if f.hang {
		<-ctx.Done()
		return nil, store.Epoch{}, ctx.Err()
	}
	return nil, store.Epoch{}, errors.New("connection refused")
}

func TestStartFromTheLastGoodMap(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	if h, status := health(t, w.Addr()); status != 200 || h.Source != fromStore || h.Epoch != 1 || len(h.Warnings) != 0 {
		t.Errorf("%d %+v", status, h)
	}
	stop(t, w.App)
	for _, hang := range []bool{false, true} {
		feed := &downFeed{Feed: w.store, hang: hang}
		v := startFixture(t, nil, func(o *Options) { o.Feed, o.DataDir = feed, w.o.DataDir })
		if a := v.get("/go/demo/ANNA"); a.StatusCode != 302 {
			t.Errorf("%d", a.StatusCode)
		}
		h, status := health(t, v.Addr())
		if status != 200 || !h.Ready || h.Source != fromSnapshot || len(h.Warnings) == 0 || len(h.Errors) != 0 {
			t.Errorf("%d %+v", status, h)
		}
		if hang {
			continue
		}
		if h, _ := health(t, v.AdminAddr()); len(h.Errors) == 0 {
			t.Errorf("ops is not told the error: %+v", h)
		}
		feed.up.Store(true)
		until(t, "the store is back", func() bool {
			h, _ := health(t, v.Addr())
			return h.Source == fromStore && len(h.Warnings) == 0
		})
	}
}

func TestNoMapYet(t *testing.T) {
	w := startFixture(t, nil, nil)
	a := w.get("/go/demo/ANNA")
	if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "try again") {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if h, status := health(t, w.Addr()); status != 503 || h.Ready || len(h.Reasons) != 1 || h.Epoch != 0 {
		t.Errorf("%d %+v", status, h)
	}
	if a := w.get("/livez"); a.StatusCode != 200 {
		t.Error("it lives, though")
	}
	w.publish(smallMap())
	until(t, "it is ready", func() bool { _, status := health(t, w.Addr()); return status == 200 })
	if a := w.get("/go/demo/ANNA"); a.StatusCode != 302 {
		t.Error(a.StatusCode)
	}
}

func TestMapThatCannotBeServedIsRefused(t *testing.T) {
	w := startFixture(t, smallMap(), nil)
	bad := smallMap()
	bad.Links[0].Destination = "https://evil.example/"
	w.publish(bad)
	until(t, "readiness says so", func() bool { h, _ := health(t, w.Addr()); return len(h.Warnings) == 1 })
	if a := w.get("/go/demo/ANNA"); a.StatusCode != 302 || !strings.Contains(a.Header.Get("Location"), "/demo?") {
		t.Errorf("%v", a.Header)
	}
	if h, status := health(t, w.Addr()); status != 200 || h.Epoch != 1 {
		t.Errorf("%+v", h)
	}
	good := smallMap()
	good.Links = good.Links[:1]
	w.publish(good)
	until(t, "the next one is taken", func() bool { h, _ := health(t, w.Addr()); return len(h.Warnings) == 0 && h.Epoch == 3 })
}

func TestSnapshotThatCannotBeReadIsNoReasonToStop(t *testing.T) {
	w := newFixture(t, smallMap(), nil)
	if err := os.WriteFile(filepath.Join(w.o.DataDir, "map.snapshot"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	if a := w.get("/go/demo/ANNA"); a.StatusCode != 302 {
		t.Error(a.StatusCode)
	}
}
