// Story plays the story of the manual's page "story" on a program of its own: an old link,
// a sign-up, three payments and a refund, with every call that a browser and a billing
// system make. "make story" runs it.
//
// Usage: story CARRYOVER DIR, the built binary and a folder that does not exist yet.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

//go:embed carryover.toml exports
var program embed.FS

// apiKey is what the billing system of the story shows to the gateway.
const apiKey = "the-key-of-the-billing-system"

// story is a program's folder and the browser of Mira.
type story struct {
	binary, dir string
	out         io.Writer
	cookie      string // carryover_click, as the browser holds it
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: story CARRYOVER DIR")
		os.Exit(2)
	}
	if err := play(ctx, os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "story:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, binary, dir string, out io.Writer) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(dir, program); err != nil { // refuses to overwrite
		return fmt.Errorf("writing the story's program: %w", err)
	}
	s := &story{binary: binary, dir: dir, out: out}
	if err := s.run(ctx, "plan", "exports"); err != nil {
		return err
	}
	if err := s.run(ctx, "apply"); err != nil {
		return err
	}
	fmt.Fprintln(out, "Ann and Bob were partners at Keap and are promoters now.", dir, "has their program:")
	fmt.Fprintln(out, "carryover.toml, exports and data.")
	for _, day := range s.days() {
		if err := s.on(ctx, day.date, day.acts); err != nil {
			return fmt.Errorf("on %s: %w", day.date, err)
		}
	}
	fmt.Fprintf(out, "\nNow ask: cd %s; %s explain mira@mail.test\n", dir, binary)
	return nil
}

// act is something that happens, and what to call for it.
type act struct {
	what string
	call func(ctx context.Context, gateway string) error
}

// day is what happens on one day.
type day struct {
	date string
	acts []act
}

func (s *story) days() []day {
	return []day{
		{"2022-12-20", []act{
			{"Mira clicks an old link of Ann's", s.click("/go/course/ANN")},
		}},
		{"2023-01-03", []act{
			{"Mira signs up, with the cookie of that click",
				s.event("signup", `{"email":"mira@mail.test","uid":"c-7","tid":"COOKIE"}`)},
			{"Mira pays for her membership",
				s.event("sale", `{"uid":"c-7","event_id":"pay-1","amount":9700,"plan":"Agency Membership"}`)},
		}},
		{"2023-01-10", []act{
			{"Mira buys a training",
				s.event("sale", `{"uid":"c-7","event_id":"pay-2","amount":12900,"plan":"Evergreen Webinar"}`)},
		}},
		{"2023-01-20", []act{
			{"Mira clicks a link of Bob's", s.click("/go/course/BOB")},
		}},
		{"2023-02-03", []act{
			{"Mira pays again, with the cookie of Bob's link",
				s.event("sale", `{"uid":"c-7","event_id":"pay-3","amount":9700,"plan":"Agency Membership","tid":"COOKIE"}`)},
		}},
		{"2023-02-10", []act{
			{"Mira gets 29.00 of the training back",
				s.event("refund", `{"uid":"c-7","event_id":"back-1","amount":2900,"sale_event_id":"pay-2"}`)},
		}},
	}
}

// run runs a command in the program's folder and shows nothing of it unless it fails.
func (s *story) run(ctx context.Context, args ...string) error {
	cmd := s.command(ctx, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("carryover %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (s *story) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "CARRYOVER_API_KEYS="+apiKey, "REDIS_URL=")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second // then it is killed
	return cmd
}

var visitors = regexp.MustCompile(`"visitors":"(http://[^"]+)"`)

// on starts a gateway whose clock shows ten o'clock of a day, lets things happen, and ends it.
func (s *story) on(ctx context.Context, date string, acts []act) error {
	gateway := s.command(ctx, "gateway", "--at", date+"T10:00", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	log, err := gateway.StderrPipe()
	if err != nil {
		return err
	}
	if err := gateway.Start(); err != nil {
		return err
	}
	lines, said := bufio.NewScanner(log), &bytes.Buffer{}
	address := ""
	for address == "" && lines.Scan() {
		fmt.Fprintln(said, lines.Text())
		if m := visitors.FindStringSubmatch(lines.Text()); m != nil {
			address = m[1]
		}
	}
	read := make(chan struct{})
	go func() { // so that the gateway never waits for a reader
		io.Copy(said, log)
		close(read)
	}()
	if address == "" {
		err = errors.New("the gateway does not say where it serves")
	}
	for _, a := range acts {
		if err != nil {
			break
		}
		fmt.Fprintf(s.out, "\n%s  %s\n", date, a.what)
		err = a.call(ctx, address)
	}
	if stop := gateway.Cancel(); stop != nil && !errors.Is(stop, os.ErrProcessDone) {
		err = errors.Join(err, stop)
	}
	<-read
	if err = errors.Join(err, gateway.Wait()); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// click follows an old link as a browser does that keeps cookies.
func (s *story) click(path string) func(context.Context, string) error {
	return func(ctx context.Context, gateway string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway+path, nil)
		if err != nil {
			return err
		}
		req.Host = "go.carrot.test"
		req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		req.AddCookie(&http.Cookie{Name: "carryover_click", Value: s.cookie})
		resp, err := http.DefaultTransport.RoundTrip(req) // which does not follow redirects
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		for _, c := range resp.Cookies() {
			if c.Name == "carryover_click" {
				s.cookie = c.Value
			}
		}
		fmt.Fprintf(s.out, "  GET https://%s%s\n  %d %s\n", req.Host, path, resp.StatusCode, resp.Header.Get("Location"))
		if resp.StatusCode != http.StatusFound || s.cookie == "" {
			return errors.New("the link is not forwarded, or sets no cookie")
		}
		return nil
	}
}

// event tells the tracking API something, as a billing system does.
func (s *story) event(kind, body string) func(context.Context, string) error {
	return func(ctx context.Context, gateway string) error {
		path := "/api/v2/track/" + kind
		told := strings.NewReader(strings.Replace(body, "COOKIE", s.cookie, 1))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+path, told)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+apiKey)
		req.Header.Set("Account-ID", "carrot")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var answer struct {
			Commissions []struct{ Amount int64 }
		}
		text, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			return cmp.Or(err, fmt.Errorf("POST %s: %s: %s", path, resp.Status, text))
		}
		if err := cmp.Or(err, json.Unmarshal(text, &answer)); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "  POST %s %s\n  %d", path, body, resp.StatusCode)
		for _, c := range answer.Commissions {
			fmt.Fprintf(s.out, ", for Ann: %.2f", float64(c.Amount)/100)
		}
		fmt.Fprintln(s.out)
		return nil
	}
}
