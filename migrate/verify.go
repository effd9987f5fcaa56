package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate/sheet"
)

// Check is one comparison of a verification.
type Check struct {
	Name        string   `json:"check"`
	Compared    int      `json:"compared"`
	Differences int      `json:"differences"`
	Examples    []string `json:"examples,omitempty"` // the first few, as sentences
	Note        string   `json:"note,omitempty"`
	Money       bool     `json:"money,omitempty"`   // its differences are of money: a person must decide
	Decided     int      `json:"decided,omitempty"` // differences that a person decided about, and that remain
}

const maxExamples = 20

func (c *Check) differ(format string, args ...any) {
	if c.Differences++; len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// Verify compares the exports of the newest run with the book, and the book with the
// published map, row by row and value by value. An error means that it could not be
// compared; differences are in the checks.
func Verify(ctx context.Context, s *Settings, b *book.Book, from store.Feed, progress Progress) ([]Check, *mapping.Map, error) {
	run, err := b.LastImport(ctx)
	if errors.Is(err, book.ErrNoImport) {
		return nil, nil, nothingApplied(ctx, b)
	}
	if err != nil {
		return nil, nil, err
	}
	var in runInputs
	if err := json.Unmarshal(run.Inputs, &in); err != nil {
		return nil, nil, fmt.Errorf("run %d does not say what it read: %w", run.ID, err)
	}
	counts, p, e, err := verifyExports(ctx, s, b, run.PlanDir, in, progress)
	if err != nil {
		return nil, nil, err
	}
	checks := counts
	content, err := b.Content(ctx)
	if err != nil {
		return nil, nil, err
	}
	runs, err := b.Imports(ctx)
	if err != nil {
		return nil, nil, err
	}
	standing := 0
	for _, r := range runs {
		if r.RolledBack.IsZero() {
			standing++
		}
	}
	checks = append(checks, verifyBook(p, content), verifyOwners(p, e), verifySums(p, e, standing > 1), verifyLedger(p))
	want, err := s.Project(content)
	if err != nil {
		return nil, nil, err
	}
	published, epoch, err := from.Load(ctx)
	if errors.Is(err, store.ErrNoMap) {
		return nil, nil, fmt.Errorf("%w: run \"carryover map publish\"", err)
	}
	if err != nil {
		return nil, nil, err
	}
	checks = append(checks, verifyMap(want, published, epoch))
	if checks[0].Note == configChanged && !slices.ContainsFunc(checks, func(c Check) bool { return c.Differences > 0 }) {
		checks[0].Note = "the configuration has changed since the run, and the book and the published map agree with it"
	}
	return checks, published, nil
}

const configChanged = "the configuration has changed since the run: plan and apply again, or put it back"

// nothingApplied says why no run stands.
func nothingApplied(ctx context.Context, b *book.Book) error {
	runs, err := b.Imports(ctx)
	switch {
	case err != nil:
		return err
	case len(runs) == 0:
		return errors.New("nothing was applied yet: there is nothing to verify")
	case len(runs) == 1:
		return fmt.Errorf("run %d was rolled back: nothing is applied now, and there is nothing to verify", runs[0].ID)
	}
	return fmt.Errorf("all %d runs were rolled back: nothing is applied now, and there is nothing to verify", len(runs))
}

// verifyExports reads the exports again and compares what they hold with what the run
// said it had read.
func verifyExports(ctx context.Context, s *Settings, b *book.Book, planDir string, in runInputs, progress Progress) ([]Check, *Plan, *evidence, error) {
	silent := func(*sheet.File, int) func(*sheet.Reject) error { return func(*sheet.Reject) error { return nil } }
	p, e, err := makePlan(ctx, &Request{Settings: s, Args: absolute(in.WorkDir, in.Args), WorkDir: in.WorkDir, AsOf: in.AsOf, Decisions: decisionsOf(in.Decisions), Book: b, Progress: progress, Sink: silent, reviewed: newReviewedInputs(in.WorkDir, planDir, in.Files)})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("the exports of the newest run cannot be read again: %w", err)
	}
	files := Check{Name: "exports as they were applied"}
	for _, change := range changedFiles(in.WorkDir, in.Files, p.Files) {
		files.differ("%s since the run", change)
	}
	for _, f := range p.Files {
		files.Compared++
		if f.Rows != f.Loaded+f.Rejected+f.Skipped {
			files.differ("%s: %d rows were read, but %d loaded + %d rejected + %d skipped", f.Path, f.Rows, f.Loaded, f.Rejected, f.Skipped)
		}
	}
	if in.InputsID != p.InputsID && files.Differences == 0 {
		files.Note = configChanged
	}
	return []Check{files}, p, e, nil
}

