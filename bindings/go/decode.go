package brant

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// reader reads the core's own JSON, compact and valid, into the records that come in great numbers: several times as fast as
// encoding/json, which checks each text before it decodes it. A member that it does not know is passed over; the first fault sticks.
type reader struct {
	text  []byte
	at    int
	wrong bool
	kept  string // the last name of a type: neighbours in a list mostly share it

	shared bool // the text is never changed: what is read of it may stay on it
}

// readable is a record that a reader reads.
type readable interface{ read(r *reader) }

var errUnexpected = errors.New("unexpected JSON")

func decode(text []byte, answer any) error {
	record, ok := answer.(readable)
	if !ok {
		return json.Unmarshal(text, answer)
	}
	r := reader{text: text}
	record.read(&r)
	if r.wrong || r.at != len(text) {
		return errUnexpected
	}
	return nil
}

// decodeArray appends the elements of an array.
func decodeArray[T any](text []byte, items *[]T) error {
	r := reader{text: text}
	readArray(&r, items)
	if r.wrong || r.at != len(text) {
		return unreadable(errUnexpected)
	}
	return nil
}

func readArray[T any](r *reader, items *[]T) {
	r.array(func() {
		*items = append(*items, *new(T))
		item := &(*items)[len(*items)-1]
		if record, ok := any(item).(readable); ok {
			record.read(r)
		} else if err := json.Unmarshal(r.raw(), item); err != nil {
			r.wrong = true
		}
	})
}

func (r *reader) next() byte {
	if r.at >= len(r.text) {
		r.wrong = true
		return 0
	}
	return r.text[r.at]
}

func (r *reader) accept(c byte) bool {
	if r.next() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) expect(c byte) {
	if !r.accept(c) {
		r.wrong = true
	}
}

// word passes over null, true or false.
func (r *reader) word(word string) bool {
	if !bytes.HasPrefix(r.text[min(r.at, len(r.text)):], []byte(word)) {
		return false
	}
	r.at += len(word)
	return true
}

// object calls member for each member, which reads the value.
func (r *reader) object(member func(name []byte)) {
	r.expect('{')
	for first := true; !r.wrong && !r.accept('}'); first = false {
		if !first {
			r.expect(',')
		}
		name := r.quoted()
		r.expect(':')
		member(name)
	}
}

func (r *reader) array(element func()) {
	r.expect('[')
	for first := true; !r.wrong && !r.accept(']'); first = false {
		if !first {
			r.expect(',')
		}
		element()
	}
}

// quoted passes over a string and returns what is between its quotes.
func (r *reader) quoted() []byte {
	r.expect('"')
	from := r.at
	for !r.wrong {
		i := bytes.IndexByte(r.text[r.at:], '"')
		if i < 0 {
			break
		}
		r.at += i + 1
		escapes := 0
		for r.text[r.at-2-escapes] == '\\' {
			escapes++ // it ends at the opening quote at the latest
		}
		if escapes%2 == 0 {
			return r.text[from : r.at-1]
		}
	}
	r.wrong = true
	return nil
}

func (r *reader) string() string {
	from := r.at
	inner := r.quoted()
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var text string
	if json.Unmarshal(r.text[from:r.at], &text) != nil {
		r.wrong = true
	}
	return text
}

// optional is text, or nothing for null.
func (r *reader) optional() string {
	if r.word("null") {
		return ""
	}
	return r.string()
}

// typeName is optional for what is often the same.
func (r *reader) typeName() string {
	from := r.at
	if r.accept('"') && len(r.text)-r.at > len(r.kept) && string(r.text[r.at:r.at+len(r.kept)]) == r.kept && r.text[r.at+len(r.kept)] == '"' {
		r.at += len(r.kept) + 1
		return r.kept
	}
	r.at = from
	r.kept = r.optional()
	if bytes.IndexByte(r.text[from:r.at], '\\') >= 0 {
		name := r.kept
		r.kept = "" // what is kept is compared as it is written
		return name
	}
	return r.kept
}

func (r *reader) integer() int64 {
	negative := r.accept('-')
	var value int64
	from := r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		value = value*10 + int64(r.text[r.at]-'0') // at the least integer this wraps to what its negation is
		r.at++
	}
	r.wrong = r.wrong || r.at == from || r.at-from > 19
	if negative {
		return -value
	}
	return value
}

func (r *reader) boolean() bool {
	if r.word("true") {
		return true
	}
	if !r.word("false") {
		r.wrong = true
	}
	return false
}

// skip passes over any value.
func (r *reader) skip() {
	depth := 0
	for !r.wrong {
		switch r.next() {
		case '"':
			r.quoted()
		case '{', '[':
			depth++
			r.at++
			continue
		case '}', ']':
			depth--
			r.at++
		case ',', ':':
			r.at++
			continue
		default:
			for r.at < len(r.text) && !bytes.ContainsRune([]byte(`,:{}[]"`), rune(r.text[r.at])) {
				r.at++
			}
		}
		if depth == 0 {
			return
		}
		if depth < 0 {
			r.wrong = true
		}
	}
}

// raw is any value, a copy of it unless the text is shared.
func (r *reader) raw() json.RawMessage {
	from := r.at
	r.skip()
	if r.wrong {
		return nil
	}
	if r.shared {
		return json.RawMessage(r.text[from:r.at:r.at])
	}
	return append(json.RawMessage(nil), r.text[from:r.at]...)
}

func (p *Put) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			p.Key = r.string()
		case "created":
			p.Created = r.boolean()
		case "revision":
			p.Revision = r.integer()
		default:
			r.skip()
		}
	})
}

