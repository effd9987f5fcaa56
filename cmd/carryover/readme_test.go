package main

import (
	"os"
	"strings"
	"testing"
)

// The README shows the configuration that init writes, and every command there is.
func TestReadmeIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	if !strings.Contains(readme, strings.TrimSpace(string(exampleConfig))) {
		t.Error("README.md does not show the configuration as carryover init writes it")
	}
	var help strings.Builder
	if code := run([]string{"--help"}, nil, &help, &help); code != exitDone {
		t.Fatalf("--help exits %d", code)
	}
	_, commands, _ := strings.Cut(help.String(), "Commands:\n")
	for _, line := range strings.Split(commands, "\n") {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  "); ok && name != "" && !strings.Contains(readme, "| `"+name+"` |") {
			t.Errorf("README.md does not name the command %q", name)
		}
	}
}
