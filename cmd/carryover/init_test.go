package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
)

func TestInitLoadsAsItIs(t *testing.T) {
	t.Parallel()
	d := &desk{T: t, dir: t.TempDir()}
	out := d.ok("init")
	if !strings.Contains(out, "carryover.toml is written") {
		t.Errorf("init says %q", out)
	}
	if d.read("carryover.toml") != config.Example() {
		t.Error("init wrote another text")
	}
	if cfg := d.config(); cfg.Program != "carrot" || len(cfg.Policy.LegacyHosts) != 1 {
		t.Errorf("it says %+v", cfg)
	}
	d.untouched(func() {
		d.write("carryover.toml", "mine")
		d.fails(console.ExitFailed, []string{"carryover.toml is there already and was left as it is", "--config"}, "init")
		if d.read("carryover.toml") != "mine" {
			t.Error("init overwrote a configuration")
		}
	})
	d.fails(console.ExitFailed, []string{"nowhere/c.toml"}, "init", "--config", "nowhere/c.toml")
	if got := d.objects(d.ok("init", "--json", "--config", "other.toml")); got[0]["config"] != "other.toml" {
		t.Errorf("init --json says %v", got)
	}
}

// Several mistakes are told at once, in the order of the file.
func TestConfigMistakesInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "program = \"a b\"\ntimezone = \"PST8\"\ncutoff = \"soon\"\nlegacy_hosts = [\"x/y\"]\n")
	r := d.fails(console.ExitFailed, []string{"carryover: carryover.toml has 7 mistakes:\n  carryover.toml: pages.landing"}, "promoters")
	var at []int
	for _, part := range []string{"toml:1: program", "toml:2: timezone", "toml:3: cutoff", "toml:4: legacy_hosts"} {
		at = append(at, strings.Index(r.err, part))
	}
	if at[0] < 0 || !slices.IsSorted(at) {
		t.Errorf("not in order (%v):\n%s", at, r.err)
	}
}

func TestConfigFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.fails(console.ExitFailed, []string{"nope.toml does not exist", `"carryover init" writes one`, "--config"}, "promoters", "--config", "nope.toml")
	if err := os.Mkdir(d.path("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.fails(console.ExitFailed, []string{"folder", "directory"}, "promoters", "--config", "folder")
}
