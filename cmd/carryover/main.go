// Carryover moves an affiliate program from Keap to FirstPromoter and keeps every old
// link working on the way.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
