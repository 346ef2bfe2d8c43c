package brant

import "sync/atomic"

// held is a job in the hands of Work or Jobs.
type held struct {
	settled atomic.Bool // its holder has said what becomes of it
}
