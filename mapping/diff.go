package mapping

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
)

// Change is one entry, or one setting of the policy, that two maps say differently.
type Change struct {
	Table  string `json:"table"` // that of the entry, or "policy"
	Key    string `json:"key"`
	Change string `json:"change"` // Added, Removed or Changed
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// Values of [Change.Change].
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Diff yields what a map says otherwise than the one before it: of the policy first, then in the
// order of the tables and keys what was taken away or changed, then what came.
func Diff(from, to *Map) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		before, after := map[[2]string]string{}, map[[2]string]string{}
		for _, e := range from.Entries() {
			before[[2]string{e.Kind.String(), e.Key}] = e.Value
		}
		for _, e := range to.Entries() {
			after[[2]string{e.Kind.String(), e.Key}] = e.Value
		}
		was, is := policyFields(from.Policy), policyFields(to.Policy)
		for _, name := range slices.Sorted(maps.Keys(is)) {
			if was[name] != is[name] && !yield(Change{"policy", name, Changed, was[name], is[name]}) {
				return
			}
		}
		for _, e := range from.Entries() {
			key := [2]string{e.Kind.String(), e.Key}
			switch now, ok := after[key]; {
			case !ok:
				if !yield(Change{key[0], key[1], Removed, e.Value, ""}) {
					return
				}
			case now != e.Value:
				if !yield(Change{key[0], key[1], Changed, e.Value, now}) {
					return
				}
			}
		}
		for _, e := range to.Entries() {
			key := [2]string{e.Kind.String(), e.Key}
			if _, ok := before[key]; !ok && !yield(Change{key[0], key[1], Added, "", e.Value}) {
				return
			}
		}
	}
}

// policyFields are the settings of a policy as JSON, by name; those of the pages by
// "pages." and theirs.
func policyFields(p Policy) map[string]string {
	all := map[string]string{"keap_app": "", "builtin_join": ""} // which are left out when they are empty
	for name, value := range jsonFields(p) {
		all[name] = string(value)
	}
	delete(all, "pages")
	for name, value := range jsonFields(p.Pages) {
		all["pages."+name] = string(value)
	}
	return all
}

func jsonFields(plain any) (fields map[string]json.RawMessage) {
	text, err := json.Marshal(plain)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		panic("BUG: not plain data: " + err.Error())
	}
	return fields
}
