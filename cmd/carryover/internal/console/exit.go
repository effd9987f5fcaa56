package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"carryover/mapping/book"
	"carryover/migrate"
)

// Exit codes.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
	ExitDecide = 3 // a person must decide
)

// ExitError ends a command with a code of its own. Err may be nil when everything was said
// already.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return fmt.Sprint(e.Err) }
func (e *ExitError) Unwrap() error { return e.Err }

// UsageError is an error of the command line.
func UsageError(format string, args ...any) error {
	return &ExitError{ExitUsage, fmt.Errorf(format, args...)}
}

// Decide ends a command that leaves something for a person to decide; err is nil when that was
// said already.
func Decide(err error) error { return &ExitError{ExitDecide, err} }

// ExitCode says how a command ended, and why if it was not well. ctx is the command's.
func (c *Console) ExitCode(ctx context.Context, err error) int {
	if out, ok := c.Out.(*safeWriter); ok {
		out.flush()
	}
	var exit *ExitError
	var input *book.InputError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &exit) && exit.Err == nil:
		return exit.Code
	case errors.Is(err, syscall.EPIPE):
		return ExitDone // whoever read our output has enough
	case errors.As(err, &exit):
		c.Note("%v", exit.Err)
		return exit.Code
	case errors.As(err, &input):
		c.Note("%v", err)
		return ExitUsage
	case errors.Is(err, migrate.ErrUndecided), errors.Is(err, book.ErrMapElsewhere):
		c.Note("%v", err)
		return ExitDecide
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "interrupted")): // SQLite's word for it
		c.Note("stopped")
		return ExitFailed
	case strings.Contains(err.Error(), "SQLITE_BUSY"):
		c.Note("%v\nAnother program is writing to the book and did not end in time: a large \"apply\", or a gateway that hangs. %s",
			err, busyAdvice(err))
		return ExitFailed
	}
	c.Note("%v", err)
	return ExitFailed
}

// busyAdvice says what to do when the book was in use. Some commands write several times,
// and their errors say what is done already.
func busyAdvice(err error) string {
	if strings.Contains(err.Error(), ", but the link map was not published") {
		return "Try that again when it is done."
	}
	return "Nothing was changed: try again when it is done."
}
