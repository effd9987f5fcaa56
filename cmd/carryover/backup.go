package main

import (
	"os"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/view"
	"carryover/mapping/backup"
	"carryover/mapping/secret"
)

type backupCmd struct {
	File string `arg:"" help:"The archive to write, such as carryover-2026-03-31.tar.gz."`
}

func (backupCmd) Help() string {
	return `Saves the book, the click spool, the secret, the last good link map, the plan and the configuration in one
archive, each file with its checksum. It may run at any time: gateways and other commands go on writing, and
whatever was answered before it began is in it. The archive holds secrets, and is readable by its owner only.
Changes nothing else. A former backup of that name is replaced when the new one is complete.

Example: carryover backup /mnt/backup/carrot.tar.gz`
}

// backupSource is what there is to save, or to copy.
func (a *app) backupSource(cfg *config.Config) backup.Source {
	s := backup.Source{
		Data: a.Data, Book: a.bookPath(cfg), Config: a.Config, Program: cfg.Program, ConfigHash: cfg.Settings().ConfigHash, Version: version,
	}
	if os.Getenv(secret.Variable) != "" {
		s.Variables = []string{secret.Variable}
	}
	return s
}

func (c *backupCmd) Run(a *app) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	head, entries, err := backup.Write(a.ctx, a.backupSource(cfg), c.File)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Object(map[string]any{"file": c.File, "backup": head, "files": entries})
	}
	return view.Backup(a.Out, c.File, &head, entries, cfg.Zone)
}

type restoreCmd struct {
	File string `arg:"" help:"The archive that \"carryover backup\" wrote."`
}

func (restoreCmd) Help() string {
	return `Puts what was saved into an empty data folder (--data): all of it, or nothing. The archive is read to its end
first, and every file compared with its checksum. The configuration is written when there is none; one that is
there is left alone. Then it says what to do next. A folder that holds anything is refused, and nothing is changed.

Example: carryover restore /mnt/backup/carrot.tar.gz --data data`
}

func (c *restoreCmd) Run(a *app) error {
	archive, err := backup.Open(a.ctx, c.File)
	if err != nil {
		return err
	}
	cfg, err := a.savedConfig(archive)
	if err != nil {
		return err
	}
	done, err := archive.Restore(a.ctx, backup.Target{Data: a.Data, Book: a.bookPath(cfg), Config: a.Config})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Object(map[string]any{"data": a.Data, "backup": archive.Head, "files": done.Files, "config": done.Config})
	}
	same := archive.Head.ConfigHash == cfg.Settings().ConfigHash
	return view.Restored(a.Out, a.Data, c.File, &archive.Head, done, view.Next{Command: a.invocation(), SamePlans: same, Redis: a.redisURL(cfg) != ""}, cfg.Zone)
}

// savedConfig is the configuration that is there, or else the one that was saved.
func (a *app) savedConfig(archive *backup.Archive) (*config.Config, error) {
	if _, err := os.Stat(a.Config); err == nil {
		return config.Load(a.Config)
	}
	text, err := archive.Config(a.ctx)
	if err != nil {
		return nil, err
	}
	return config.Parse("the configuration in the backup", text)
}
