// Package expect is what the tests of several packages have in common. No package but tests has it, and no published module.
package expect

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

// OK ends the test with an error.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Value is the value of a call that must not fail: Value(call())(t).
func Value[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		OK(t, err)
		return value
	}
}

// Code is the error of a call that must fail with a code, whole: with a message, and a detail that is JSON.
func Code(t testing.TB, err error, code brant.Code) *brant.Error {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("wanted %s, got %v", code, err)
	}
	var e *brant.Error
	if !errors.As(err, &e) || e.Code != code || e.Message == "" || !json.Valid(e.Detail) {
		t.Fatalf("not a whole error: %#v", err)
	}
	return e
}

// Eventually waits for what others do, however slow the machine is.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Keys has a key of each of some purposes.
func Keys(t testing.TB, purposes ...brant.KeyPurpose) (keys brant.Keys) {
	t.Helper()
	for _, purpose := range purposes {
		keys.Keys = append(keys.Keys, Value(brant.GenerateKey(brant.KeyOptions{Purpose: purpose}))(t))
	}
	return keys
}
