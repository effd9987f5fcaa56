package book

import "fmt"

// InputError says that what a person asked for cannot be meant: nothing was done.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

// NewInputError is an [InputError] with a sentence that says what to write instead.
func NewInputError(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}
