// Carryover moves an affiliate program from Keap to FirstPromoter and keeps every old
// link working on the way.
package main

import (
	"os"
	"syscall"

	"carryover/cmd/carryover/internal/console"
)

func main() {
	hidePassword()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// hidePassword starts the program anew when an address with a password stands in its command line,
// which everybody on the machine can list: with the address in the environment, which only the
// same user can read.
func hidePassword() {
	args, url := console.TakeSecret(os.Args, "--redis")
	if url == "" || os.Setenv("REDIS_URL", url) != nil {
		return
	}
	if path, err := os.Executable(); err == nil {
		_ = syscall.Exec(path, args, os.Environ()) // where a system cannot, it goes on as it was called
	}
}
