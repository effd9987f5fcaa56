package main

import (
	"strings"
	"testing"

	"carryover/cmd/carryover/internal/console"
)

// config check says what a configuration comes to, or all that is wrong with it.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.untouched(func() {
		d.contains(d.ok("config", "check"), "Nothing is wrong with carryover.toml.", "old links end", "(America/Los_Angeles)", "25.00 USD", "data/book.db")
		o := d.objects(d.ok("config", "check", "--json", "--redis", "redis://127.0.0.1:1"))
		if len(o) != 1 || o[0]["config"] != "carryover.toml" || len(o[0]["mistakes"].([]any)) != 0 || o[0]["membership_percent"] != "25%" || o[0]["link_map"] != "redis" {
			t.Errorf("%v", o)
		}
		d.fails(console.ExitFailed, []string{"nope.toml does not exist"}, "config", "check", "--config", "nope.toml")
	})
	d.write("carryover.toml", "program = \"a b\"\ncutof = 1\n")
	d.fails(console.ExitFailed, []string{"carryover.toml:2: unknown key cutof: did you mean cutoff?"}, "config", "check")
	d.write("carryover.toml", "program = \"a b\"\ncutoff = 1\n")
	d.fails(console.ExitFailed, []string{"6 mistakes", "carryover.toml:1: program", "carryover.toml:2: cutoff"}, "config", "check")
	r := d.run("config", "check", "--json")
	o := d.objects(r.out)
	if r.code != console.ExitFailed || r.err != "" || len(o) != 1 || len(o[0]["mistakes"].([]any)) != 6 || len(o[0]) != 2 {
		t.Errorf("exit %d, %v\n%s", r.code, o, r.err)
	}
}

// A command's own flags come before those that every command has.
func TestHelpOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	help := d.ok("clicks", "--help")
	own, global := strings.Index(help, "--since"), strings.Index(help, "Global flags:")
	if own < 0 || global < own || strings.Index(help, "--config") < global || strings.Index(help, "--help") < global {
		t.Error(help)
	}
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	if flag, command := d.ok("--version"), d.ok("version"); flag != command || !strings.HasPrefix(flag, "carryover ") {
		t.Errorf("%q, %q", flag, command)
	}
}

// Errors of a command are said at every level.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	d := newSampleDesk(t)
	d.write("exports/a.csv", partnersCSV("ANN"))
	d.ok("plan", "exports")
	d.ok("apply")
	d.contains(d.gateway("--log-level", "info").err.String(), `"level":"INFO"`)
	d.fails(console.ExitUsage, []string{"--log-level must be one of"}, "promoters", "--log-level", "loud")
	d.fails(console.ExitFailed, []string{"nope.toml"}, "promoters", "--log-level", "error", "--config", "nope.toml")
}
