/*
 * identity/audit.h: the audit log of a file: a chain of rows, each of whose keyed hashes covers the one before. brant/audit.h says what it promises.
 *
 * - audit.c: the chain: rows, hashes, anchors, and adding a row
 * - audit_append.c: audit.append, .prove, .erase_subject: rows of the application's own, personal data
 * - audit_read.c: audit.get, .list, .export
 * - audit_verify.c: audit.verify
 * - audit_checkpoint.c: audit.checkpoint, .keep, .checkpoints, .prune
 */
#ifndef BRANT__IDENTITY_AUDIT_H
#define BRANT__IDENTITY_AUDIT_H

#include "crypto/crypto.h"
#include "identity/actor.h"

/* ---- for the modules that do what is recorded ------------------------------------------------------ */

/*
 * Add a row, in the running write transaction: what it records commits or goes with it. `action` is the registry name of the operation ("accounts.create"), `resource` says of
 * what ("account:<id>"), org_id and resource may be {NULL, 0}; `detail` is a compact JSON object without a member "reason", or {NULL, 0}; the actor's reason goes into it. Nothing is kept.
 * In a file of role "single" or "system" it is told in stream "audit-events", too.
 * It fails closed, and so must the caller: NOT_FOUND: no key ring, or no active key of purpose audit; CONFLICT: the head of the log is not authentic under the ring's key; CORRUPT: the log is not what its
 * head says; LIMIT: the detail is too long.
 */
brant_status brant__audit_append(brant__call *call, const brant__actor *actor, const char *action,
                                 brant__text org_id, brant__text resource, brant__text detail);

/* The same, which says what it wrote, and takes any action. */
brant_status brant__audit_add(int64_t *out_seq, uint8_t out_hash[BRANT__HASH_SIZE],
                              brant__call *call, const brant__actor *actor, brant__text action,
                              brant__text org_id, brant__text resource, brant__text detail);

/* ---- the chain (audit.c) ---------------------------------------------------------------------------- */

#define BRANT__AUDIT_DETAIL ((size_t)64 << 10) /* bytes of a row's detail */

typedef struct brant__audit_row {
    int64_t seq;
    brant__text id, org_id, actor_type, actor_id, action, resource, detail, metadata;
    int64_t created_at;
    int64_t key_version;
    brant__text hash; /* as it is stored */
    bool sound;       /* each column is of its type */
} brant__audit_row;

/* Read with these from column 0. The last says whether each is of its type, which a file that somebody changed need not be. */
#define BRANT__AUDIT_ROW                                                                           \
    "seq, id, org_id, actor_type, actor_id, action, resource, detail, metadata, created_at, "      \
    "key_version, hash, typeof(id) = 'text' AND typeof(org_id) IN ('text', 'null') AND "           \
    "typeof(actor_type) = 'text' AND typeof(actor_id) IN ('text', 'null') AND "                    \
    "typeof(action) = 'text' AND typeof(resource) IN ('text', 'null') AND "                        \
    "typeof(detail) = 'text' AND typeof(metadata) = 'text' AND "                                   \
    "typeof(created_at) = 'integer' AND typeof(key_version) = 'integer' AND "                      \
    "typeof(hash) = 'blob' AND length(hash) = 32"
/* Borrowed until the next step. NO_MEMORY. */
brant_status brant__audit_read_row(brant__audit_row *out, brant__statement *statement);
/* CORRUPT: what was written there is no text or JSON. */
brant_status brant__audit_write_row(brant__call *call, const brant__audit_row *row);
/* The row with this seq, or *out_found false. The statement is to be reset, also then. */
brant_status brant__audit_find(bool *out_found, brant__audit_row *out, brant__statement **out_row,
                               brant_db *db, int64_t seq);
/* The rows from `from` on, in order of seq. */
brant_status brant__audit_scan(brant__statement **out, brant_db *db, int64_t from);

/* The hash that the row should have behind `previous`. Its key_version is the key's; 0: the active one, which it then says. NOT_FOUND. */
brant_status brant__audit_hash(uint8_t out[BRANT__HASH_SIZE], brant_db *db, brant__audit_row *row,
                               const uint8_t previous[BRANT__HASH_SIZE]);