// verifyBook says where the book differs from what the exports mean.
func verifyBook(p *Plan, c *book.Content) Check {
	check := Check{Name: "book = exports", Compared: p.After.Len()}
	promoters := map[int64]book.Promoter{}
	for _, q := range c.Promoters {
		promoters[q.ID] = q
	}
	for _, want := range p.Changes.Promoters {
		if got, ok := promoters[want.ID]; ok {
			check.differ("promoter %s: the book says %+v, the exports %+v", got.Token, got, want)
		} else {
			check.differ("promoter %s (Keap id %d) is missing in the book", want.Token, want.KeapID)
		}
	}
	for _, a := range p.Changes.Aliases {
		check.differ("%s %q: the book does not say what the exports say (promoter %d %s)", strings.ReplaceAll(a.Kind, "_", " "), a.Value, a.PromoterID, a.State)
	}
	for _, l := range p.Changes.Links {
		check.differ("link %q: the book does not say what the exports say (%s)", l.Code, l.Destination)
	}
	return check
}

// verifyMap compares the published map with the book's, entry by entry.
func verifyMap(want, got *mapping.Map, epoch store.Epoch) Check {
	a, b := want.Entries(), got.Entries()
	check := Check{Name: fmt.Sprintf("published map (epoch %d) = book", epoch.ID), Compared: len(a)}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch order := entryOrder(a, b, i, j); {
		case order < 0:
			check.differ("%s %q is not in the published map", a[i].Kind, a[i].Key)
			i++
		case order > 0:
			check.differ("%s %q is in the published map and not in the book", b[j].Kind, b[j].Key)
			j++
		default:
			if a[i].Value != b[j].Value {
				check.differ("%s %q: published is %s, the book has %s", a[i].Kind, a[i].Key, b[j].Value, a[i].Value)
			}
			i, j = i+1, j+1
		}
	}
	if mapping.Checksum(want.Policy, nil) != mapping.Checksum(got.Policy, nil) {
		check.differ("the published policy (hosts, cutoff, pages, parameters) is not the one of the configuration: run \"carryover map publish\"")
	}
	return check
}

// entryOrder compares a[i] with b[j]; the end of a list comes after everything.
func entryOrder(a, b []mapping.Entry, i, j int) int {
	switch {
	case i == len(a):
		return 1
	case j == len(b):
		return -1
	case a[i].Kind != b[j].Kind:
		return int(a[i].Kind) - int(b[j].Kind)
	}
	return strings.Compare(a[i].Key, b[j].Key)
}

// A gateway takes a new map over within a moment: answers that differ are asked for again
// for so long before they count.
const (
	patience   = 5 * time.Second
	askAgainIn = 250 * time.Millisecond
)

// How much of a live gateway is asked: every link and every partner as long as they are
// few, and a seeded sample of pairs.
const (
	maxAsked   = 20_000
	pairSample = 2_000
	askers     = 16
)

