package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The example runs, again too, with keys that only their owner can read, and not with another key when they are lost.
func TestVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	for range 2 {
		if err := run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}

	keys := path + ".keys"
	info, err := os.Stat(keys)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	text, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	var stored struct {
		Keys []struct {
			Version int64
			State   string
		}
	}
	if err := json.Unmarshal(text, &stored); err != nil || len(stored.Keys) != 1 || stored.Keys[0].Version != 3 || stored.Keys[0].State != "active" {
		t.Errorf("%+v %v", stored, err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte("token-of-ann")) {
			t.Error("a token in", file)
		}
	}

	if err := os.Remove(keys); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is lost") {
		t.Error(err)
	}
	if _, err := os.Stat(keys); err == nil {
		t.Error("another key was made")
	}
}
