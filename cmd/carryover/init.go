package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"carryover/cmd/carryover/internal/config"
)

type initCmd struct{}

func (initCmd) Help() string {
	return `Writes every key with its default and what it means to the file that --config names. An existing file
is left alone.

Example: carryover init`
}

func (initCmd) Run(a *app) error {
	f, err := os.OpenFile(a.Config, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and was left as it is: move it away, or name another with --config", a.Config)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(config.Example())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if a.JSON {
		return a.Object(map[string]string{"config": a.Config})
	}
	a.Say("%s is written. Fill in hosts, pages and the cutoff, then: carryover plan EXPORTS", a.Config)
	return nil
}
