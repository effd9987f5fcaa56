package gateway

import (
	"fmt"
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

// liveMap is one published map, ready to answer. It is replaced whole.
type liveMap struct {
	table *mapping.Table
	pages *pages.Set
	host  string // what a request by bare address counts as
	epoch store.Epoch
	from  string

	params []string // that name a partner or promoter, each once
}

func newLiveMap(m *mapping.Map, e store.Epoch, from string, zone *time.Location) (*liveMap, error) {
	table, err := mapping.New(m)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: %w", e.ID, err)
	}
	set, err := pages.Render(m.Policy, zone)
	if err != nil {
		return nil, err
	}
	l := &liveMap{table: table, pages: set, epoch: e, from: from}
	ofMap := slices.Concat(m.Policy.CodeParams, m.Policy.IDParams)
	l.params = slices.Concat(affiliateParams, slices.DeleteFunc(ofMap, func(name string) bool {
		return slices.Contains(affiliateParams, name)
	}))
	if len(m.Policy.LegacyHosts) > 0 {
		l.host = m.Policy.LegacyHosts[0]
	}
	return l, nil
}

// empty reports whether the map knows no link and no partner: nothing was applied, or all
// of it was rolled back.
func (l *liveMap) empty() bool { return l.epoch.Links == 0 && l.epoch.Partners == 0 }

// resolve decides what a request means. A request by bare address counts as one for the
// first of the program's hosts.
func (l *liveMap) resolve(host, path, query string, now time.Time) mapping.Decision {
	if isBareHost(host) {
		host = l.host
	}
	return l.table.Resolve(mapping.Request{Host: host, Path: path, Query: query}, now)
}
