package brant

import (
	"context"
)

// BatchOptions of the methods that write many.
type BatchOptions struct {
	Skip bool // write what is good and report the rest; else all or nothing
}

// The methods that write many do it in one transaction, all or nothing unless BatchOptions say otherwise. On failure the error's Items
// say which items are at fault, and its code is that of the first. ErrLimit: more than Options.Limits.Batch.

// Batch is what a method that writes many did.
type Batch struct {
	Created   int64       `json:"created"`
	Updated   int64       `json:"updated"`
	Unchanged int64       `json:"unchanged"`
	Failed    int64       `json:"failed"` // with BatchOptions.Skip: how many items are at fault,
	Items     []ItemFault `json:"items"`  // and the first 100 of them
}

func batchInput[T any](in *input, items []T, each func(*T), options []BatchOptions) *input {
	in.name("items")
	in.buffer = append(in.buffer, '[')
	for i := range items {
		in.item(i, func() { each(&items[i]) })
	}
	in.buffer = append(in.buffer, ']')
	return skipping(in, options)
}

func skipping(in *input, options []BatchOptions) *input {
	for _, option := range options {
		if option.Skip {
			return in.text("errors", "skip")
		}
	}
	return in
}

// Patch is a change of attributes: a JSON merge patch (RFC 7386).
type Patch struct {
	Key        string
	Attributes any    // members to set; null takes one away
	Metadata   any    // the same
	Revision   *int64 // that must be stored: see Revision
}

func (p *Patch) members(in *input) *input {
	return in.text("key", p.Key).value("attributes", p.Attributes).value("metadata", p.Metadata).revision(p.Revision)
}

// Patched is what a patch did.
type Patched struct {
	Key      string `json:"key"`
	Revision int64  `json:"revision"`
	Changed  bool   `json:"changed"` // false: it was so already, and the revision stays
}

// Deleted is what DeleteMany and DeleteWhere did.
type Deleted struct {
	Deleted int64       `json:"deleted"`
	Edges   int64       `json:"edges"` // that went with nodes
	Failed  int64       `json:"failed"`
	Items   []ItemFault `json:"items"`
}

// Insert inserts a node; it takes no revision. ErrExists: there is one of the key; else as Put.
func (n Nodes) Insert(ctx context.Context, node NewNode) (Put, error) {
	return do[Put](ctx, n.r, nodesInsert, node.members(n.input()))
}

// InsertMany inserts many nodes, all or none unless BatchOptions say otherwise. ErrExists: also for the second of a key.
func (n Nodes) InsertMany(ctx context.Context, nodes []NewNode, options ...BatchOptions) (Batch, error) {
	in := n.input()
	return do[Batch](ctx, n.r, nodesInsertMany, batchInput(in, nodes, func(node *NewNode) { node.members(in) }, options))
}

// Patch changes members of a node's attributes. Where nothing changes the revision stays. ErrNotFound; ErrValidation: of what they would be
// then; ErrConflict: another revision is stored.
func (n Nodes) Patch(ctx context.Context, patch Patch) (Patched, error) {
	return do[Patched](ctx, n.r, nodesPatch, patch.members(n.input()))
}

// PatchMany patches many nodes, all or none unless BatchOptions say otherwise, in order: later patches of a key see the earlier.
func (n Nodes) PatchMany(ctx context.Context, patches []Patch, options ...BatchOptions) (Batch, error) {
	in := n.input()
	return do[Batch](ctx, n.r, nodesPatchMany, batchInput(in, patches, func(patch *Patch) { patch.members(in) }, options))
}

// PutLines is PutMany for an NDJSON text: one object {"key", "type", "attributes", ..} a line, blank ones ignored. With BatchOptions.Skip
// a line that is none is a fault like others.
func (n Nodes) PutLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, n.r, nodesPutMany, skipping(n.input().text("items", text), options))
}

// InsertLines is InsertMany for an NDJSON text, as PutLines takes it.
func (n Nodes) InsertLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, n.r, nodesInsertMany, skipping(n.input().text("items", text), options))
}

// PatchLines is PatchMany for an NDJSON text: one object {"key", "attributes", ..} a line.
func (n Nodes) PatchLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, n.r, nodesPatchMany, skipping(n.input().text("items", text), options))
}

// DeleteMany deletes nodes by key, all or none unless BatchOptions say otherwise; edges: their edges too, else a node that has some is
// ErrConstraint. ErrNotFound: one of them.
func (n Nodes) DeleteMany(ctx context.Context, keys []string, edges bool, options ...BatchOptions) (Deleted, error) {
	return do[Deleted](ctx, n.r, nodesDeleteMany, skipping(withEdges(n.input().texts("keys", keys), edges), options))
}

// DeleteWhere deletes the nodes that match a filter, in order of creation; Filter{} is all of them. One that has edges, without edges, is
// ErrConstraint, and nothing is deleted.
func (n Nodes) DeleteWhere(ctx context.Context, filter any, edges bool) (Deleted, error) {
	return do[Deleted](ctx, n.r, nodesDeleteMany, withEdges(n.input().anyValue("filter", filter), edges))
}

func withEdges(in *input, edges bool) *input {
	if edges {
		in.text("edges", "delete")
	}
	return in
}

// Insert inserts an edge; it takes no revision. ErrExists: there is one of the key, or without a key of the ends and type; else as Put.
func (e Edges) Insert(ctx context.Context, edge NewEdge) (Put, error) {
	return do[Put](ctx, e.r, edgesInsert, edge.members(e.input()))
}

// InsertMany inserts many edges, all or none unless BatchOptions say otherwise.
func (e Edges) InsertMany(ctx context.Context, edges []NewEdge, options ...BatchOptions) (Batch, error) {
	in := e.input()
	return do[Batch](ctx, e.r, edgesInsertMany, batchInput(in, edges, func(edge *NewEdge) { edge.members(in) }, options))
}

