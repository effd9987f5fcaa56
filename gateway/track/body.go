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
	"unicode/utf8"
)

// Bounds of a body.
const (
	maxBody  = 64 << 10 // bytes
	maxDepth = 8        // of nested lists and objects
)

// value is a field as it came: the text of a JSON value, or of a form's field.
type value struct {
	text string
	typ  valueType
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
	errEncoding   = &bodyError{400, "The body is not UTF-8: send it as UTF-8"}
	errNotForm    = &bodyError{400, "The body is no form: a % in it must be followed by two hex digits"}
	errMislabeled = &bodyError{400, "The body looks like JSON and is labelled as a form: send Content-Type: application/json"}
	errFormToV2   = &bodyError{400, "This version of the API takes JSON: send a JSON object with Content-Type: application/json"}
	errMediaType  = &bodyError{415, "The body is neither JSON nor a form: send Content-Type: application/json"}
	errCompressed = &bodyError{415, "The body is compressed: send it as it is, without Content-Encoding"}
	errTooLarge   = &bodyError{413, "The body is larger than 64 kB"}
)

// readBody reads the fields of a body by its content type; without one it is JSON if it begins
// like JSON. forms says whether forms are taken. The fields keep nothing of body.
func readBody(body []byte, contentType string, forms bool) (fields, error) {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	jsonLike := len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[')
	media, params, _ := mime.ParseMediaType(contentType)
	switch {
	case media == "" && contentType != "":
		return nil, errMediaType
	case forms && len(trimmed) == 0: // all fields may be in the address
		return fields{}, nil
	case media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"),
		media == "" && (jsonLike || !forms):
		return readJSON(trimmed)
	case media == "application/x-www-form-urlencoded" && jsonLike:
		return nil, errMislabeled
	case media == "application/x-www-form-urlencoded", media == "":
		if !forms {
			return nil, errFormToV2
		}
		f := fields{}
		return f, f.readForm(string(body))
	case media == "multipart/form-data":
		if !forms {
			return nil, errFormToV2
		}
		return readParts(body, params["boundary"])
	}
	return nil, errMediaType
}

func readJSON(body []byte) (fields, error) {
	switch {
	case !utf8.Valid(body):
		return nil, errEncoding
	case depth(body) > maxDepth:
		return nil, errTooDeep
	case len(body) == 0 || body[0] != '{':
		return nil, errNotJSON
	}
	return readObject(body)
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
			if strings.ContainsRune(v.text, utf8.RuneError) && bytes.Contains(bytes.ToLower(r), []byte(`\ud`)) {
				return nil, errEncoding // half of a surrogate pair
			}
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
func (f fields) readForm(text string) error {
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		val, err2 := url.QueryUnescape(val)
		switch {
		case err1 != nil || err2 != nil:
			return errNotForm
		case !utf8.ValidString(name) || !utf8.ValidString(val):
			return errEncoding
		}
		f[name] = value{text: val}
	}
	return nil
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
		case !utf8.ValidString(name) || !utf8.Valid(text):
			return nil, errEncoding
		default:
			f[name] = value{text: string(text)}
		}
	}
}