func (n *Node) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			n.Key = r.string()
		case "type":
			n.Type = r.typeName()
		case "attributes":
			n.Attributes = r.raw()
		case "metadata":
			n.Metadata = r.raw()
		case "revision":
			n.Revision = r.integer()
		case "created_at":
			n.CreatedAt = Timestamp(r.integer())
		case "updated_at":
			n.UpdatedAt = Timestamp(r.integer())
		default:
			r.skip()
		}
	})
}

func (e *Edge) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			e.Key = r.string()
		case "type":
			e.Type = r.typeName()
		case "source":
			e.Source = r.string()
		case "target":
			e.Target = r.string()
		case "undirected":
			undirected := r.boolean()
			e.Undirected = &undirected
		case "attributes":
			e.Attributes = r.raw()
		case "metadata":
			e.Metadata = r.raw()
		case "revision":
			e.Revision = r.integer()
		case "created_at":
			e.CreatedAt = Timestamp(r.integer())
		case "updated_at":
			e.UpdatedAt = Timestamp(r.integer())
		default:
			r.skip()
		}
	})
}

func (n *Neighbor) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			n.Key = r.string()
		case "type":
			n.Type = r.typeName()
		case "edge":
			n.Edge.read(r)
		default:
			r.skip()
		}
	})
}

func (e *NeighborEdge) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			e.Key = r.string()
		case "type":
			e.Type = r.typeName()
		case "source":
			e.Source = r.string()
		case "target":
			e.Target = r.string()
		case "undirected":
			undirected := r.boolean()
			e.Undirected = &undirected
		case "attributes":
			e.Attributes = r.raw()
		default:
			r.skip()
		}
	})
}

func (p *Page[T]) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "items":
			p.Items = []T{}
			readArray(r, &p.Items)
		case "cursor":
			p.Cursor = r.optional()
		default:
			r.skip()
		}
	})
}

// unmarshal reads a record that is a part of what encoding/json reads.
func unmarshal(text []byte, record readable) error {
	compact := text
	if bytes.ContainsAny(text, " \t\r\n") {
		var buffer bytes.Buffer
		if err := json.Compact(&buffer, text); err != nil {
			return err
		}
		compact = buffer.Bytes()
	}
	r := reader{text: compact}
	record.read(&r)
	if r.wrong || r.at != len(compact) {
		return errUnexpected
	}
	return nil
}

// base64 is what a string of it stands for.
func (r *reader) base64() []byte {
	inner := r.quoted()
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(inner)))
	n, err := base64.StdEncoding.Decode(decoded, inner)
	r.wrong = r.wrong || err != nil
	return decoded[:n]
}

// sharedText is how long a text may be that its events share: who keeps one of them keeps all of it.
const sharedText = 128 * 1024

// decodeEvents is decodeArray for events: their payloads are parts of one copy of a text that is not long.
func decodeEvents(text []byte, items *[]Event) error {
	r := reader{}
	if r.shared = len(text) <= sharedText; r.shared {
		text = bytes.Clone(text)
	}
	r.text = text
	readArray(&r, items)
	if r.wrong || r.at != len(text) {
		return unreadable(errUnexpected)
	}
	return nil
}

func (g *Gap) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "from":
			g.From = r.integer()
		case "to":
			g.To = r.integer()
		default:
			r.skip()
		}
	})
}

func (e *Event) read(r *reader) {
	r.object(func(name []byte) { e.member(r, name) })
}

func (e *Event) member(r *reader, name []byte) {
	switch string(name) {
	case "offset":
		e.Offset = r.integer()
	case "key":
		e.Key = r.typeName()
	case "payload":
		e.Payload = r.raw()
	case "payload_base64":
		e.Bytes = r.base64()
	case "created_at":
		e.CreatedAt = Timestamp(r.integer())
	case "gap":
		e.Gap = new(Gap)
		e.Gap.read(r)
	default:
		r.skip()
	}
}

func (d *Delivery) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "token":
			d.Token = r.integer()
		case "delivery":
			d.Delivery = int(r.integer())
		default:
			d.member(r, name)
		}
	})
}

func (e *Events) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "items":
			e.Items = []Event{}
			readArray(r, &e.Items)
		case "next":
			e.Next = r.integer()
		case "gap":
			e.Gap = new(Gap)
			e.Gap.read(r)
		default:
			r.skip()
		}
	})
}

func (j *Job) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "id":
			j.ID = r.integer()
		case "token":
			j.Token = r.integer()
		case "queue":
			j.Queue = r.typeName()
		case "payload":
			j.Payload = r.raw()
		case "payload_base64":
			j.Bytes = r.base64()
		case "attempt":
			j.Attempt = int(r.integer())
		case "max_attempts":
			j.MaxAttempts = int(r.integer())
		case "priority":
			j.Priority = int(r.integer())
		case "key":
			j.Key = r.string()
		case "progress":
			j.Progress = r.raw()
		case "schedule":
			j.Schedule = r.string()
		case "created_at":
			j.CreatedAt = Timestamp(r.integer())
		case "lease_until":
			j.LeaseUntil = Timestamp(r.integer())
		default:
			r.skip()
		}
	})
}

func (c *Claimed) read(r *reader) {
	r.object(func(name []byte) {
		switch string(name) {
		case "items":
			r.array(func() {
				job := new(Job)
				job.read(r)
				c.Jobs = append(c.Jobs, job)
			})
		case "acked":
			c.Acked = r.integer()
		case "stale":
			r.array(func() { c.Stale = append(c.Stale, r.integer()) })
		default:
			r.skip()
		}
	})
}
