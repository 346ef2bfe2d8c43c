-- Counters whose values are never used twice. job: no job with an id up to this is to be made; lock: the last fencing token.
CREATE TABLE event_sequences (
    name  TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How often brant_wake was changed by those who know of this: what a handle keeps of it is true as long as this, its greatest row_id and row 0 are the same.
INSERT INTO event_sequences (name, value) VALUES ('wake', 0);

-- Who sleeps until something of a topic is there for one of them: whoever makes n things ready takes n rows out and wakes those. A row is written in the
-- transaction that found nothing. socket: as in brant_wake. until: when it wakes by itself (ms), NULL: never.
CREATE TABLE brant_waiters (
    topic      TEXT NOT NULL,
    ticket     INTEGER NOT NULL,
    socket     TEXT NOT NULL,
    until      INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (topic, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX brant_waiters_socket ON brant_waiters (socket);
CREATE INDEX brant_waiters_until ON brant_waiters (topic, until) WHERE until IS NOT NULL;

-- How long the notifications of a channel are kept; NULL: as all. bytes: the payload is base64.
ALTER TABLE notification_channels ADD COLUMN kept_count INTEGER;
ALTER TABLE notification_channels ADD COLUMN kept_age INTEGER;
CREATE INDEX notification_channels_aged ON notification_channels (channel) WHERE kept_age IS NOT NULL;
ALTER TABLE notifications ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

-- state: 0 active, 1 paused, 2 draining. policy: JSON, what was configured. revision grows with each change of them. size: how many jobs wait or run, where
-- the policy has max_size.
CREATE TABLE queues (
    row_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    state      INTEGER NOT NULL DEFAULT 0,
    policy     TEXT NOT NULL DEFAULT '{}',
    revision   INTEGER NOT NULL DEFAULT 1,
    size       INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Ids are never used twice: the next is one more than the greatest here and in event_sequences, where the id of the greatest is noted when it goes.
-- state: 0 ready, 1 delayed, 2 blocked, 3 running, 4 done, 5 dead, 6 cancelled, 7 expired. Ready is what can run now and nothing else, so that a claim
-- never looks past a row. payload, result: JSON is text, bytes are a blob. claims: how often it was claimed: the fencing token of the last claim.
-- attempt: how many attempts began that count. key: of concurrency or order. waits: how many jobs it waits for. errors: JSON array.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    queue        INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    priority     INTEGER NOT NULL DEFAULT 0,
    payload      ANY,
    created_at   INTEGER NOT NULL,
    key          TEXT,
    attempt      INTEGER NOT NULL DEFAULT 0,
    claims       INTEGER NOT NULL DEFAULT 0,
    lease_until  INTEGER,
    worker       TEXT,
    claimed_at   INTEGER,
    ready_at     INTEGER, -- when it became ready: what waiting is measured from; NULL: created_at
    run_at       INTEGER,
    expires_at   INTEGER, -- not begun by then: expired
    max_attempts INTEGER, -- NULL: the queue's
    result_ttl   INTEGER, -- NULL: the queue's
    waits        INTEGER NOT NULL DEFAULT 0,
    cancel       INTEGER NOT NULL DEFAULT 0,
    finished_at  INTEGER,
    remove_at    INTEGER, -- of a finished one: when it goes; NULL: never
    progress     TEXT,
    result       ANY,
    errors       TEXT,
    schedule     TEXT
) STRICT;
CREATE INDEX jobs_ready ON jobs (queue, priority DESC, id, ready_at) WHERE state = 0;
CREATE INDEX jobs_due ON jobs (queue, run_at) WHERE state = 1;
CREATE INDEX jobs_leases ON jobs (queue, lease_until) WHERE state = 3;
CREATE INDEX jobs_blocked ON jobs (queue, waits, key, priority DESC, id) WHERE state = 2;
CREATE INDEX jobs_keys ON jobs (queue, key, state) WHERE key IS NOT NULL AND state < 4;
CREATE INDEX jobs_expiry ON jobs (queue, expires_at) WHERE expires_at IS NOT NULL AND state < 3 AND claims = 0;
CREATE INDEX jobs_cancels ON jobs (queue) WHERE state = 3 AND cancel = 1;
CREATE INDEX jobs_finished ON jobs (queue, state, finished_at) WHERE state > 3;
CREATE INDEX jobs_removal ON jobs (remove_at) WHERE remove_at IS NOT NULL;

-- What a job waits for. on_failure: 0 cancel it, 1 run it all the same.
CREATE TABLE job_dependencies (
    after      INTEGER NOT NULL,
    job        INTEGER NOT NULL,
    on_failure INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (after, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependencies_job ON job_dependencies (job);

-- Jobs that ended with more dependants than one call lets on: the calls that follow do. state: how they ended.
CREATE TABLE job_releases (
    after INTEGER PRIMARY KEY,
    state INTEGER NOT NULL
) STRICT;

-- Unique jobs: since and until when (ms) there is no other with this key; NULL: until the job ends. It outlives the job.
CREATE TABLE job_uniques (
    queue INTEGER NOT NULL,
    key   TEXT NOT NULL,
    job   INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_uniques_job ON job_uniques (job);
CREATE INDEX job_uniques_until ON job_uniques (until) WHERE until IS NOT NULL;

-- Of queues with a rate limit: how many jobs had been claimed in all at a time (ms), as far back as the limit's period reaches.
CREATE TABLE queue_claims (
    queue INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (queue, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_claims_total ON queue_claims (queue, total);

-- What happened in a queue, by minute (of the epoch; 0: before those that are kept), kind (event/metrics.h) and, where something is measured, the
-- power of two of its ms.
CREATE TABLE queue_metrics (
    queue  INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    sum    INTEGER NOT NULL,
    PRIMARY KEY (queue, minute, kind, bucket)
) STRICT, WITHOUT ROWID;

-- The last offset is head or that of the newest event, whichever is greater: head moves when the newest events go, newest_at with it. trimmed_through: what
-- is up to it was removed by retention. holes: how many offsets behind it were removed otherwise. compacted_through: up to there no event has a newer one
-- of its key, as of then. max_age, compact_after: ms. groups: has it any?
CREATE TABLE streams (
    row_id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL UNIQUE,
    head              INTEGER NOT NULL DEFAULT 0,
    newest_at         INTEGER NOT NULL DEFAULT 0,
    trimmed_through   INTEGER NOT NULL DEFAULT 0,
    holes             INTEGER NOT NULL DEFAULT 0,
    compacted_through INTEGER NOT NULL DEFAULT 0,
    max_age           INTEGER,
    max_count         INTEGER,
    keep_unread       INTEGER NOT NULL DEFAULT 0,
    compact           INTEGER NOT NULL DEFAULT 0,
    compact_after     INTEGER NOT NULL DEFAULT 0,
    groups            INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;

-- id: the stream's row id * 2^40 + offset, so that a stream is a range of one tree and a publish appends to it. payload: JSON is text, bytes are a blob,
-- null is NULL. created_at never goes back within a stream. Events of a stream that was deleted are nobody's, and go bit by bit.
CREATE TABLE stream_events (
    id         INTEGER PRIMARY KEY,
    payload    ANY,
    created_at INTEGER NOT NULL,
    key        TEXT
) STRICT;
CREATE INDEX stream_events_key ON stream_events ((id >> 40), key) WHERE key IS NOT NULL;
CREATE INDEX stream_events_tombstones ON stream_events (id) WHERE key IS NOT NULL AND payload IS NULL;

-- offset: what is up to it was processed. kind: 0 consumer, 1 group. Of a group: next, the first offset that was handed to no member; token, the last
-- fencing token, which grows with each claim and is noted in event_sequences ("group") when the group goes.
CREATE TABLE stream_consumers (
    row_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    stream     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    kind       INTEGER NOT NULL DEFAULT 0,
    "offset"   INTEGER NOT NULL,
    next       INTEGER NOT NULL DEFAULT 0,
    token      INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (stream, name)
) STRICT;

-- Of groups: what was handed out and not acknowledged. deliveries: how often. lease_until 0: given back.
CREATE TABLE stream_pending (
    consumer    INTEGER NOT NULL,
    "offset"    INTEGER NOT NULL,
    member      TEXT NOT NULL,
    token       INTEGER NOT NULL,
    deliveries  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    PRIMARY KEY (consumer, "offset")
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_pending_leases ON stream_pending (consumer, lease_until);

-- Held until expires_at, by a lease that was last renewed at renewed_at. The tokens are of event_sequences 'lock': they outlive the rows.
CREATE TABLE locks (
    name        TEXT NOT NULL PRIMARY KEY,
    owner       TEXT NOT NULL,
    token       INTEGER NOT NULL,
    acquired_at INTEGER NOT NULL,
    renewed_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_expiry ON locks (expires_at);

-- kind: 0 sliding window, 1 token bucket. limit, period, burst: as it was last used. ahead: its own time is that of the clock and this; at, full_at and those of
-- the hits are of its own time, which never goes back. level: of a bucket, what is in it at `at`, in parts of a token, `period` to one; of a window, all that was
-- ever taken. full_at: from then on it is as if nothing had been taken.
CREATE TABLE rate_limits (
    name    TEXT NOT NULL PRIMARY KEY,
    kind    INTEGER NOT NULL,
    "limit" INTEGER NOT NULL,
    period  INTEGER NOT NULL,
    burst   INTEGER NOT NULL,
    ahead   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    full_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rate_limits_full ON rate_limits (full_at);

-- What was taken in each millisecond: how much had been taken before it, and how much with it.
CREATE TABLE rate_limit_hits (
    name   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    before INTEGER NOT NULL,
    total  INTEGER NOT NULL,
    PRIMARY KEY (name, at)
) STRICT, WITHOUT ROWID;

-- spec: cron or @every; payload as in jobs; options: JSON, of the jobs. next_at: the next fire, NULL: none. fired: how often.
CREATE TABLE schedules (
    name       TEXT NOT NULL PRIMARY KEY,
    queue      TEXT NOT NULL,
    spec       TEXT NOT NULL,
    timezone   TEXT NOT NULL,
    payload    ANY,
    options    TEXT NOT NULL,
    misfire    TEXT NOT NULL,
    catch_up   INTEGER NOT NULL,
    paused     INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER,
    last_at    INTEGER,
    fired      INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_next ON schedules (next_at) WHERE paused = 0 AND next_at IS NOT NULL;

-- The stream that a graph's changes are published to; NULL: none.
ALTER TABLE graphs ADD COLUMN change_stream TEXT;
