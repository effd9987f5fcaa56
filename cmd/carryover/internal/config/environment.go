package config

import (
	"log/slog"
	"os"
	"slices"
	"strings"

	"carryover/gateway/track"
	"carryover/mapping/secret"
)

// variables are those of the environment that begin with the program's name and count.
var variables = []string{secret.Variable, track.KeysVariable}

// WarnOfVariables says to log which variables of the environment count for nothing.
func WarnOfVariables(log *slog.Logger) {
	for _, name := range unknownVariables() {
		log.Warn("a variable of the environment counts for nothing: \"carryover help configuration\" lists those that do", "name", name)
	}
}

// unknownVariables names the variables of the environment that look as if they counted: misspelt
// ones, and those of other versions. It says nothing of what they hold.
func unknownVariables() (names []string) {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "CARRYOVER_") && !slices.Contains(variables, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
