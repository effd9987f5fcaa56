package admin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, addr, target string) (status int, body string) {
	t.Helper()
	res, err := http.Get("http://" + addr + target)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(content)
}

// untilProfiled waits until a profile is being recorded.
func untilProfiled(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil || time.Now().After(deadline) {
			t.Fatalf("no profile is being recorded: %v", err)
		}
		if strings.Contains(stacks.String(), "admin.waitGone(") {
			return
		}
	}
}

func TestProfiles(t *testing.T) {
	addr, _ := startAdmin(t)
	f := func(target string, status int, want string) {
		t.Helper()
		if got, body := get(t, addr, "/debug/pprof/"+target); got != status || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200q", target, got, body)
		}
	}
	f("", 200, "goroutine")
	f("goroutine?debug=1", 200, "goroutine profile")
	f("heap?gc=1&debug=1", 200, "heap profile")
	f("cmdline", 404, "") // a command line may hold a password
	f("symbol", 404, "")
	f("nothing", 404, "")
	f("goroutine?debug=3", 400, "debug is")
	for _, target := range []string{"profile", "trace"} {
		for _, seconds := range []string{"0", "-1", "61", "86400", "1.5", "x", "99999999999999999999"} {
			f(target+"?seconds="+seconds, 400, "seconds is a number from 1 to")
		}
	}
	f("trace?seconds=6", 400, "from 1 to 5")
	f("trace", 200, "go 1.")
	status, body := get(t, addr, "/debug/pprof/profile?seconds=2") // longer than answers may take to be written
	if status != 200 {
		t.Fatalf("a profile: %d %.200q", status, body)
	}
	content, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(content); err != nil || !bytes.Contains(raw, []byte("nanoseconds")) {
		t.Errorf("a profile of %d bytes, %v", len(raw), err)
	}
}

// A profile ends with the client that asked for it, and a second one waits for nobody.
func TestProfileEndsWithItsClient(t *testing.T) {
	addr, _ := startAdmin(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	began := time.Now()
	untilProfiled(t)
	if status, body := get(t, addr, "/debug/pprof/profile?seconds=1"); status != 409 || !strings.Contains(body, "Another profile of this kind is being recorded") {
		t.Errorf("a second profile: %d %q", status, body)
	}
	conn.Close()
	for {
		err := pprof.StartCPUProfile(io.Discard)
		if err == nil {
			pprof.StopCPUProfile()
			break
		}
		if time.Since(began) > 50*time.Second {
			t.Fatal("a profile goes on without its client")
		}
		time.Sleep(time.Millisecond)
	}
}

// Whoever stops the gateway does not wait for a profile.
func TestProfileEndsWithTheGateway(t *testing.T) {
	addr, app := startAdmin(t)
	answered := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + addr + "/debug/pprof/profile?seconds=60")
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	untilProfiled(t)
	began := time.Now()
	if err := app.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != 200 || time.Since(began) > 50*time.Second {
		t.Errorf("the profile that ran: %d after %v", status, time.Since(began))
	}
}
