package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carryover/mapping"
	"carryover/mapping/secret"
	"carryover/mapping/store"
)

// How long a start waits for the store before it goes on without: not at all long when
// there is a snapshot to serve.
const (
	waitWithSnapshot    = 2 * time.Second
	waitWithoutSnapshot = 5 * time.Second
	loadAgainEvery      = time.Second
)

// mapFollower stays with the published map: it loads it from the store, takes each map that
// follows, and keeps the last good one on disk for a start without the store.
type mapFollower struct {
	feed     Feed
	snapshot string // path of the last good map
	trust    store.Trust
	newest   time.Time // when the newest map that was served went live: none that did before is taken
	zone     *time.Location
	now      func() time.Time
	log      *slog.Logger
	errors   prometheus.Counter // of the store

	live       atomic.Pointer[liveMap] // nil: there is none yet
	storeFault atomic.Pointer[fault]   // of the store, while it is away
	refused    atomic.Pointer[fault]   // of the newest map, when it cannot be served
	unsaved    atomic.Pointer[fault]   // of the snapshot
	unusable   atomic.Pointer[fault]   // of the snapshot that was there at the start
}

// moment is how moments are written that may be a few milliseconds apart.
const moment = "2006-01-02T15:04:05.000Z07:00"

// fault says since when and why something does not work.
type fault struct {
	since time.Time
	err   error
}

func newMapFollower(o *Options, errors prometheus.Counter) *mapFollower {
	f := &mapFollower{
		feed: o.Feed, snapshot: filepath.Join(o.DataDir, "map.snapshot"), zone: o.Zone, now: o.Now, log: o.Logger, errors: errors,
		trust: store.Trust{Program: o.Program, Secret: o.Secret, Own: o.Own},
	}
	f.newest = store.SnapshotActivated(f.snapshot, &f.trust)
	return f
}

