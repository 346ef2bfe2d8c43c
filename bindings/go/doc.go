// Package brant is an embedded hub for graph data and events: typed graphs and notifications, committed together in one SQLite file that
// programs in C, Python, Node.js and Go open at the same time. What one commits the others see, and are woken by, with no server to run.
//
//	db, err := brant.Open("app.db", nil)
//	if err != nil { ... }
//	defer db.Close()
//	_, err = db.Graphs.Create(ctx, brant.NewGraph{Name: "debian", GraphType: "open"})
//	_, err = db.Graph("debian").Nodes.Put(ctx, brant.NewNode{Key: "libc6", Attributes: map[string]any{"size": 13}})
//
// # Data
//
// Attributes, metadata and payloads are any value that encoding/json writes as the JSON wanted, or JSON text as json.RawMessage or
// []byte; they come back as json.RawMessage, with 64-bit integers exact. Members of stored data are named as in the file, in
// snake_case. Keys and names are UTF-8 without NUL, compared byte by byte. Times are milliseconds since the Unix epoch.
//
// In the structs that go in, a zero member is one that is left out.
//
// # Waiting
//
// DB.Listen, Stream.Subscribe, Queue.Work, Queue.Jobs, Group.Join, DB.Lock and DB.RunScheduler wait without a thread and without processor time.
// Everything else that they have to do with (Enqueue, Publish, Ack, Commit and so on) is on a Tx too, and commits with its data.
//
// # Secrets
//
// Attributes that a graph type marks with x-encrypted are stored encrypted, with keys that the application keeps and gives to a DB by
// DB.Keyring. They are read as envelopes; Nodes.OpenSecret opens one. Key and Secret are shown by nothing but their Reveal.
//
// # Errors
//
// Every error is an *Error, with a Code that says what to do about it: errors.Is(err, brant.ErrNotFound).
//
// # Limits
//
// A document has at most 64 MiB and 512 levels, a key 1024 bytes, a batch 100 000 items; Options.Limits changes that.
//
// # SQLite
//
// The package carries its own SQLite. No other SQLite may open the same file in the same process (ErrForeignSQLite); DB.Execute runs SQL on
// the file. Other files, and other processes, may use any.
package brant
