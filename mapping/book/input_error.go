package book

import "fmt"

// InputError says that what a person asked for makes no sense. Nothing was done.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

// NewInputError returns an [InputError] with a sentence that says what to write instead.
func NewInputError(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}
