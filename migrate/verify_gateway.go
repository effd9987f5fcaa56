package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"carryover/mapping"
)

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
func Against(
	ctx context.Context, base string, m *mapping.Map, epoch int64, now func() time.Time, seed uint64, progress Progress,
) (Check, error) {
	check := Check{Name: "live gateway " + base + " = published map", Links: true}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return check, fmt.Errorf("--against %q is no address of a gateway, such as http://127.0.0.1:8080", base)
	}
	table, err := mapping.New(m)
	if err != nil {
		return check, err
	}
	targets, note := sampleTargets(m, seed)
	check.Note = note
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: askers, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext},
	}
	defer client.CloseIdleConnections()
	bar := progress.Bar("asking the gateway", int64(len(targets)))
	defer bar.Done()
	g := &liveGateway{client, u, table, now}
	check.Compared = len(targets)
	a, err := g.compare(ctx, targets, epoch, bar)
	if err != nil {
		return check, fmt.Errorf("the gateway at %s does not answer: %w", base, err)
	}
	for _, w := range a.wrong {
		check.mismatch("%s", w.difference)
	}
	check.Note += a.note(len(targets), epoch)
	return check, nil
}

// liveGateway is a live gateway, and what its answers are compared with.
type liveGateway struct {
	client *http.Client
	base   *url.URL
	table  *mapping.Table
	now    func() time.Time
}

// gatewayAnswers are how a gateway answered, once it had time to follow.
type gatewayAnswers struct {
	wrong     []wrongAnswer
	epoch     int64 // that it says it serves; 0: it was not asked
	carryover bool  // it is a gateway of carryover's; false when it was not asked
	waited    time.Duration
}

// wrongAnswer is an answer that is not the map's.
type wrongAnswer struct{ target, difference string }

// compare asks for targets. Answers that differ are asked for again until the gateway serves
// epoch, for a few seconds.
func (g *liveGateway) compare(ctx context.Context, targets []string, epoch int64, bar Bar) (a gatewayAnswers, err error) {
	a.wrong, err = g.askAll(ctx, targets, bar)
	began := time.Now()
	for err == nil && len(a.wrong) > 0 {
		a.epoch, a.carryover = g.epoch(ctx)
		// A few tell whether it is worth asking for all again.
		few := a.wrong[:min(len(a.wrong), maxExamples)]
		var still []wrongAnswer
		if still, err = g.askAll(ctx, wrongTargets(few), noBar{}); err == nil && len(still) < len(few) {
			a.wrong, err = g.askAll(ctx, wrongTargets(a.wrong), noBar{})
		}
		if a.carryover && a.epoch == epoch || time.Since(began) > patience {
			break
		}
		select {
		case <-time.After(askAgainIn):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	a.waited = time.Since(began)
	return a, err
}

// note says what answers look like that differ, or did at first.
func (a *gatewayAnswers) note(asked int, epoch int64) string {
	switch {
	case len(a.wrong) == 0 && a.epoch != 0:
		return fmt.Sprintf("; it took the published map over while it was asked, within %v", a.waited.Round(100*time.Millisecond))
	case len(a.wrong) == 0:
		return ""
	case a.carryover && a.epoch != epoch:
		return fmt.Sprintf("; it looks stale: it serves link map %d, and %d is published. Does it follow the same store?", a.epoch, epoch)
	case 2*len(a.wrong) <= asked:
		return ""
	case a.carryover:
		return "; it serves the published map, so its clock may show another time (a rehearsal: name it with --at)"
	}
	return "; is this a carryover gateway? Most answers differ, and /readyz is none of a gateway's"
}

func wrongTargets(answers []wrongAnswer) []string {
	targets := make([]string, len(answers))
	for i, a := range answers {
		targets[i] = a.target
	}
	return targets
}

// askAll asks for targets and returns the answers that differ. It ends with the first
// question that nobody answers.
func (g *liveGateway) askAll(ctx context.Context, targets []string, bar Bar) (wrong []wrongAnswer, err error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for target := range work {
				difference, e := g.ask(asking, target)
				mu.Lock()
				if difference != "" {
					wrong = append(wrong, wrongAnswer{target, difference})
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
func (g *liveGateway) epoch(ctx context.Context) (epoch int64, ours bool) {
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

// sampleTargets lists paths with queries: every link, every code, every Keap id, every exact
// path, and pairs of links and codes drawn with the seed.
func sampleTargets(m *mapping.Map, seed uint64) (targets []string, note string) {
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
			link, partner := m.Links[rnd.IntN(len(m.Links))].Code, m.Partners[rnd.IntN(len(m.Partners))].Code
			targets = append(targets, "/go/"+escape(link)+"/"+escape(partner)+"?utm_source=verify")
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
func (g *liveGateway) ask(ctx context.Context, target string) (difference string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, g.base.Scheme+"://"+g.base.Host+target, nil)
	if err != nil {
		return "", err
	}
	req.Host = g.table.Policy().LegacyHosts[0]
	request := mapping.ParseTarget(req.Host, target)
	before := g.table.Resolve(request, g.now())
	resp, err := g.client.Do(req)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	after := g.table.Resolve(request, g.now())
	got := resp.Header.Get("Location")
	for _, want := range []mapping.Decision{before, after} {
		if resp.StatusCode == want.Status() && got == want.Location {
			return "", nil
		}
	}
	return fmt.Sprintf("%s: the gateway answers %d %q, the map says %d %q", target, resp.StatusCode, got, after.Status(), after.Location), nil
}
