package brantsql

import "strings"

// What begins and ends transactions is refused by the core in the user's SQL, and recognised here: ORMs and migration tools write it.

type verb int

const (
	verbBegin verb = iota
	verbCommit
	verbRollback
	verbSavepoint
	verbRelease
	verbRollbackTo
)

func (v verb) String() string {
	return [...]string{"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ROLLBACK TO"}[v]
}

type control struct {
	verb verb
	name string // of a savepoint
}

// parseControl reads a statement that begins or ends a transaction; rest is what follows it. Not ok: it is another statement.
func parseControl(text string) (what control, rest string, ok bool) {
	words := make([]string, 0, 5)
	rest = text
	for {
		rest = skipBlank(rest, "")
		if rest == "" || rest[0] == ';' {
			break
		}
		var word string
		word, rest = cutWord(rest)
		if word == "" || len(words) == cap(words) {
			return control{}, "", false
		}
		words = append(words, word)
		if len(words) == 1 && !isControl(word) {
			return control{}, "", false
		}
	}
	if len(words) == 0 {
		return control{}, "", false
	}
	rest = strings.TrimPrefix(rest, ";")
	is := func(i int, any ...string) bool {
		for _, word := range any {
			if i < len(words) && strings.EqualFold(words[i], word) {
				return true
			}
		}
		return false
	}
	next := 1
	pass := func(any ...string) {
		if is(next, any...) {
			next++
		}
	}
	switch {
	case is(0, "BEGIN"):
		pass("DEFERRED", "IMMEDIATE", "EXCLUSIVE")
		pass("TRANSACTION")
		what.verb = verbBegin
	case is(0, "COMMIT", "END"):
		pass("TRANSACTION")
		what.verb = verbCommit
	case is(0, "ROLLBACK"):
		pass("TRANSACTION")
		what.verb = verbRollback
		if is(next, "TO") {
			next++
			pass("SAVEPOINT")
			what.verb = verbRollbackTo
		}
	case is(0, "SAVEPOINT"):
		what.verb = verbSavepoint
	case is(0, "RELEASE"):
		pass("SAVEPOINT")
		what.verb = verbRelease
	}
	if what.verb >= verbSavepoint {
		if next == len(words) { // a savepoint may be called "savepoint"
			next--
		}
		if next == 0 {
			return control{}, "", false
		}
		what.name = unquote(words[next])
		next++
	}
	return what, rest, next == len(words)
}

func isControl(word string) bool {
	switch strings.ToUpper(word) {
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return true
	}
	return false
}

// cutWord takes a name or word from the front of a text, quoted or not; "" where there is none.
func cutWord(text string) (word, rest string) {
	closing := text[0]
	switch closing {
	case '[':
		closing = ']'
	case '"', '`', '\'':
	default:
		end := strings.IndexFunc(text, func(r rune) bool {
			return r != '_' && r != '$' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 0x80
		})
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:]
	}
	for i := 1; i < len(text); i++ {
		if text[i] != closing {
			continue
		}
		if closing != ']' && i+1 < len(text) && text[i+1] == closing {
			i++
			continue
		}
		return text[:i+1], text[i+1:]
	}
	return "", text
}

func unquote(word string) string {
	quote := word[0]
	switch quote {
	case '"', '`', '\'':
		return strings.ReplaceAll(word[1:len(word)-1], string([]byte{quote, quote}), string(quote))
	case '[':
		return word[1 : len(word)-1]
	}
	return word
}

// skipSpace passes over white space, comments and empty statements.
func skipSpace(text string) string { return skipBlank(text, ";") }

// skipBlank passes over white space, comments and some further characters.
func skipBlank(text, also string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f"+also)
		opened, closing := 2, "*/"
		switch {
		case strings.HasPrefix(text, "--"):
			closing = "\n"
		case !strings.HasPrefix(text, "/*"):
			return text
		}
		end := strings.Index(text[opened:], closing)
		if end < 0 {
			return "" // SQLite ends it with the text, too
		}
		text = text[opened+end+len(closing):]
	}
}
