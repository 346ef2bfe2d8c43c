package brant

import (
	"context"
	"iter"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// WalkOptions of Nodes.Walk are those of Nodes.Closure; without a limit it goes through everything that can be reached.
type WalkOptions = ClosureOptions

// WalkBatch is a part of what Nodes.Walk goes through.
type WalkBatch struct {
	Keys    []string `json:"keys"`    // at most 10 000, in the order of Nodes.Closure
	Depths  []int    `json:"depths"`  // as in Closure
	Parents []int    `json:"parents"` // indexes into the keys of all batches, one after the other; -1 for a start
}

// Walk goes through what can be reached from the given nodes, as Closure has it, in batches, in memory that does not grow with the answer. An
// error is the last thing that it yields.
//
// It shows the graph as it was when the loop began: it holds the snapshot in memory, and neither a transaction nor a reader, so the body of
// the loop may take its time, and write. Errors as in Closure; ErrClosed: the database was closed meanwhile.
func (n Nodes) Walk(ctx context.Context, keys []string, options *WalkOptions) iter.Seq2[WalkBatch, error] {
	return func(yield func(WalkBatch, error) bool) {
		w, err := n.walk(ctx, keys, options)
		if err != nil {
			yield(WalkBatch{}, err)
			return
		}
		defer w.cursor.Free()
		for {
			batch, some, err := w.next(ctx)
			if err != nil {
				yield(WalkBatch{}, err)
				return
			}
			if !some || !yield(batch, nil) {
				return
			}
		}
	}
}

// walk is an open cursor of nodes.walk.
type walk struct {
	r          runner // keeps the database
	connection *connection
	cursor     *cbrant.Cursor
}

func (n Nodes) walk(ctx context.Context, keys []string, options *WalkOptions) (*walk, error) {
	in := options.members(n.input().texts("keys", keys))
	defer in.free()
	if in.err != nil {
		return nil, in.err
	}
	input := in.done()
	w := &walk{r: n.r}
	err := n.r.on(ctx, func(c *connection) error {
		w.connection = c
		return c.watched(ctx, func() (err error) {
			w.cursor, err = c.handle.OpenCursor(cbrant.Brant_node_walk, input)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// next is a batch, if there is some. The connection may have other calls meanwhile: they take turns.
func (w *walk) next(ctx context.Context) (batch WalkBatch, some bool, err error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := w.connection.watched(ctx, func() error { return w.cursor.Next(out) }); err != nil {
		return WalkBatch{}, false, err
	}
	var batches walked
	if err := decode(out.Bytes(), &batches); err != nil {
		return WalkBatch{}, false, unreadable(err)
	}
	if len(batches) == 0 {
		return WalkBatch{}, false, nil
	}
	return batches[0], true, nil
}
