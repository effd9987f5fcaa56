package console

import (
	"slices"

	"github.com/alecthomas/kong"
)

// FlagsLast moves flags behind the words of a command line, which keep their order: kong
// takes no flag before its command, nor between two arguments of one list.
func FlagsLast(model *kong.Application, args []string) []string {
	takesValue := map[string]bool{}
	var note func(n *kong.Node)
	note = func(n *kong.Node) {
		for _, f := range n.Flags {
			takesValue["--"+f.Name] = !f.IsBool()
		}
		for _, child := range n.Children {
			note(child)
		}
	}
	note(model.Node)
	var words, flags []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--": // only words from here on, even those that look like flags
			n := CommandWords(model.Node, words)
			return slices.Concat(words[:n], flags, []string{"--"}, words[n:], args[i+1:])
		case len(arg) < 2 || arg[0] != '-': // "-" is a word: standard input
			words = append(words, arg)
		case takesValue[arg] && i+1 < len(args):
			flags = append(flags, arg, args[i+1])
			i++
		default:
			flags = append(flags, arg)
		}
	}
	return append(words, flags...)
}

// CommandWords is how many of the words name the command.
func CommandWords(n *kong.Node, words []string) int {
	if len(words) > 0 {
		if child := childNamed(n, words[0]); child != nil {
			return 1 + CommandWords(child, words[1:])
		}
	}
	return 0
}

// CommandNames are all commands below n, as they are typed.
func CommandNames(n *kong.Node) (names []string) {
	for _, child := range n.Children {
		if child.Type != kong.CommandNode {
			continue
		}
		names = append(names, child.Name)
		for _, name := range CommandNames(child) {
			names = append(names, child.Name+" "+name)
		}
	}
	return names
}
