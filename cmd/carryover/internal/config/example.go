package config

import _ "embed"

//go:embed carryover.toml
var example string

// Example is a configuration with every key that there is, its default and what it means: what
// "carryover init" writes.
func Example() string { return example }
