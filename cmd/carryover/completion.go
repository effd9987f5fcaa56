package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/console"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCmd) Help() string {
	return `Prints a script for the shell; it asks this program what may come next. Changes nothing.

bash: add  source <(carryover completion bash)  to ~/.bashrc

zsh: add  source <(carryover completion zsh)  to ~/.zshrc, behind compinit

fish: carryover completion fish > ~/.config/fish/completions/carryover.fish

Example: carryover completion bash`
}

func (c *completionCmd) Run(a *app) error {
	_, err := fmt.Fprint(a.Out, console.CompletionScript(c.Shell, "carryover"))
	return err
}

// complete answers a shell.
func (a *app) complete(words []string) int {
	parser, err := newParser(a, func(int) {})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	offers := console.Complete(parser.Model, words)
	if len(words) > 1 && words[0] == "help" {
		offers = append(offers, console.Complete(parser.Model, words[1:])...)
		if len(words) == 2 {
			offers = append(readManual().Offers(words[1]), offers...)
		}
	}
	for _, offer := range offers {
		fmt.Fprintln(a.Out, offer)
	}
	return console.ExitDone
}

type manCmd struct{}

func (manCmd) Help() string {
	return `Prints the manual page of every command in roff, for man. Changes nothing.

Example: carryover man > /usr/local/share/man/man1/carryover.1`
}

func (manCmd) Run(a *app, k *kong.Kong) error { return console.ManPage(a.Out, k.Model, version) }
