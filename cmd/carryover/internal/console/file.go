package console

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteNew writes a file for its owner only, and never over another: a file of payments
// may be on its way already.
func WriteNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s is there already: choose another name with --out, or move it away", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
