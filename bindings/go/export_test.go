package brant

// Queued is how many goroutines wait for the connection that writes.
func Queued(db *DB) int {
	w := db.engine.writer
	w.lock.Lock()
	defer w.lock.Unlock()
	return len(w.queue)
}

// Writing says whether a goroutine holds it.
func Writing(db *DB) bool {
	w := db.engine.writer
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.held
}
