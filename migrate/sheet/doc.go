// Package sheet turns the bytes of an export into rows: it finds the files, tells
// their encoding, delimiter, header and kind, and decodes each row into a struct,
// with a line number and a reason for every row that cannot be read. It also writes
// every CSV that people open. It knows no platform: kinds are handed to it as data,
// and what a row means, or whom it belongs to, is decided elsewhere.
package sheet
