package config

import (
	"slices"
	"testing"
)

func TestUnknownVariables(t *testing.T) {
	t.Setenv("CARRYOVER_SECRET", "x")
	t.Setenv("CARRYOVER_API_KEYS", "x")
	t.Setenv("CARRYOVER_SECERT", "x")
	t.Setenv("CARRYOVERS", "x")
	got := unknownVariables()
	if !slices.Contains(got, "CARRYOVER_SECERT") || slices.Contains(got, "CARRYOVER_SECRET") || slices.Contains(got, "CARRYOVER_API_KEYS") ||
		slices.Contains(got, "CARRYOVERS") {
		t.Error(got)
	}
}
