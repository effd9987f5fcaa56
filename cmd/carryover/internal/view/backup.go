package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"carryover/mapping/backup"
)

const backupMoment = "2006-01-02 15:04:05 MST"

// Backup writes what was saved.
func Backup(w io.Writer, file string, head *backup.Head, entries []backup.Entry, zone *time.Location) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Saved as of %s in %s:\n", head.SavedAt.In(zone).Format(backupMoment), file)
	writeEntries(&text, entries)
	for _, left := range head.LeftOut {
		fmt.Fprintf(&text, "Left out: %s\n", left)
	}
	if !head.HasBook {
		text.WriteString("There is no book in this data folder: save the machine that has it, too.\n")
	}
	for _, name := range head.Variables {
		fmt.Fprintf(&text, "%s comes from the environment and is not in it: keep it elsewhere.\n", name)
	}
	text.WriteString("It holds secrets and people's addresses: keep it as safe as the data folder.\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// writeEntries lists files, and those of a folder as one.
func writeEntries(text *strings.Builder, entries []backup.Entry) {
	for i := 0; i < len(entries); {
		name, _, folder := strings.Cut(strings.TrimPrefix(entries[i].Name, "data/"), "/")
		n, bytes := 0, int64(0)
		for ; i < len(entries); i++ {
			rest := strings.TrimPrefix(entries[i].Name, "data/")
			if rest != name && !(folder && strings.HasPrefix(rest, name+"/")) {
				break
			}
			n, bytes = n+1, bytes+entries[i].Size
		}
		if folder && n > 1 {
			fmt.Fprintf(text, "  %-16s %8s in %d files\n", name+"/", size(bytes), n)
		} else {
			fmt.Fprintf(text, "  %-16s %8s\n", strings.TrimPrefix(entries[i-1].Name, "data/"), size(bytes))
		}
	}
}

// size is a number of bytes for a person.
func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Next is what the sentences about the next steps depend on.
type Next struct {
	Command   string // how carryover is called
	SamePlans bool   // the configuration means for plans what the saved one did
	Redis     bool   // a Redis is named
}

// Restored writes what was restored and what to do next.
func Restored(w io.Writer, data, file string, head *backup.Head, done *backup.Restored, next Next, zone *time.Location) error {
	var text strings.Builder
	saved := head.SavedAt.In(zone).Format(backupMoment)
	fmt.Fprintf(&text, "Restored to %s, as saved on %s by carryover %s for program %s:\n", data, saved, head.Carryover, head.Program)
	writeEntries(&text, done.Files)
	switch done.Config {
	case backup.ConfigWritten:
		text.WriteString("The configuration was written too: there was none.\n")
	case backup.ConfigKept:
		text.WriteString("The configuration that is here is not the one that was saved, and was left alone")
		if next.SamePlans {
			text.WriteString("; for plans they mean the same")
		}
		fmt.Fprintf(&text, ". To see the saved one: tar -xzOf %s config/carryover.toml\n", file)
	}
	for _, name := range head.Variables {
		fmt.Fprintf(&text, "%s is not in it: set it to what it was, or cookies and maps that were signed with it count for nothing.\n", name)
	}
	step := 0
	say := func(format string, args ...any) {
		step++
		fmt.Fprintf(&text, "%d. "+format+"\n", append([]any{step}, args...)...)
	}
	text.WriteString("Next:\n")
	if head.HasBook && next.Redis {
		say("%s map publish    (Redis may hold a newer or an older map than the book)", next.Command)
	}
	if head.HasBook {
		say("%s verify         (reads the exports again, where they were)", next.Command)
	}
	say("%s gateway", next.Command)
	if head.HasBook {
		say("What came after %s is not in it: have the billing system tell again what it told since then (what is known is not\n"+
			"   booked twice), and record again what was recorded by hand, payouts first: else they are paid a second time.", saved)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
