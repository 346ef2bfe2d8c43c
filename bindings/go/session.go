package brant

// Identity is who a session is of, and what it may: DB.Session. Authenticate answers one for whoever has an API key.
type Identity struct {
	ID        string    `json:"id"`
	ActorType ActorType `json:"actor_type,omitempty"` // default ActorAccount; not ActorSystem
	// Scopes are what it may, together with what the access graph gives its principal.
	Scopes []string `json:"scopes,omitzero"`
	// Within is what it may at the most; nil: anything, and empty: nothing.
	Within []string `json:"within,omitzero"`
	// Denies are what it may not; a scope is enough that overlaps it.
	Denies []string `json:"denies,omitzero"`
	// Resources are actions by "<type>:<id>": {"graph:notes": {"read"}}.
	Resources    map[string][]string `json:"resources,omitzero"`
	Principal    string              `json:"principal,omitempty"`    // the key of its node in the access graph
	Organization string              `json:"organization,omitempty"` // the only one in which it acts
	Level        Level               `json:"level,omitempty"`        // there, at the most
	Key          string              `json:"key,omitempty"`          // id of the API key
	Reason       string              `json:"reason,omitempty"`       // for the audit log; at most 1000 bytes
	// Files are what it may do to paths on this machine: "read", "write". No scope says that.
	Files []string `json:"files,omitzero"`
}