// Against asks the live gateway at base for old links and compares its answers with the
// published map's, which is epoch. It asks with HEAD, which is answered like GET and not
// counted. The sample of a seed is always the same. now is the clock that the gateway
// decides by. Answers that differ are asked for again until the gateway serves epoch, for
// a few seconds; the note says what they look like when they go on differing.
func Against(ctx context.Context, base string, m *mapping.Map, epoch int64, now func() time.Time, seed uint64, progress Progress) (Check, error) {
	check := Check{Name: "live gateway " + base + " = published map"}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return check, fmt.Errorf("--against %q is no address of a gateway, such as http://127.0.0.1:8080", base)
	}
	table, err := mapping.New(m)
	if err != nil {
		return check, err
	}
	targets, note := targetsOf(m, seed)
	check.Note = note
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: askers, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext},
	}
	defer client.CloseIdleConnections()
	bar := progress.Bar("asking the gateway", int64(len(targets)))
	defer bar.Done()
	g := &gatewayAsked{client, u, table, now}
	check.Compared = len(targets)
	wrong, err := g.askAll(ctx, targets, bar)
	began := time.Now()
	var serves int64
	var ours bool
	for err == nil && len(wrong) > 0 {
		serves, ours = g.epoch(ctx)
		// A few tell whether it is worth asking for all again.
		few := wrong[:min(len(wrong), maxExamples)]
		var still []answered
		if still, err = g.askAll(ctx, targetsIn(few), noBar{}); err == nil && len(still) < len(few) {
			wrong, err = g.askAll(ctx, targetsIn(wrong), noBar{})
		}
		if ours && serves == epoch || time.Since(began) > patience {
			break
		}
		select {
		case <-time.After(askAgainIn):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return check, fmt.Errorf("the gateway at %s does not answer: %w", base, err)
	}
	for _, a := range wrong {
		check.differ("%s", a.difference)
	}
	switch {
	case len(wrong) == 0 && serves != 0:
		check.Note += fmt.Sprintf("; it took the published map over while it was asked, within %v", time.Since(began).Round(100*time.Millisecond))
	case len(wrong) == 0:
	case ours && serves != epoch:
		check.Note += fmt.Sprintf("; it looks stale: it serves link map %d, and %d is published. Does it follow the same store?", serves, epoch)
	case 2*len(wrong) <= len(targets):
	case ours:
		check.Note += "; it serves the published map, so its clock may show another time (a rehearsal: name it with --at)"
	default:
		check.Note += "; is this a carryover gateway? Most answers differ, and /readyz is none of a gateway's"
	}
	return check, nil
}

// gatewayAsked is a live gateway, and what its answers are compared with.
type gatewayAsked struct {
	client *http.Client
	base   *url.URL
	table  *mapping.Table
	now    func() time.Time
}

// answered is an answer that is not the map's.
type answered struct{ target, difference string }

func targetsIn(answers []answered) []string {
	targets := make([]string, len(answers))
	for i, a := range answers {
		targets[i] = a.target
	}
	return targets
}

// askAll asks for targets and returns the answers that differ. It ends with the first
// question that nobody answers.
func (g *gatewayAsked) askAll(ctx context.Context, targets []string, bar Bar) (wrong []answered, err error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for target := range work {
				difference, e := ask(asking, g.client, g.base, g.table, g.now, target)
				mu.Lock()
				if difference != "" {
					wrong = append(wrong, answered{target, difference})
				}
				if e != nil && err == nil {
					err = e
					cancel()
				}
				mu.Unlock()
				bar.Add(1)
			}
		})
	}
feed:
	for _, t := range targets {
		select {
		case work <- t:
		case <-asking.Done():
			break feed
		}
	}
	close(work)
	wg.Wait()
	return wrong, cmp.Or(err, ctx.Err())
}

