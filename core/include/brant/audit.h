/*
 * brant/audit.h: the audit log of a file: who did what, in a chain of keyed hashes that shows whether somebody changed it.
 *
 * Every file has a log of its own; those of identity and access write to it in the transaction of what they record, and audit.append adds rows of the application's. A row is never changed.
 * It needs an active key of purpose audit in the handle's ring (crypto.h); without one, what is to be recorded is refused (NOT_FOUND).
 *
 * Row: {"seq", "id", "org_id": text|null, "actor_type": "account" | "api_key" | "agent" | "service" | "system", "actor_id": text|null, "action", "resource": text|null, "detail": {..},
 *   "metadata": {..}, "created_at": ms, "key_version", "hash"}
 * seq counts from 1 without gaps. hash is of 32 bytes, here and below in base64url without padding. With number(n) the 8 bytes of n, least significant first, and
 * part(x) = number(length of x) || x, or 8 bytes of 255 for what is null:
 *
 *   hash(row) = BLAKE2b-256(key: the 32 bytes of audit key `key_version`; message: part("brant audit 1") || part(file id) || part(hash of the row before; of the first: 32 zeros) ||
 *       part(number(seq)) || part(id) || part(org_id) || part(actor_type) || part(actor_id) || part(action) || part(resource) || part(detail) || part(metadata) ||
 *       part(number(created_at)) || part(number(key_version)))
 *
 * of detail and metadata as they are stored: compact JSON. Table brant_audit_logs has these columns. Two anchors say where the log begins and ends (brant_audit_anchors): "base", the last row that was
 * pruned, and "head", the last row; a checkpoint says where it ended when it was made. What vouches for them is
 *
 *   mac(name) = BLAKE2b-256(key; part("brant audit anchor 1") || part(file id) || part(name: "base", "head", "checkpoint") || part(number(seq)) || part(hash) || part(number(time)))
 *
 * What is found out. Whoever can write the file but has not the key can change anything in it, and audit.verify tells:
 * - by itself: a row that was edited, inserted, deleted, replaced or put elsewhere, or comes from the log of another file or organisation; rows that were cut off at either end;
 *   unless the anchors of an earlier moment were put back with them:
 * - with a checkpoint that was kept out of reach: that, too, and a file that was replaced by an older copy of itself or by another file.
 * A row is added behind what the head anchor says, so that rows that were cut off stay missing for ever. Whoever has the key can write a log that verifies: keep it from the machine's other
 * users, and checkpoints elsewhere.
 *
 * Guard. Handles refuse (DENIED) all SQL that writes to the log's tables or drops them, and the loadable extension does; in other programs triggers refuse UPDATE, DELETE and INSERT over
 * rows that are there (OR REPLACE too). Those can be dropped there, which db.doctor tells, as it does a gap.
 *
 * Keys. A row is verified with the version that it was written with: a ring keeps older ones as "decrypt_only". After a new version became active and a row was written, the head no longer needs the
 * old; when all rows of the old version were pruned, nothing does. Another key under a version that the log knows is CONFLICT.
 *
 * Copies. The log belongs to the file's id, which backups and copies have too: each verifies by itself. Where two of them go on to be written, or a file is restored from a backup, there are two
 * logs that are the same up to some row: a checkpoint of one from behind that row shows that the other is not it. After a restore that was wanted, make a new checkpoint (audit.keep with
 * "replace" in a hub).
 *
 * db.erase does not look into the log: personal data does not belong there as it is, but in `personal` of audit.append.
 *
 * In files of role "single" and "system" each row is also published, without detail, to stream "audit-events": {"seq", "action", "actor_type", "actor_id", "org_id", "resource",
 * "created_at"}. It tells that there is a row; what happened, the log says.
 *
 * Sessions. One that was opened for an organisation sees and writes rows of that organisation only (audit.append, .get, .list, .prove), but in a tenant's file, which is the organisation's; and what
 * concerns the whole log is DENIED (audit.export, .keep, .prune, .erase_subject).
 *
 * Actor: {"type"?, "id"?, "reason"?: text of at most 1000 bytes}: identity.h. The reason stands in the row's detail.
 */
#ifndef BRANT_AUDIT_H
#define BRANT_AUDIT_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * audit.append {"action", "resource"?, "org_id"?, "detail"?: object, "personal"?: {name: text..}, "subject"?: text, "actor"?} -> {"seq", "hash"}
 * In the running transaction, or one of its own. `personal` and `subject` go together: detail gets a member "personal" {name: hex of BLAKE2b-256(part("brant audit personal 1") ||
 * part(salt of the subject) || part(text)), without a key}; the salt is 32 random bytes, made with the subject's first row (brant_audit_subjects). The subject itself is not in the row.
 * INVALID: an action of the library's namespaces (access, accounts, api_keys, audit, auth, db, identity, invitations, members, organizations, secrets, tenants); a member "reason" or "personal" in
 * detail. NOT_FOUND: no key ring, or no active key of purpose audit. CONFLICT: the head is not authentic under the ring's key. CORRUPT: the log is not what its head says. DENIED: a session
 * names another actor. LIMIT: detail has more than 65536 bytes.
 */
