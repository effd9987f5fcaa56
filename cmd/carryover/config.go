package main

import (
	"errors"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say what is wrong with the configuration, or what it comes to."`
}

func (configCmd) Help() string {
	return `Works on the file that --config names.

Example: carryover config check`
}

type configCheckCmd struct{}

func (configCheckCmd) Help() string {
	return `Reads the configuration as every command does and says all that is wrong with it: file, line, key and what would
be right. When nothing is wrong it says what the main keys come to, with the defaults of those that are left out.
Exits 1 when something is wrong. With --json one object; "mistakes" is empty when there are none. Changes nothing.

Example: carryover config check --config carryover.toml`
}

// configReport is what a configuration comes to, as --json tells it.
type configReport struct {
	Config   string   `json:"config"` // the file
	Mistakes []string `json:"mistakes"`

	*config.Facts // nil when there are mistakes
}

func (configCheckCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong) && a.Form == console.JSON:
		err = a.Object(configReport{Config: a.Config, Mistakes: wrong.Mistakes})
		return errors.Join(err, &console.ExitError{Code: console.ExitFailed})
	case err != nil:
		return err
	}
	facts := cfg.Facts()
	if facts.Book = a.bookPath(cfg); a.redisURL(cfg) != "" {
		facts.LinkMap = "redis"
	}
	if a.Form == console.JSON {
		return a.Object(configReport{Config: a.Config, Mistakes: []string{}, Facts: facts})
	}
	a.Say("Nothing is wrong with %s.\n", cfg.Path)
	return a.Facts(facts.Rows(cfg))
}
