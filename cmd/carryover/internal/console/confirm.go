package console

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// Confirm asks a person at a terminal; everything but a yes is a no. A script is not asked: what
// it runs is what was meant, and asked is false.
func (c *Console) Confirm(question string) (yes, asked bool) {
	in, ok := c.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !c.AtTerminal() {
		return true, false
	}
	fmt.Fprint(c.Err, question+" [y/N] ")
	answer, _ := bufio.NewReader(in).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", true
}
