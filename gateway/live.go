package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"carryover/gateway/pages"
	"carryover/mapping"
	"carryover/mapping/store"
)

// Where the live map came from.
const (
	fromStore    = "store"
	fromSnapshot = "snapshot" // the last good map on disk: the store was away
)

// How long a start waits for the store before it goes on without: not at all long when
// there is a snapshot to serve.
const (
	waitWithSnapshot    = 2 * time.Second
	waitWithoutSnapshot = 5 * time.Second
	loadAgainEvery      = time.Second
)

// live is one published map, ready to answer. It is replaced whole.
type live struct {
	table *mapping.Table
	pages *pages.Set
	host  string // what a request by bare address counts as
	epoch store.Epoch
	from  string

	params []string // that name a partner or promoter, each once
}

func (a *App) newLive(m *mapping.Map, e store.Epoch, from string) (*live, error) {
	table, err := mapping.New(m)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: %w", e.ID, err)
	}
	set, err := pages.Render(m.Policy, a.o.Zone)
	if err != nil {
		return nil, err
	}
	l := &live{table: table, pages: set, epoch: e, from: from}
	l.params = slices.Concat(affiliateParams, slices.DeleteFunc(slices.Concat(m.Policy.CodeParams, m.Policy.IDParams), func(name string) bool {
		return slices.Contains(affiliateParams, name)
	}))
	if len(m.Policy.LegacyHosts) > 0 {
		l.host = m.Policy.LegacyHosts[0]
	}
	return l, nil
}

// empty reports whether the map knows no link and no partner: nothing was applied, or all
// of it was rolled back.
func (l *live) empty() bool { return l.epoch.Links == 0 && l.epoch.Partners == 0 }

func (a *App) snapshotPath() string { return filepath.Join(a.o.DataDir, "map.snapshot") }

// takeFirstMap waits a little for the first answer of the store, and takes the snapshot
// when there is no map by then. Without either the gateway starts all the same: it
// answers 503 until a map comes.
func (a *App) takeFirstMap(ctx context.Context, answered <-chan struct{}) {
	wait := waitWithoutSnapshot
	m, e, err := store.LoadSnapshot(a.snapshotPath())
	if err == nil {
		wait = waitWithSnapshot
	} else if !errors.Is(err, fs.ErrNotExist) {
		a.o.Logger.Error("the last good map on disk cannot be used", "err", err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-answered:
	case <-timer.C:
		a.storeFailed(errors.New("the store of the link map does not answer"))
	case <-ctx.Done():
		return
	}
	if err != nil || a.live.Load() != nil {
		return
	}
	l, err := a.newLive(m, e, fromSnapshot)
	if err != nil {
		a.o.Logger.Error("the last good map on disk cannot be used", "err", err)
		return
	}
	if a.live.CompareAndSwap(nil, l) {
		a.o.Logger.Warn("serving the last good map from disk", "epoch", e.ID, "published_at", e.PublishedAt)
	}
}

// follow loads the live map, says so on answered (also when that fails), and stays with
// it until ctx ends.
func (a *App) follow(ctx context.Context, answered chan<- struct{}) {
	var have int64
	for first := true; ; first = false {
		m, e, err := a.o.Feed.Load(ctx)
		if ctx.Err() == nil {
			if err == nil {
				a.take(m, e)
				have = e.ID
			} else {
				a.storeFailed(err)
			}
		}
		if first {
			close(answered)
		}
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(loadAgainEvery):
		}
	}
	for ctx.Err() == nil {
		err := a.o.Feed.Follow(ctx, have, func(m *mapping.Map, e store.Epoch) {
			a.take(m, e)
			have = e.ID
		}, a.storeFailed)
		if ctx.Err() != nil {
			return
		}
		a.storeFailed(err)
		select {
		case <-ctx.Done():
		case <-time.After(loadAgainEvery):
		}
	}
}

// take makes a map from the store the live one and keeps it on disk. A map that cannot be
// served is refused whole; the former one stays.
func (a *App) take(m *mapping.Map, e store.Epoch) {
	a.storeAnswered()
	l, err := a.newLive(m, e, fromStore)
	if err != nil {
		a.refused.Store(&fault{a.o.Now(), err})
		a.metrics.storeErrors.Inc()
		a.o.Logger.Error("the published map cannot be served; the former one stays", "epoch", e.ID, "err", err)
		return
	}
	a.live.Store(l)
	a.refused.Store(nil)
	if l.empty() {
		a.o.Logger.Warn("the published map is empty: old links lead nowhere until a plan is applied", "epoch", e.ID)
	}
	a.o.Logger.Info("serving a map", "epoch", e.ID, "links", e.Links, "partners", e.Partners, "ids", e.IDs, "paths", e.Paths)
	if err := store.SaveSnapshot(a.snapshotPath(), m, e); err != nil {
		a.unsaved.Store(&fault{a.o.Now(), err})
		a.o.Logger.Error("the map could not be kept on disk; a restart while the store is away would have an older one or none", "err", err)
		return
	}
	a.unsaved.Store(nil)
}

// fault says since when and why something does not work.
type fault struct {
	since time.Time
	err   error
}

// hasNoGoodMap says whether the store did answer, and has nothing that can be served.
func hasNoGoodMap(err error) bool {
	return errors.Is(err, store.ErrNoMap) || errors.Is(err, store.ErrChecksum)
}

// storeFailed notes an error of the store; the log hears of the first one only.
func (a *App) storeFailed(err error) {
	if err == nil {
		return
	}
	a.metrics.storeErrors.Inc()
	if old := a.storeFault.Swap(&fault{a.o.Now(), err}); old == nil {
		a.o.Logger.Warn("no link map from the store; what is being served goes on being served", "err", err)
	}
}

func (a *App) storeAnswered() {
	if old := a.storeFault.Swap(nil); old != nil {
		a.o.Logger.Info("the store of the link map is back")
	}
}

// checkStore asks a store that failed whether it is back: a feed tells of errors, but not
// of the silence in which nothing changes.
func (a *App) checkStore(ctx context.Context) {
	pinger, ok := a.o.Feed.(interface{ Ping(context.Context) error })
	if !ok {
		return
	}
	tick := time.NewTicker(loadAgainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f, l := a.storeFault.Load(), a.live.Load()
		if f == nil || l == nil || l.from != fromStore || hasNoGoodMap(f.err) {
			continue // or only a new map can end it
		}
		ask, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := pinger.Ping(ask)
		cancel()
		if err == nil {
			a.storeAnswered()
		}
	}
}
