-- Identity and access. In files of role "system" (of all tenants) and "single"; a tenant's file has its own audit log alone, the other tables stay empty there.
-- Names of our own: accounts, members and the like are what users call tables of theirs.
-- What a list may be filtered by has an index that ends with id, the order of lists.
-- access_level: user, service, admin. status: active, inactive. email: normalised.
CREATE TABLE brant_accounts (
    row_id       INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    email        TEXT NOT NULL UNIQUE,
    name         TEXT,
    access_level TEXT NOT NULL,
    status       TEXT NOT NULL,
    metadata     TEXT NOT NULL DEFAULT '{}',
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX brant_accounts_status ON brant_accounts (status, id);
CREATE INDEX brant_accounts_access_level ON brant_accounts (access_level, id);

-- status: active, suspended, deleting.
CREATE TABLE brant_organizations (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    owner_id   TEXT NOT NULL,
    status     TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX brant_organizations_owner ON brant_organizations (owner_id, id);
CREATE INDEX brant_organizations_status ON brant_organizations (status, id);

-- Ids of accounts and organisations that were deleted, none of which is given again: the audit log, access graphs, backups and a tenant's former file name them.
CREATE TABLE brant_deleted_ids (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The authority on membership. level: owner, admin, member, viewer. status: active, suspended.
CREATE TABLE brant_members (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    org_id     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    level      TEXT NOT NULL,
    status     TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (org_id, account_id)
) STRICT;
CREATE INDEX brant_members_organization ON brant_members (org_id, id);
CREATE INDEX brant_members_account ON brant_members (account_id, id);
CREATE INDEX brant_members_owners ON brant_members (org_id) WHERE level = 'owner' AND status = 'active';

-- status: pending, accepted, rejected, cancelled. A pending one that expires_at has passed is over. hash: of the token, keyed with the pepper of this version; kid: what the token is
-- found by.
CREATE TABLE brant_invitations (
    row_id         INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    org_id         TEXT NOT NULL,
    email          TEXT NOT NULL,
    level          TEXT NOT NULL,
    kid            TEXT NOT NULL UNIQUE,
    hash           BLOB NOT NULL,
    pepper_version INTEGER NOT NULL,
    invited_by     TEXT,
    account_id     TEXT, -- who accepted it
    status         TEXT NOT NULL,
    expires_at     INTEGER NOT NULL,
    metadata       TEXT NOT NULL DEFAULT '{}',
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX brant_invitations_org ON brant_invitations (org_id, id);
CREATE INDEX brant_invitations_email ON brant_invitations (email, id);
CREATE UNIQUE INDEX brant_invitations_pending ON brant_invitations (org_id, email) WHERE status = 'pending';

-- scheme: brant1 (hash: keyed BLAKE2b of the token with the pepper of this version), legacy-sha256 (hash: SHA-256 of the token; pepper_version 0). org_id NULL: of the account alone.
-- scopes: JSON array. rotated_from: the key that it was made in place of, which has one successor.
CREATE TABLE brant_api_keys (
    row_id         INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    kid            TEXT NOT NULL UNIQUE,
    type           TEXT NOT NULL,
    scheme         TEXT NOT NULL,
    hash           BLOB NOT NULL,
    pepper_version INTEGER NOT NULL,
    owner_id       TEXT NOT NULL,
    org_id         TEXT,
    name           TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    expires_at     INTEGER,
    revoked_at     INTEGER,
    last_used_at   INTEGER,
    rotated_from   TEXT UNIQUE,
    metadata       TEXT NOT NULL DEFAULT '{}',
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX brant_api_keys_owner ON brant_api_keys (owner_id, id);
CREATE INDEX brant_api_keys_org ON brant_api_keys (org_id, id) WHERE org_id IS NOT NULL;
CREATE UNIQUE INDEX brant_api_keys_legacy ON brant_api_keys (hash) WHERE scheme = 'legacy-sha256';

-- What happened, by whom. seq has no gaps. hash: keyed, of the row and of the hash before it. org_id NULL: of none.
CREATE TABLE brant_audit_logs (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    org_id      TEXT,
    actor_type  TEXT NOT NULL,
    actor_id    TEXT,
    action      TEXT NOT NULL,
    resource    TEXT,
    detail      TEXT NOT NULL DEFAULT '{}',
    metadata    TEXT NOT NULL DEFAULT '{}',
    created_at  INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    hash        BLOB NOT NULL
) STRICT;
CREATE INDEX brant_audit_logs_action ON brant_audit_logs (action);
CREATE INDEX brant_audit_logs_actor ON brant_audit_logs (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX brant_audit_logs_resource ON brant_audit_logs (resource) WHERE resource IS NOT NULL;
CREATE INDEX brant_audit_logs_org ON brant_audit_logs (org_id) WHERE org_id IS NOT NULL;

-- For programs that have no authorizer of ours. What stands before the base anchor was pruned.
CREATE TRIGGER brant_audit_logs_insert BEFORE INSERT ON brant_audit_logs
WHEN new.seq <= (SELECT max(seq) FROM brant_audit_logs) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER brant_audit_logs_update BEFORE UPDATE ON brant_audit_logs BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER brant_audit_logs_delete BEFORE DELETE ON brant_audit_logs
WHEN old.seq > coalesce((SELECT seq FROM brant_audit_anchors WHERE name = 'base'), 0) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

-- The log stands on its last row (name 'head') and on what was pruned before its first ('base'): seq and hash, which mac, keyed, vouches for.
CREATE TABLE brant_audit_anchors (
    name        TEXT NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    mac         BLOB NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Salts of personal data, which stands in the log hashed: without its salt nobody finds a subject again.
CREATE TABLE brant_audit_subjects (
    subject    TEXT NOT NULL PRIMARY KEY,
    salt       BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Checkpoints that are kept for other files: those of the tenants, in the system's. file: id of the file.
CREATE TABLE brant_audit_checkpoints (
    file        TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (file, seq)
) STRICT, WITHOUT ROWID;

-- Of a hub: how far the file of an organisation is: none (made at its first use), made, deleting.
CREATE TABLE brant_tenants (
    org_id     TEXT NOT NULL PRIMARY KEY,
    state      TEXT NOT NULL,
    file       TEXT, -- id of the file
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Delegations from an organisation's principal to an agent of another, which stand in both tenants' files. state: pending, active, revoking, revoked.
CREATE TABLE brant_delegations (
    row_id     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    from_org   TEXT NOT NULL,
    from_key   TEXT NOT NULL,
    to_org     TEXT NOT NULL,
    to_key     TEXT NOT NULL,
    terms      TEXT NOT NULL, -- JSON: scopes, expires_at, max_depth, may_redelegate
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX brant_delegations_open ON brant_delegations (state) WHERE state IN ('pending', 'revoking');
CREATE INDEX brant_delegations_from ON brant_delegations (from_org, from_key);
CREATE INDEX brant_delegations_to ON brant_delegations (to_org, to_key);

-- A version that does not know tenants would go on writing to the file of an organisation that was deleted, and let SQL change accounts.
UPDATE brant_meta SET value = 7 WHERE name = 'min_writer' AND value < 7
   AND EXISTS (SELECT 1 FROM brant_meta WHERE name = 'role' AND value IN ('system', 'tenant'));
