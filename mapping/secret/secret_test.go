package secret

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const (
	good   = "0123456789abcdef0123456789abcdef"
	former = "fedcba9876543210fedcba9876543210"
)

func mustParse(t *testing.T, text string) *Secret {
	t.Helper()
	s, err := Parse(text, Variable)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The labels and the derivation are fixed: whatever was signed stays signed.
func TestKeysAreFixed(t *testing.T) {
	s := mustParse(t, good)
	// Checked against RFC 5869 with Python's hmac: extract with an empty salt, expand with the info.
	for p, want := range map[Purpose]string{
		Clicks:  "1cdf004415c393014dbdb81e97290949484b7af1904862f15e71283a92a171fd",
		Cookies: "b88a6709a68c2bafcbf3b73fc8b640f41418d33abbbfae18ae0dff2128b7a711", Maps: "92a616d123526d732ab96c50814105b59d668c79f9a8916f9d98e94384b60314", Pages: "1fb73f84f0b76d5231df91b2ab1076b0c7105924a027b0b23827e8d6eb94e120", Hooks: "7c9dadc4bfbe697289a1884ffb4679d9178447553c5ca1126f4bd0eefdb530b9",
	} {
		if got := hex.EncodeToString(s.Key(p)); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestFormerSecretsAreBelieved(t *testing.T) {
	s := mustParse(t, good+"\n"+former+"\n")
	keys := s.Keys(Maps)
	if len(keys) != 2 || !bytes.Equal(keys[0], s.Key(Maps)) || !bytes.Equal(keys[0], mustParse(t, good).Key(Maps)) ||
		!bytes.Equal(keys[1], mustParse(t, former).Key(Maps)) {
		t.Errorf("%d keys: %x", len(keys), keys)
	}
	if other := mustParse(t, good+","+former).Keys(Maps); !slices.EqualFunc(keys, other, bytes.Equal) {
		t.Error("with a comma between them they are others")
	}
}

func TestWeakSecretsAreRefused(t *testing.T) {
	bad := func(text, want string) {
		t.Helper()
		s, err := Parse(text, Variable)
		if s != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), Variable) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		for _, word := range strings.Fields(text) {
			if len(word) > 3 && err != nil && strings.Contains(err.Error(), word) {
				t.Errorf("the error repeats the secret: %v", err)
			}
		}
	}
	bad("", "empty")
	bad(" \n", "empty")
	bad("changeme", "at least 16 characters, this one has 8")
	bad(strings.Repeat("a", 40), "at least 8 different characters, this one has 1")
	bad("Schlüssel-der-Karotte-eins", "plain ASCII")
	bad("0123456789abcde\x00f012345", "plain ASCII")
	bad(strings.Repeat("0123456789", 200), "at most 1024")
	bad("correct horse battery staple", "secret 1 of those there")
	bad(good+" short", "secret 2 of those there")
	bad(strings.Repeat(good+" ", 5), "at most 4")
}

// Nothing that prints a secret prints more than where it comes from.
func TestSecretIsNotPrinted(t *testing.T) {
	s := mustParse(t, good)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s)
	asJSON, _ := json.Marshal(map[string]any{"s": s})
	text := fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, struct{ S *Secret }{s}) + log.String() + string(asJSON)
	if strings.Contains(text, good) || strings.Contains(text, hex.EncodeToString([]byte(good))) || !strings.Contains(text, Variable) {
		t.Error(text)
	}
}

