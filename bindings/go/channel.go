package brant

import (
	"context"
	"iter"
	"time"
)

// Channels are the channels of notifications: DB.Channels, Tx.Channels.
type Channels struct{ r runner }

// ChannelInfo describes a channel.
type ChannelInfo struct {
	Name      string       `json:"channel"`
	Count     int64        `json:"count"` // that are there
	NewestAt  *Timestamp   `json:"newest_at,omitempty"`
	KeptCount int64        `json:"kept_count"`
	KeptAge   Milliseconds `json:"kept_age"`
}

// List is a part of the channels, by name.
func (c Channels) List(ctx context.Context, options *NameListOptions) (Listing[ChannelInfo, string], error) {
	return listNamed[ChannelInfo](ctx, c.r, eventsChannels, options)
}

// All goes through the channels whose names begin so, by name. An error is the last thing it yields.
func (c Channels) All(ctx context.Context, prefix string) iter.Seq2[ChannelInfo, error] {
	return allNamed(func(o *NameListOptions) (Listing[ChannelInfo, string], error) { return c.List(ctx, o) }, prefix)
}

// ChannelChange says what to change of what a channel keeps; what is zero stays as it is.
type ChannelChange struct {
	Count int64         // 10 000
	Age   time.Duration // a day
	Reset []string      // "count" and "age", where they go back to that
}

// SetRetention says how many notifications of a channel are kept, and for how long.
func (c Channels) SetRetention(ctx context.Context, channel string, change ChannelChange) (ChannelInfo, error) {
	in := newInput().text("channel", channel).positive("count", int(change.Count)).span("age", change.Age).nulls(change.Reset)
	return do[ChannelInfo](ctx, c.r, eventsSetRetention, in)
}