BRANT_API brant_status brant_audit_append(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/* audit.get {"seq"} -> Row. NOT_FOUND; CORRUPT: what stands there is no row any more. */
BRANT_API brant_status brant_audit_get(char **out_json, size_t *out_json_len, brant_db *db,
                                       const char *json, size_t json_len);

/*
 * audit.list {"filter"?: {"action"?, "actor_id"?, "resource"?, "org_id"?}, "after"?: seq, "before"?: seq, "since"?: ms, "until"?: ms, "order"?: "asc" (default) | "desc",
 *   "limit"?: 1..10000 (100)} -> {"items": [Row..], "next"?: seq}
 * By seq. A filter's value is equal, null: has none. since <= created_at < until, compared row by row, since a clock may go back; a call looks at no more than 100 000 rows and gives about 16 MiB, so
 * that a page may be shorter than its limit. next: there may be more; it is the `after` to go on with, and with "desc" the `before`. CORRUPT: as audit.get.
 */
BRANT_API brant_status brant_audit_list(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/*
 * audit.export {"after"?: seq (0), "limit"?: 1..10000 (1000)} -> {"file": id, "text": Rows as lines of JSON, "rows": n, "next"?: the `after` to go on with}
 * About 16 MiB at the most. With file and key anybody can verify them by what stands above, a row's detail and metadata being its bytes in the line.
 */
BRANT_API brant_status brant_audit_export(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * audit.verify {"checkpoint"?: Checkpoint, "checkpoints"?: [Checkpoint..], "from"?: seq, "limit"?: n} -> {"ok": bool, "rows": n, "first": seq|null, "last": seq|null, "hash": of the last|null,
 *   "problems": [{"seq", "problem": text}..], "truncated": bool, "next"?: seq}
 * Reads the rows in order, from the base or from `from`, all or `limit` of them; then `next` is the `from` to go on with, and the log's end is not judged yet. A part that begins at `from` takes the hash
 * of the row before as it stands, which another part proves. ok: no problem. The first 100 problems are told, where they are; behind a gap the first row cannot be proven. A problem is no error.
 * Checkpoint: {"file"?, "seq", "hash", "created_at"?, "key_version"?, "mac"?} as audit.checkpoint gave it: the log must have that row. One from before what was pruned says nothing any more.
 * NOT_FOUND: no ring, or the ring lacks the versions of some keys and nothing else is wrong. INVALID: a hash that is none. INTERRUPTED, TIMEOUT.
 */
BRANT_API brant_status brant_audit_verify(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * audit.checkpoint {} -> {"file", "seq", "hash", "created_at", "key_version", "mac"}
 * Keep it where nobody who can write the file can. Of an empty log: seq 0 and a hash of zeros. NOT_FOUND: no active key. CONFLICT, CORRUPT: as audit.append; then there is none to be had.
 */
BRANT_API brant_status brant_audit_checkpoint(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * audit.keep {"file", "seq", "hash", "created_at", "key_version"?, "mac"?, "replace"?: bool, "actor"?} -> {"kept": bool}
 * Remember a checkpoint of another file, in this one: a hub keeps its tenants' in system.db. The newest 16 of a file are kept. The log of this file gets a row "audit.keep". kept false: it was known.
 * CONFLICT: a later one is kept, or another hash of this seq: that file was rolled back, restored, or is a copy; "replace" forgets what was kept of it. MISUSE: in a tenant's file.
 */
BRANT_API brant_status brant_audit_keep(char **out_json, size_t *out_json_len, brant_db *db,
                                        const char *json, size_t json_len);

/* audit.checkpoints {"file"} -> {"items": [{"file", "seq", "hash", "created_at"}..]}: those that are kept, by seq: for audit.verify's `checkpoints`. */
BRANT_API brant_status brant_audit_checkpoints(char **out_json, size_t *out_json_len, brant_db *db,
                                               const char *json, size_t json_len);

/*
 * audit.prune {"through": seq, "checkpoint": Checkpoint, "actor"?} -> {"pruned": n, "through": seq, "done": bool}
 * Remove the rows up to `through`, at most 100 000 a call; call again with the same until it is done. They are verified before, and the checkpoint, of that row or a later one, proves that they are those
 * of which there is a copy elsewhere (audit.export). The log gets a row "audit.prune". INVALID: `through` is behind the checkpoint. CONFLICT: the log has not the checkpoint's row, or as
 * audit.append. CORRUPT: a row that would go is not what was written; nothing goes. NOT_FOUND: no active key, or the key of a row is not there.
 */
BRANT_API brant_status brant_audit_prune(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * audit.prove {"seq", "subject", "name", "text"} -> {"proven": bool}
 * Is the hash under `name` in the row's personal data that of this text, of this subject? NOT_FOUND: no such row, or no salt of the subject (it was erased).
 */
BRANT_API brant_status brant_audit_prove(char **out_json, size_t *out_json_len, brant_db *db,
                                         const char *json, size_t json_len);

/*
 * audit.erase_subject {"subject", "actor"?} -> {"erased": bool, "scrubbed": bool}
 * Forget the subject's salt; the rows stay, and verify. The log gets a row "audit.erase_subject", which does not say whom. Outside a transaction the file is rewritten then, as db.erase does: `scrubbed`
 * says that no byte of the salt is left in it; if not, call again. Backups and copies are yours to look after. erased false: there was no salt.
 */
BRANT_API brant_status brant_audit_erase_subject(char **out_json, size_t *out_json_len,
                                                 brant_db *db, const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
