package console

import (
	"net/url"
	"strings"
)

// TakeSecret takes a flag out of a command line when the address that it gives may hold a
// password. Without one (address is empty) the line stays as it is. The last of several flags
// counts, as it does for the parser.
func TakeSecret(args []string, flag string) (rest []string, address string) {
	last := ""
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if value, found := strings.CutPrefix(args[i], flag+"="); found {
			last = value
		} else if args[i] == flag && i+1 < len(args) {
			i++
			last = args[i]
		} else {
			rest = append(rest, args[i])
		}
	}
	if !hasPassword(last) {
		return args, ""
	}
	return rest, last
}

// hasPassword reports whether an address names who asks; one that cannot be read is taken to.
func hasPassword(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.User != nil
}
