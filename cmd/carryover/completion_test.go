package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a shell offers next: commands, flags and the values that a flag may have; nothing where
// a file may stand.
func TestCompletion(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	f := func(words []string, want ...string) {
		t.Helper()
		var got []string
		for line := range strings.Lines(d.ok(append([]string{"__complete"}, words...)...)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			got = append(got, word)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	f([]string{"pay"}, "payouts")
	f([]string{"payouts", "sh"}, "show")
	f([]string{"--data", "clicks", "pay"}, "payouts")
	f([]string{"clicks", "--since", "2023", "--un"}, "--until")
	f([]string{"clicks", "--by", ""}, "day", "promoter", "link", "verdict", "outcome")
	f([]string{"clicks", "--by=v"}, "--by=verdict")
	f([]string{"clicks", "--by", "=", "v"}, "verdict")
	f([]string{"referrals", "--a"}, "--all")
	f([]string{"promoters", "--mon"}, "--month") // of the command that needs no name
	f([]string{"payouts", "show", "--j"}, "--json")
	f([]string{"completion", ""}, "bash", "zsh", "fish")
	f([]string{"help", "cu"}, "customers")
	f([]string{"help", "cl"}, "clicks", "clicks") // a page and a command
	f([]string{"help", "payouts", "sh"}, "show")
	f([]string{"plan", ""})
	f([]string{"plan", "--decisions", ""})
	f([]string{"nonsense", "x"})
	f(nil)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		d.contains(d.ok("completion", shell), "carryover", "__complete")
	}
	d.fails(2, []string{"must be one of"}, "completion", "tcsh")
}

// The script makes a real shell offer the same.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("bash", "-c", `source <(carryover completion bash)
COMP_WORDS=(carryover payouts sh) COMP_CWORD=2
_carryover carryover
echo "${COMPREPLY[@]}"
complete -p carryover`)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "show\ncomplete -o default -F _carryover carryover\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// The manual page has every command and flag, and roff understands all of it.
func TestManPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	page := d.ok("man")
	d.contains(page, ".TH \"CARRYOVER\" 1", ".SS \"carryover payouts export\"", `\-\-format=`, `\-\-log\-level=`, ".SH EXIT STATUS")
	cmd := exec.Command("groff", "-ww", "-man", "-Tutf8", "-z")
	cmd.Stdin = strings.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}