/*
 * What the log stands on: "head" is its last row, "base" the last that was pruned. Where there is none: seq 0 and a hash of zeros, which the first row goes on from.
 */
typedef struct brant__audit_anchor {
    bool found;
    bool authentic; /* the mac is that of seq, hash and time; also of one that is not there */
    int64_t seq;
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t key_version;
    int64_t updated_at;
} brant__audit_anchor;
/* NOT_FOUND: the ring has not the key that vouches for it. */
brant_status brant__audit_anchor_read(brant__audit_anchor *out, brant_db *db, const char *name);
/* With the active key. */
brant_status brant__audit_anchor_write(brant_db *db, const char *name, int64_t seq,
                                       const uint8_t hash[BRANT__HASH_SIZE]);

/* What vouches for a checkpoint or an anchor: the keyed hash of label, file id, name, seq, hash and time. *version 0: the active key, and then it says which. */
brant_status brant__audit_mac(uint8_t out[BRANT__HASH_SIZE], int64_t *version, brant_db *db,
                              const char *name, int64_t seq, const uint8_t hash[BRANT__HASH_SIZE],
                              int64_t time);

/* The head, when it is authentic and the log ends where it says; CONFLICT, CORRUPT as brant__audit_append. */
brant_status brant__audit_head(brant__audit_anchor *out, brant_db *db);

/* A hash out of a member in base64url; false: it is none. */
bool brant__audit_read_hash(uint8_t out[BRANT__HASH_SIZE], yyjson_val *object, const char *name);
void brant__audit_write_hash(brant__writer *out, const char *name,
                             const uint8_t hash[BRANT__HASH_SIZE]);

/* The bytes of an integer in what is hashed: 8, least significant first. */
typedef struct brant__audit_number {
    char bytes[8];
} brant__audit_number;
brant__text brant__audit_number_of(brant__audit_number *out, int64_t value);

/* ---- checkpoints (audit_verify.c) --------------------------------------------------------------------- */

/* {"file"?, "seq", "hash", "created_at"?, "key_version"?, "mac"?}: that once the log had this row. Seq 0: that it was empty. */
typedef struct brant__checkpoint {
    brant__text file; /* {NULL, 0}: of any */
    int64_t seq;
    uint8_t hash[BRANT__HASH_SIZE];
    int64_t created_at;
    int64_t key_version; /* 0: nobody vouches for it */
    uint8_t mac[BRANT__HASH_SIZE];
} brant__checkpoint;
/* INVALID: hash or mac are no hashes; `pointer` is that of the object. */
brant_status brant__checkpoint_read(brant__checkpoint *out, yyjson_val *object,
                                    const char *pointer);

/* Why a row is not what it should be behind `previous`; NULL: it is. *out_unknown: the ring has not its key, and the error record says so. */
const char *brant__audit_judge(bool *out_unknown, brant_db *db, brant__audit_row *row,
                               const uint8_t previous[BRANT__HASH_SIZE]);

/* ---- sessions (audit.c) ------------------------------------------------------------------------------- */

/* Is the row one that the caller may see: of the organisation that it is bound to (brant__actor_bound)? */
bool brant__audit_shown(const brant_db *db, const brant__audit_row *row);
/* DENIED to such a session: what concerns the whole log. */
brant_status brant__audit_whole(const brant_db *db);

/* ---- operations --------------------------------------------------------------------------------------- */

brant_status brant__audit_append_operation(brant__call *call);
brant_status brant__audit_prove(brant__call *call);
brant_status brant__audit_erase_subject(brant__call *call);
brant_status brant__audit_get(brant__call *call);
brant_status brant__audit_list(brant__call *call);
brant_status brant__audit_export(brant__call *call);
brant_status brant__audit_verify(brant__call *call);
brant_status brant__audit_checkpoint(brant__call *call);
brant_status brant__audit_keep(brant__call *call);
brant_status brant__audit_checkpoints(brant__call *call);
brant_status brant__audit_prune(brant__call *call);

#endif
