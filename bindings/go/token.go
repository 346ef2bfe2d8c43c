package brant

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Token is a token that was just made, of an API key or an invitation: hand Reveal to whoever it is for. It is stored nowhere.
//
// It is shown by Reveal and by nothing else: fmt, log/slog, encoding/json and what asks for text get "[token]", also where the Token is part of something
// else; encoding/gob gets an error. Copies share it: Wipe is for all of them.
type Token struct{ text *concealed }

// Reveal is its text, "brant_key_...". Empty: it was wiped.
func (t Token) Reveal() (text string) {
	if t.text != nil {
		_ = t.text.use(func(bytes []byte) error {
			text = string(bytes)
			return nil
		})
	}
	return text
}

// Wipe overwrites the token, in all copies of it.
func (t Token) Wipe() { t.text.wipe() }

const shownToken = "[token]"

// String is "[token]".
func (t Token) String() string { return shownToken }

// GoString is "[token]".
func (t Token) GoString() string { return shownToken }

// Format writes "[token]" for every verb.
func (t Token) Format(state fmt.State, _ rune) { showAs(state, shownToken) }

// LogValue is "[token]".
func (t Token) LogValue() slog.Value { return slog.StringValue(shownToken) }

// MarshalText is "[token]".
func (t Token) MarshalText() ([]byte, error) { return []byte(shownToken), nil }

// MarshalJSON is "[token]".
func (t Token) MarshalJSON() ([]byte, error) { return []byte(`"` + shownToken + `"`), nil }

// UnmarshalJSON is ErrMisuse.
func (t *Token) UnmarshalJSON([]byte) error { return failf(ErrMisuse, "a token is not read from JSON") }

// GobEncode is ErrMisuse.
func (t Token) GobEncode() ([]byte, error) { return nil, notEncoded("a token") }

// GobDecode is ErrMisuse.
func (t *Token) GobDecode([]byte) error { return notEncoded("a token") }

// newToken takes a token out of an answer.
type newToken struct{ token Token }

// UnmarshalJSON takes the text over. A token needs no escapes.
func (n *newToken) UnmarshalJSON(text []byte) error {
	if len(text) < 2 || text[0] != '"' {
		return &json.UnmarshalTypeError{Value: "what is no token"}
	}
	n.token = Token{conceal(append([]byte(nil), text[1:len(text)-1]...))}
	return nil
}