// takeFirstMap waits a little for the first answer of the store, and takes the snapshot
// when there is no map by then. Without either the gateway starts all the same: it
// answers 503 until a map comes.
func (f *mapFollower) takeFirstMap(ctx context.Context, answered <-chan struct{}) {
	wait := waitWithoutSnapshot
	m, e, err := store.LoadSnapshot(f.snapshot, &f.trust)
	if err == nil {
		wait = waitWithSnapshot
	} else if !errors.Is(err, fs.ErrNotExist) {
		f.unusable.Store(&fault{f.now(), err})
		f.log.Error("the last good map on disk cannot be used", "err", err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-answered:
	case <-timer.C:
		f.storeFailed(errors.New("the store of the link map does not answer"))
	case <-ctx.Done():
		return
	}
	if err != nil || f.live.Load() != nil {
		return
	}
	l, err := newLiveMap(m, e, fromSnapshot, f.zone)
	if err != nil {
		f.unusable.Store(&fault{f.now(), err})
		f.log.Error("the last good map on disk cannot be used", "err", err)
		return
	}
	if f.live.CompareAndSwap(nil, l) {
		f.log.Warn("serving the last good map from disk", "epoch", e.ID, "published_at", e.PublishedAt)
	}
}

// followMap loads the live map, closes answered (also when that fails), and stays with the
// map until ctx ends.
func (f *mapFollower) followMap(ctx context.Context, answered chan<- struct{}) {
	var have int64
	for first := true; ; first = false {
		m, e, err := f.feed.Load(ctx)
		if ctx.Err() == nil {
			if err == nil {
				if f.swap(m, e) {
					have = e.ID
				}
			} else {
				f.storeFailed(err)
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
		err := f.feed.Follow(ctx, have, func(m *mapping.Map, e store.Epoch) {
			if f.swap(m, e) {
				have = e.ID
			}
		}, f.storeFailed)
		if ctx.Err() != nil {
			return
		}
		f.storeFailed(err)
		select {
		case <-ctx.Done():
		case <-time.After(loadAgainEvery):
		}
	}
}

// swap makes a map from the store the live one and keeps it on disk. A map that cannot be
// served is refused whole; the former one stays.
func (f *mapFollower) swap(m *mapping.Map, e store.Epoch) (taken bool) {
	if !e.Activated.IsZero() && e.Activated.Before(f.newest) {
		f.refuse(fmt.Errorf("epoch %d: %w: it went live %s, and a map of %s was served here since; \"carryover map publish\" or "+
			"\"carryover map rollback\" makes the right one live", e.ID, store.ErrPutBack, e.Activated.Format(moment), f.newest.Format(moment)))
		return false
	}
	l, err := newLiveMap(m, e, fromStore, f.zone)
	if err != nil {
		f.refuse(err)
		return false
	}
	f.storeAnswered()
	f.newest = e.Activated
	f.live.Store(l)
	f.refused.Store(nil)
	f.unusable.Store(nil)
	if l.empty() {
		f.log.Warn("the published map is empty: old links lead nowhere until a plan is applied", "epoch", e.ID)
	}
	f.log.Info("serving a map", "epoch", e.ID, "links", e.Links, "partners", e.Partners, "ids", e.IDs, "paths", e.Paths)
	if err := store.SaveSnapshot(f.snapshot, m, e, &f.trust); err != nil {
		f.unsaved.Store(&fault{f.now(), err})
		f.log.Error("the map could not be kept on disk; a restart while the store is away would have an older one or none", "err", err)
		return true
	}
	f.unsaved.Store(nil)
	return true
}

// refuse notes why the published map is not served; the former one is. It is logged when the
// reason is a new one.
func (f *mapFollower) refuse(err error) {
	f.storeAnswered()
	f.errors.Inc()
	if old := f.refused.Swap(&fault{f.now(), err}); old == nil || old.err.Error() != err.Error() {
		f.log.Error("the published map cannot be served; the former one stays", "err", err)
	}
}

// storeFailed notes an error of the store; only the first one is logged.
func (f *mapFollower) storeFailed(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, store.ErrSignature) || errors.Is(err, mapping.ErrNotAllowed) {
		f.refuse(err)
		return
	}
	f.errors.Inc()
	if old := f.storeFault.Swap(&fault{f.now(), err}); old == nil {
		f.log.Warn("no link map from the store; what is being served goes on being served", "err", err)
	}
}

func (f *mapFollower) storeAnswered() {
	if old := f.storeFault.Swap(nil); old != nil {
		f.log.Info("the store of the link map is back")
	}
}

// checkStore asks a store that failed whether it is back: a feed tells of errors, but not
// of the silence in which nothing changes.
func (f *mapFollower) checkStore(ctx context.Context) {
	pinger, ok := f.feed.(interface{ Ping(context.Context) error })
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
		fault, l := f.storeFault.Load(), f.live.Load()
		if fault == nil || l == nil || l.from != fromStore || hasNoGoodMap(fault.err) {
			continue // or only a new map can end it
		}
		ask, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := pinger.Ping(ask)
		cancel()
		if err == nil {
			f.storeAnswered()
		}
	}
}

// hasNoGoodMap says whether the store did answer, and has nothing that can be served.
func hasNoGoodMap(err error) bool {
	return errors.Is(err, store.ErrNoMap) || errors.Is(err, store.ErrChecksum)
}

// whyRefused says why a map is not served, and what to do, without naming a machine or a host.
func whyRefused(err error) string {
	switch {
	case errors.Is(err, store.ErrOtherSecret):
		return "it is signed with another secret: set " + secret.Variable + " to one text on all machines of the program"
	case errors.Is(err, store.ErrPutBack):
		return "it is older than what was served here: publish again with \"carryover map publish\""
	case errors.Is(err, store.ErrSignature):
		return "it is not signed with the program's secret, or was changed since: publish it again with \"carryover map publish\""
	case errors.Is(err, mapping.ErrNotAllowed):
		return "it does what the configuration of this machine does not allow: mend that, or publish again with \"carryover map publish\""
	case errors.Is(err, store.ErrChecksum):
		return "it is damaged"
	}
	return "it is none that this carryover can serve"
}

// report says in h which map is live, how old it is and what is wrong with the way to it.
func (f *mapFollower) report(h *Health) {
	l := f.live.Load()
	unusable := f.unusable.Load()
	switch {
	case l == nil && unusable != nil:
		h.fail("there is no link map yet, and the one that is kept on disk cannot be used: "+whyRefused(unusable.err), unusable.err)
	case l == nil:
		h.fail("there is no link map yet, and none is kept on disk", nil)
	default:
		h.Epoch, h.Source = l.epoch.ID, l.from
		h.MapAge = max(f.now().Sub(l.epoch.PublishedAt).Truncate(time.Millisecond).Seconds(), 0)
		if l.empty() {
			h.warn("the link map is empty: old links lead nowhere until a plan is applied", nil)
		}
		if l.from == fromSnapshot {
			h.warn("the link map is the last good one from disk", nil)
		}
	}
	if fault := f.storeFault.Load(); fault != nil {
		switch {
		case errors.Is(fault.err, store.ErrNoMap):
			h.warn("no link map was published in the store", fault.err)
		case errors.Is(fault.err, store.ErrForeign):
			h.warn("in the place of the link map in the store stands something other than a carryover writes: "+
				"\"carryover map publish\" mends it", fault.err)
		case errors.Is(fault.err, store.ErrChecksum):
			h.warn("the link map in the store is damaged", fault.err)
		case errors.Is(fault.err, store.ErrReply):
			h.warn("the store of the link map answers what no Redis does", fault.err)
		default:
			h.warn("the store of the link map does not answer", fault.err)
		}
	}
	if fault := f.refused.Load(); fault != nil {
		served := "the former one is"
		if l == nil {
			served = "there is no former one"
		}
		h.warn("the newest published map cannot be served; "+served+": "+whyRefused(fault.err), fault.err)
	}
	if fault := f.unsaved.Load(); fault != nil {
		h.warn("the link map could not be kept on disk", fault.err)
	}
}