// Patch changes members of an edge's attributes, as Nodes.Patch does; ends and type stay.
func (e Edges) Patch(ctx context.Context, patch Patch) (Patched, error) {
	return do[Patched](ctx, e.r, edgesPatch, patch.members(e.input()))
}

// PatchMany patches many edges, all or none unless BatchOptions say otherwise.
func (e Edges) PatchMany(ctx context.Context, patches []Patch, options ...BatchOptions) (Batch, error) {
	in := e.input()
	return do[Batch](ctx, e.r, edgesPatchMany, batchInput(in, patches, func(patch *Patch) { patch.members(in) }, options))
}

// PutLines is PutMany for an NDJSON text: one object {"source", "target", "type", "attributes", ..} a line, as Nodes.PutLines takes it.
func (e Edges) PutLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, e.r, edgesPutMany, skipping(e.input().text("items", text), options))
}

// InsertLines is InsertMany for an NDJSON text.
func (e Edges) InsertLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, e.r, edgesInsertMany, skipping(e.input().text("items", text), options))
}

// PatchLines is PatchMany for an NDJSON text: one object {"key", "attributes", ..} a line.
func (e Edges) PatchLines(ctx context.Context, text string, options ...BatchOptions) (Batch, error) {
	return do[Batch](ctx, e.r, edgesPatchMany, skipping(e.input().text("items", text), options))
}

// DeleteMany deletes edges by key, all or none unless BatchOptions say otherwise. ErrNotFound: one of them.
func (e Edges) DeleteMany(ctx context.Context, keys []string, options ...BatchOptions) (Deleted, error) {
	return do[Deleted](ctx, e.r, edgesDeleteMany, skipping(e.input().texts("keys", keys), options))
}

// DeleteWhere deletes the edges that match a filter; Filter{} is all of them.
func (e Edges) DeleteWhere(ctx context.Context, filter any) (Deleted, error) {
	return do[Deleted](ctx, e.r, edgesDeleteMany, e.input().anyValue("filter", filter))
}

// PurgedPart is what Purge removed.
type PurgedPart struct {
	Purged bool  `json:"purged"` // false: some is left, and the graph is marked deleted
	Nodes  int64 `json:"nodes"`
	Edges  int64 `json:"edges"`
}

// Purge removes a graph of any status and all that is in it for good; with a limit that is not 0 at most so many nodes and edges, so that no
// call is long: it marks the graph deleted, and is called again until Purged. ErrNotFound.
func (g Graphs) Purge(ctx context.Context, name string, limit int) (PurgedPart, error) {
	return do[PurgedPart](ctx, g.r, graphsPurge, newInput().text("name", name).positive("limit", limit))
}

// EraseOptions of DB.Erase; nil is the default.
type EraseOptions struct {
	Redact      bool   // replace the values where they stand; else what holds them is deleted
	Replacement string // default "[erased]"
	DryRun      bool   // report only
}

// Erased is what Erase touched.
type Erased struct {
	Nodes  []ErasedItem `json:"nodes"` // the first 1000
	Edges  []ErasedItem `json:"edges"` // the first 1000 that held a value
	Counts struct {
		Nodes         int64 `json:"nodes"`
		Edges         int64 `json:"edges"` // those that went with nodes too
		Notifications int64 `json:"notifications"`
		Graphs        int64 `json:"graphs"`
		Jobs          int64 `json:"jobs"`
		Events        int64 `json:"events"` // of streams
		Schedules     int64 `json:"schedules"`
		RateLimits    int64 `json:"rate_limits"`
		Pending       int64 `json:"pending"` // events that members of groups have, whose names were replaced
		Locks         int64 `json:"locks"`   // whose owners' names were replaced
	} `json:"counts"`
	Truncated bool            `json:"truncated"` // there were more than the lists have
	Refused   []ErasedRefusal `json:"refused"`
	Scrubbed  bool            `json:"scrubbed"` // no byte of what was removed is left in the file and its log
}

// ErasedItem is a node or edge that Erase touched.
type ErasedItem struct {
	Graph  string `json:"graph"`
	Key    string `json:"key"`
	Action string `json:"action"` // "delete" or "redact"
}

// ErasedRefusal is what Erase found and left as it is.
type ErasedRefusal struct {
	Graph  string  `json:"graph"`
	Key    *string `json:"key"` // nil: the graph itself
	Reason string  `json:"reason"`
}

// Erase finds and removes one person's data in every graph of the file, archived and deleted ones too: nodes, with their edges, and edges
// whose key is one of the 1 to 100 values, or whose attributes or metadata hold one as a whole text, or as a member's name, anywhere;
// notifications whose channel or payload does. With Redact the text is replaced; what has the value as its key is deleted all the same, and
// so is what would not satisfy its schema any more. Graphs stay: owner and project that are a value are taken away, their metadata is
// redacted, and one whose name is a value is refused.
//
// Then, outside a transaction, the file is rewritten, which takes time and temporary disk space by its size, and its log emptied. Where
// readers or writers that do not end within the busy timeout, or a full disk, prevent that Scrubbed is false: call again with the same
// values. Backups are yours to look after. ErrInvalid: a value is empty, or the replacement holds one.
func (o operations) Erase(ctx context.Context, values []string, options *EraseOptions) (Erased, error) {
	in := newInput().texts("values", values)
	if options != nil {
		if options.Redact {
			in.text("action", "redact")
		}
		in.given("replacement", options.Replacement).flag("dry_run", options.DryRun)
	}
	return do[Erased](ctx, o.r, dbErase, in)
}
