package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// CompleteCommand is what the scripts of [CompletionScript] call: the words of the command line
// so far follow it, the one under the cursor last.
const CompleteCommand = "__complete"

// CompletionScript is what a shell reads to complete the command lines of a program; empty for
// a shell that is none of [Shells].
func CompletionScript(shell, program string) string {
	return strings.NewReplacer("PROGRAM", program, "COMPLETE", CompleteCommand).Replace(completionScripts[shell])
}

// Shells are those that have a script.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Nothing on offer means that the shell offers files.
var completionScripts = map[string]string{
	"bash": `_PROGRAM() {
    mapfile -t COMPREPLY < <("$1" COMPLETE "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
}
complete -o default -F _PROGRAM PROGRAM
`,
	"zsh": `#compdef PROGRAM
_PROGRAM() {
    local line
    local -a offers
    for line in "${(@f)$("${words[1]}" COMPLETE "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && offers+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#offers} )); then _describe PROGRAM offers; else _files; fi
}
compdef _PROGRAM PROGRAM
`,
	"fish": `function __PROGRAM_offers
    set -l line (commandline -opc)
    $line[1] COMPLETE $line[2..-1] (commandline -ct) 2>/dev/null
end
complete -c PROGRAM -f -n 'count (__PROGRAM_offers) >/dev/null' -a '(__PROGRAM_offers)'
`,
}

// Complete is how the last of words may go on, one a line with what it means behind a tab:
// commands, flags and their values. Empty where a file or any other text may stand.
func Complete(model *kong.Application, words []string) (offers []string) {
	if len(words) == 0 {
		return nil
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	node, arguments := model.Node, 0
	var open *kong.Flag // whose value is next
	for _, word := range before {
		switch {
		case word == "=": // bash makes a word of it
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			if f := flagNamed(node, strings.TrimLeft(word, "-")); f != nil && !f.IsBool() {
				open = f
			}
		default:
			if child := childNamed(node, word); child != nil {
				node = child
			} else {
				arguments++
			}
		}
	}
	offer := func(word, means string) {
		if strings.HasPrefix(word, last) {
			offers = append(offers, word+"\t"+means)
		}
	}
	switch {
	case open != nil:
		last = strings.TrimPrefix(last, "=")
		offerValues(open.Value, offer)
	case strings.HasPrefix(last, "--") && strings.Contains(last, "="):
		name, _, _ := strings.Cut(last, "=")
		if f := flagNamed(node, name[2:]); f != nil {
			offerValues(f.Value, func(word, means string) { offer(name+"="+word, means) })
		}
	case strings.HasPrefix(last, "-"):
		for _, f := range flagsOf(node) {
			offer("--"+f.Name, firstSentence(f.Help))
		}
	default:
		for _, child := range node.Children {
			if !child.Hidden && arguments == 0 {
				offer(child.Name, firstSentence(child.Help))
			}
		}
		if arguments < len(node.Positional) {
			offerValues(node.Positional[arguments], offer)
		}
	}
	return offers
}

func offerValues(v *kong.Value, offer func(word, means string)) {
	for _, word := range v.EnumSlice() {
		if word != "" {
			offer(word, "")
		}
	}
}

func childNamed(n *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(n.Children, func(c *kong.Node) bool { return c.Type == kong.CommandNode && c.Name == name })
	if i < 0 {
		return nil
	}
	return n.Children[i]
}

// flagsOf are the flags that may follow a command: its own, then those of what it is part of.
func flagsOf(n *kong.Node) (flags []*kong.Flag) {
	if n.DefaultCmd != nil {
		flags = append(flags, n.DefaultCmd.Flags...)
	}
	for ; n != nil; n = n.Parent {
		flags = append(flags, n.Flags...)
	}
	return slices.DeleteFunc(flags, func(f *kong.Flag) bool { return f.Hidden })
}

func flagNamed(n *kong.Node, name string) *kong.Flag {
	flags := flagsOf(n)
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return flags[i]
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}

// flagUsage is a flag as a command line has it: --since=TIME.
func flagUsage(f *kong.Flag) string {
	if f.IsBool() {
		return "--" + f.Name
	}
	return fmt.Sprintf("--%s=%s", f.Name, f.FormatPlaceHolder())
}
