package console

import (
	"os"
	"os/user"
	"strings"
)

// User is who does something: as named, else the user of this machine.
func User(name string) string {
	if name = strings.TrimSpace(name); name != "" {
		return name
	}
	if name = os.Getenv("USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
