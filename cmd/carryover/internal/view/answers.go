package view

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping"
)

// AnswerLines answers a line for each line of the input, in order, and what was read so far
// whenever the input pauses.
func AnswerLines(c *console.Console, table *mapping.Table, zone *time.Location, now time.Time) error {
	asJSON := c.Form == console.JSON
	lines := console.NewLines(c.In)
	out := bufio.NewWriterSize(c.Out, 256<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	n, wrong := 0, 0
	for {
		if !lines.Waiting() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		n++
		if err != nil && !errors.Is(err, console.ErrLongLine) {
			return errors.Join(fmt.Errorf("line %d of the input: %w", n, err), out.Flush())
		}
		at, url, ok := strings.Cut(line, "\t")
		if !ok {
			at, url = "", line
		}
		when := now
		if at != "" && err == nil {
			when, err = console.ParseTime(at, zone)
		}
		if err != nil {
			wrong++
			c.Note("line %d: %v", n, err)
			if err := refuse(out, enc, asJSON, at, url, err); err != nil {
				return err
			}
			continue
		}
		ans := table.Answer(url, when)
		if at != "" {
			ans.At = at
		}
		if asJSON {
			err = enc.Encode(ans)
		} else {
			_, err = fmt.Fprintf(out, "%s\t%d\t%s\t%s\n", ans.Outcome, ans.Status, ans.Location, url)
		}
		if err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d lines could not be answered", wrong, n)
	}
	return nil
}

// refuse takes the place of an answer, so that the lines of input and output stay pairs.
func refuse(out io.Writer, enc *json.Encoder, asJSON bool, at, url string, why error) error {
	if asJSON {
		return enc.Encode(map[string]string{"url": url, "at": at, "error": why.Error()})
	}
	_, err := fmt.Fprintf(out, "error\t\t\t%s\n", url)
	return err
}
