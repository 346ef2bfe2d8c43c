package brant

import "testing"

// The readers share what the writer has for itself, but for a least size of each.
func TestReaderCache(t *testing.T) {
	for _, c := range []struct{ cache, readers, wanted int }{
		{0, 0, 16 << 20}, {0, 1, 64 << 20}, {0, 64, 2 << 20}, {8 << 20, 2, 4 << 20}, {8 << 20, 8, 2 << 20}, {1 << 20, 8, 1 << 20}, {-1, 4, -1},
	} {
		if got := (&Options{Cache: c.cache, Readers: c.readers}).readerCache(); got != c.wanted {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