func TestFileIsMadeOnce(t *testing.T) {
	t.Setenv(Variable, "")
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Read(dir); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), Variable) {
		t.Errorf("reading made or found one: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the folder: %v", err)
	}
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(dir)
	if err != nil || !bytes.Equal(first.Key(Maps), second.Key(Maps)) {
		t.Errorf("it did not last: %v", err)
	}
	path := filepath.Join(dir, FileName)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	names, _ := os.ReadDir(dir)
	if len(names) != 1 {
		t.Errorf("left beside it: %v", names)
	}
	if err := os.Chmod(path, 0o644); err != nil { // as a copy may have it
		t.Fatal(err)
	}
	third, err := Read(dir)
	if info, _ := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || !bytes.Equal(first.Key(Maps), third.Key(Maps)) {
		t.Errorf("%v %v", info.Mode(), err)
	}
	// Whom the owner lets read it may go on; nobody else writes it.
	for mode, want := range map[fs.FileMode]fs.FileMode{0o640: 0o640, 0o660: 0o640, 0o400: 0o400, 0o440: 0o440, 0o666: 0o600, 0o604: 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Read(dir)
		if info, _ := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%v became %v, want %v; %v", mode, info.Mode(), want, err)
		}
	}
	// A mount gives it as a symbolic link; an editor begins and ends it in its own way.
	linked := t.TempDir()
	if err := os.Symlink(path, filepath.Join(linked, FileName)); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(linked); err != nil || !bytes.Equal(first.Key(Maps), s.Key(Maps)) {
		t.Errorf("a symbolic link: %v", err)
	}
	plain, _ := os.ReadFile(path)
	edited := t.TempDir()
	if err := os.WriteFile(filepath.Join(edited, FileName), []byte("\ufeff"+strings.TrimSpace(string(plain))+"\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(edited); err != nil || !bytes.Equal(first.Key(Maps), s.Key(Maps)) {
		t.Errorf("a byte order mark: %v", err)
	}
	// The file's text in the environment is the same secret, and goes before the file.
	text, _ := os.ReadFile(path)
	t.Setenv(Variable, string(text))
	if s, err := Read(t.TempDir()); err != nil || !bytes.Equal(first.Key(Maps), s.Key(Maps)) || s.From() != Variable {
		t.Errorf("%v %v", s, err)
	}
	t.Setenv(Variable, "short")
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), Variable) {
		t.Errorf("a weak one in the environment: %v", err)
	}
}

// A file that is damaged is told, and never written over: what it signed would be void.
func TestDamagedFileIsTold(t *testing.T) {
	t.Setenv(Variable, "")
	bad := func(want string, make func(path string) error) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, FileName)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	bad("is empty", write(""))
	bad("backup", write("\n"))
	bad("at least 16 characters", write("0123"))
	bad("plain ASCII", write(strings.Repeat("\x00", 64)))
	bad("longer than any secret", write(strings.Repeat("0123456789abcdef\n", 1000)))
	bad("not there", func(path string) error { return os.Symlink("/nowhere/secret", path) })
	bad("plain ASCII", write("\xff\xfe0\x001\x002\x003\x004\x005\x006\x007\x008\x00")) // UTF-16, as PowerShell writes it
	bad("is no file", func(path string) error { return os.Mkdir(path, 0o700) })
	bad("is no file", func(path string) error { return syscall.Mkfifo(path, 0o600) })
}

// Programs that begin at one time agree on one secret.
func TestProgramsAgree(t *testing.T) {
	if dir := os.Getenv("CARRYOVER_TEST_SECRET_DIR"); dir != "" {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("key=%x\n", s.Key(Maps))
		return
	}
	t.Setenv(Variable, "")
	dir := t.TempDir()
	var wg sync.WaitGroup
	keys := make([]string, 12)
	for i := range keys {
		wg.Go(func() {
			if i < 8 {
				s, err := Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				keys[i] = hex.EncodeToString(s.Key(Maps))
				return
			}
			c := exec.Command(os.Args[0], "-test.run=^TestProgramsAgree$")
			c.Env = append(os.Environ(), "CARRYOVER_TEST_SECRET_DIR="+dir)
			out, err := c.CombinedOutput()
			_, key, found := strings.Cut(string(out), "key=")
			if err != nil || !found {
				t.Errorf("%v %s", err, out)
				return
			}
			keys[i], _, _ = strings.Cut(key, "\n")
		})
	}
	wg.Wait()
	if slices.Sort(keys); keys[0] == "" || keys[0] != keys[len(keys)-1] {
		t.Errorf("they differ: %v", slices.Compact(keys))
	}
}