// epoch is the link map that the gateway says it serves; ours is false when what answers
// is no gateway of carryover's.
func (g *gatewayAsked) epoch(ctx context.Context) (epoch int64, ours bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base.Scheme+"://"+g.base.Host+"/readyz", nil)
	if err != nil {
		return 0, false
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	var health struct {
		Epoch  *int64  `json:"epoch"`
		Clicks *string `json:"clicks"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&health) != nil || health.Epoch == nil || health.Clicks == nil {
		return 0, false
	}
	return *health.Epoch, true
}

// targetsOf lists paths with queries: every link, every code, every Keap id, every exact
// path, and pairs of links and codes drawn with the seed.
func targetsOf(m *mapping.Map, seed uint64) (targets []string, note string) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	escape := url.PathEscape
	pick := func(n int) []int {
		all := rnd.Perm(n)
		return all[:min(n, maxAsked)]
	}
	firstLink := "unknown"
	for _, i := range pick(len(m.Links)) {
		firstLink = m.Links[i].Code
		targets = append(targets, "/go/"+escape(firstLink))
	}
	for _, i := range pick(len(m.Partners)) {
		p := m.Partners[i]
		targets = append(targets, "/go/"+escape(firstLink)+"/"+escape(p.Code))
		if p.Token != "" {
			targets = append(targets, "/r/"+p.Token)
		}
	}
	for _, i := range pick(len(m.IDs)) {
		targets = append(targets, fmt.Sprintf("/k/%s?affiliate=%d", escape(firstLink), m.IDs[i].KeapID))
	}
	for _, p := range m.Paths {
		targets = append(targets, (&url.URL{Path: p.Path}).EscapedPath())
	}
	if len(m.Links) > 0 && len(m.Partners) > 0 {
		for range min(pairSample, len(m.Links)*len(m.Partners)) {
			targets = append(targets, "/go/"+escape(m.Links[rnd.IntN(len(m.Links))].Code)+"/"+escape(m.Partners[rnd.IntN(len(m.Partners))].Code)+"?utm_source=verify")
		}
	}
	if most := max(len(m.Links), len(m.Partners), len(m.IDs)); most > maxAsked {
		note = fmt.Sprintf("a sample: %d of each table and %d pairs, seed %d", maxAsked, pairSample, seed)
	} else {
		note = fmt.Sprintf("every link, code and id, and %d pairs drawn with seed %d", min(pairSample, len(m.Links)*len(m.Partners)), seed)
	}
	return targets, note
}

// ask sends one request and compares. An answer may change while it is asked for (the
// cutoff passes): it must agree with the map before or after.
func ask(ctx context.Context, client *http.Client, base *url.URL, table *mapping.Table, now func() time.Time, target string) (difference string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, base.Scheme+"://"+base.Host+target, nil)
	if err != nil {
		return "", err
	}
	req.Host = table.Policy().LegacyHosts[0]
	request := mapping.ParseTarget(req.Host, target)
	before := table.Resolve(request, now())
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	after := table.Resolve(request, now())
	got := resp.Header.Get("Location")
	for _, want := range []mapping.Decision{before, after} {
		if resp.StatusCode == want.Status() && got == want.Location {
			return "", nil
		}
	}
	return fmt.Sprintf("%s: the gateway answers %d %q, the map says %d %q", target, resp.StatusCode, got, after.Status(), after.Location), nil
}

// ErrUnproven says that sums of money differ, or differ as a person decided: a person must
// look.
var ErrUnproven = errors.New("not proven")

// unprovenError is an [ErrUnproven] in words.
type unprovenError struct{ text string }

func (e *unprovenError) Error() string        { return e.text }
func (e *unprovenError) Is(target error) bool { return target == ErrUnproven }

// Verdict says what checks come to: nil when all agrees, an [ErrUnproven] when money differs,
// or when all that is left are differences that a person decided about.
func Verdict(checks []Check) error {
	differences, money, decided := 0, 0, 0
	for _, check := range checks {
		differences += check.Differences
		decided += check.Decided
		if check.Money {
			money += check.Differences
		}
	}
	count := func(n int) string {
		if n == 1 {
			return "1 difference"
		}
		return fmt.Sprintf("%d differences", n)
	}
	switch {
	case money > 0:
		return &unprovenError{fmt.Sprintf("%s, %d of them of money: the totals are not proven", count(differences), money)}
	case differences > 0:
		return errors.New(count(differences))
	case decided > 0:
		return &unprovenError{fmt.Sprintf("everything else agrees; %s that a person decided about remains", count(decided))}
	}
	return nil
}
