package track

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a body.
const (
	maxBody  = 64 << 10 // bytes
	maxDepth = 64       // of nested lists and objects
)

// value is a field as it came: the text of a JSON value, or of a form's field.
type value struct {
	text   string
	typ    valueType
	broken bool // text has half of a character in it
}

type valueType uint8

const (
	textValue valueType = iota
	numberValue
	boolValue
	compositeValue // a list or an object, as JSON
)

// fields are the fields of a body, by name. A field that is null is not there; of a name that
// comes twice the last counts.
type fields map[string]value

// bodyError says why a body as a whole was refused.
type bodyError struct {
	status  int
	message string
}

func (e *bodyError) Error() string { return e.message }

// Mistakes of bodies.
var (
	errNotJSON    = &bodyError{400, "The body is no JSON object: send one such as {\"email\": \"a@b.test\"}"}
	errTooDeep    = &bodyError{400, "The body has lists or objects too deep in one another"}
	errNotForm    = &bodyError{400, "The body is no form in parts: the boundary that Content-Type names must be in it"}
	errMediaType  = &bodyError{415, "The body is neither JSON nor a form: send Content-Type: application/json"}
	errCompressed = &bodyError{415, "The body is compressed: send it as it is, without Content-Encoding"}
	errTooLarge   = &bodyError{413, "The body is larger than 64 kB"}
)

// readBody reads the fields of a body: a form in parts by its content type, and everything else
// by how it looks, since clients label JSON as a form, forms as JSON, and both as plain text. No
// body has no fields. The fields keep nothing of body.
func readBody(body []byte, contentType string) (fields, error) {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	media, params, _ := mime.ParseMediaType(contentType)
	switch {
	case len(trimmed) == 0: // all fields may be in the address
		return fields{}, nil
	case media == "multipart/form-data":
		return readParts(body, params["boundary"])
	case trimmed[0] == '{' || trimmed[0] == '[':
		return readJSON(trimmed)
	case looksLikeForm(trimmed):
		f := fields{}
		f.readForm(string(trimmed))
		return f, nil
	case contentType == "", media == "application/json",
		strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"):
		return nil, errNotJSON
	}
	return nil, errMediaType
}

// looksLikeForm reports whether a body begins with the name of a field and an equals sign.
func looksLikeForm(body []byte) bool {
	name, _, ok := bytes.Cut(body, []byte("="))
	return ok && len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.[]%+&", r)
	})
}

func readJSON(body []byte) (fields, error) {
	switch {
	case depth(body) > maxDepth:
		return nil, errTooDeep
	case len(body) == 0 || body[0] != '{':
		return nil, errNotJSON
	}
	return readObject([]byte(toUTF8(string(body))))
}

// readObject reads the fields of a JSON object. Values that are lists or objects stay JSON.
func readObject(text []byte) (fields, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, errNotJSON
	}
	f := make(fields, len(raw))
	for name, r := range raw {
		v := value{text: string(r)}
		switch r[0] {
		case 'n':
			continue
		case '"':
			if err := json.Unmarshal(r, &v.text); err != nil {
				return nil, errNotJSON
			}
			// Half of a surrogate pair: two ids would look the same.
			v.broken = strings.ContainsRune(v.text, utf8.RuneError) && bytes.Contains(bytes.ToLower(r), []byte(`\ud`))
		case 't', 'f':
			v.typ = boolValue
		case '{', '[':
			v.typ = compositeValue
		default:
			v.typ = numberValue
		}
		f[name] = v
	}
	return f, nil
}

// depth is how deep the lists and objects of a JSON text are nested, at most maxDepth + 1.
func depth(text []byte) int {
	deepest, depth, quoted := 0, 0, false
	for i := 0; i < len(text) && deepest <= maxDepth; i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// readForm adds the fields of a query or a form to f.
func (f fields) readForm(text string) {
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		f[unescape(name)] = value{text: unescape(val)}
	}
}

// unescape decodes a name or value of a form. As in browsers, a % that no two hex digits follow
// stands for itself.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return toUTF8(plain)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '+':
			b.WriteByte(' ')
		case text[i] == '%' && i+2 < len(text):
			if plain, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
			fallthrough
		default:
			b.WriteByte(text[i])
		}
	}
	return toUTF8(b.String())
}

// toUTF8 reads text that is not UTF-8 as Latin-1: a name in another field must not cost a sale.
func toUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// readParts reads a multipart form, as browsers send files and some clients everything. It
// leaves files out.
func readParts(body []byte, boundary string) (fields, error) {
	f := fields{}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil || boundary == "":
			return nil, errNotForm
		}
		text, err := io.ReadAll(part)
		switch name := part.FormName(); {
		case err != nil:
			return nil, errNotForm
		case name == "" || part.FileName() != "":
		default:
			f[toUTF8(name)] = value{text: toUTF8(string(text))}
		}
	}
}
