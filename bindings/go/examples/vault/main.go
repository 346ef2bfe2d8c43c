// Command vault keeps a token encrypted in a file and its keys in another one, and changes the key each time it runs. Arguments: the file.
// Python's and Node's vault do the same; each runs on the files that another made.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/brant-db/brant-go"
)

// Service is a type of nodes. The token is encrypted before it is stored: SQLite never sees it. What is read is its envelope.
type Service struct {
	URL   string `json:"url"`
	Token any    `json:"token" jsonschema:"x-encrypted"`
}

// ring is a key ring as this program keeps it: brant stores no key.
type ring struct {
	Keys []json.RawMessage `json:"keys"`
}

// save writes the ring beside and renames it: at no moment there is half of one.
func save(path string, keys ring) error {
	text, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	defer clear(text)
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// load reads the ring, or makes one where nothing is encrypted yet.
func load(ctx context.Context, db *brant.DB, path string) (keys ring, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		defer clear(text)
		return keys, json.Unmarshal(text, &keys)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return keys, err
	}
	status, err := db.Secrets.Status(ctx, "")
	if err != nil {
		return keys, err
	}
	if status.Total > 0 {
		return keys, fmt.Errorf("%s is lost, and with it what is encrypted: another key does not open it", path)
	}
	if keys, err = keys.with(1); err != nil {
		return keys, err
	}
	return keys, save(path, keys)
}

// with adds a new active key; the others only open from now on.
func (r ring) with(version int64) (more ring, err error) {
	for _, entry := range r.Keys {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(entry, &members); err != nil {
			return more, err
		}
		members["state"] = json.RawMessage(`"decrypt_only"`)
		if entry, err = json.Marshal(members); err != nil {
			return more, err
		}
		more.Keys = append(more.Keys, entry)
	}
	key, err := brant.GenerateKey(brant.KeyOptions{Version: version})
	if err != nil {
		return more, err
	}
	defer key.Wipe()
	entry, err := key.Reveal()
	more.Keys = append(more.Keys, entry)
	return more, err
}

func attach(db *brant.DB, keys ring) error {
	text, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	defer clear(text)
	_, err = db.KeyringJSON(text)
	return err
}

// define makes the graph when it is not there.
func define(ctx context.Context, db *brant.DB) error {
	_, err := db.Graphs.Get(ctx, "services")
	if !errors.Is(err, brant.ErrNotFound) {
		return err
	}
	module, err := brant.NewModule(brant.ModuleSpec{ID: "services", Nodes: []any{Service{}}})
	if err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *brant.Tx) error {
		if _, err := tx.GraphTypes.Define(ctx, module, nil); err != nil {
			return err
		}
		_, err := tx.Graphs.Create(ctx, brant.NewGraph{Name: "services", GraphType: "services"})
		return err
	})
}

func run(ctx context.Context, path string) error {
	db, err := brant.Open(path, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := define(ctx, db); err != nil {
		return err
	}
	keysPath := path + ".keys"
	keys, err := load(ctx, db, keysPath)
	if err != nil {
		return err
	}
	if err := attach(db, keys); err != nil {
		return err
	}

	services := brant.NodesOf[Service](db.Graph("services"), "services", "Service")
	if _, err := services.Put(ctx, "forge", Service{URL: "https://forge.example", Token: "token-of-ann"}); err != nil {
		return err
	}
	secret, err := db.Graph("services").Nodes.OpenSecret(ctx, "forge", "attributes.token")
	if err != nil {
		return err
	}
	defer secret.Wipe()
	var token string
	if err := secret.Decode(&token); err != nil {
		return err
	}
	fmt.Println("opened:", secret, "of", len(token), "characters")

	// A new key. The old ones open what they sealed, until everything is under the new one; backups from before still need them. The file has the
	// new one before anything is sealed with it.
	if keys, err = keys.with(secret.KeyVersion + 1); err != nil {
		return err
	}
	if err := save(keysPath, keys); err != nil {
		return err
	}
	if err := attach(db, keys); err != nil {
		return err
	}
	rotated, err := db.Secrets.Rotate(ctx, nil) // batch by batch, while others read and write
	if err != nil {
		return err
	}
	if rotated.Failed > 0 {
		return fmt.Errorf("%d values do not open: %+v", rotated.Failed, rotated.Failures)
	}
	fmt.Println("rotated:", rotated.Rewrapped, "to version", rotated.KeyVersion)
	keys.Keys = keys.Keys[len(keys.Keys)-1:]
	return save(keysPath, keys)
}

func main() {
	path := "vault.db"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if err := run(context.Background(), path); err != nil {
		log.Fatal(err)
	}
}
