/*
 * brant/crypto.h: the key ring of a handle, and envelopes: JSON values encrypted with keys that the application keeps.
 *
 * brant stores no key. The application gives a handle its ring after opening, and attributes that a graph type marks with "x-encrypted" are sealed and opened with it; the
 * operations here do the same by hand. Base64url below has no padding and is canonical: bits that are left over are zero; anything else is refused.
 *
 * Key ring: a JSON object of at most 64 KiB
 *
 *   {"keys": [{"purpose"?: "attribute" (default) | "pepper" | "audit", "version": 1..2^53-1, "state"?: "active" (default) | "decrypt_only" | "disabled" | "destroyed",
 *              "algorithm"?: "xc20p-b2" of attribute keys, "b2" of the others: what the purpose has anyway,
 *              "key": base64url of 32 bytes | "password": text of 1..1024 bytes, "kdf"?: {"alg": "argon2id13", "s": base64url of 16 bytes, "t": passes, "m": bytes}}..],
 *    "padding"?: 0 (default) or 2..4096, "kdf"?: {"least"?: {"t"?: (2), "m"?: (19922944)}, "most"?: {"t"?: (16), "m"?: (1073741824)}},
 *    "legacy"?: {"iterations": 1000..10000000, "plaintext"?: "json" (default) | "text", "keys": [{"version", "password"}..]}}
 *
 * A purpose has versions, one of which may be active: the attribute key that seals. decrypt_only opens; disabled and destroyed do neither, and a destroyed one holds no key.
 * A key of one purpose is not used for another. With "key" and "kdf" it is what the password gave before (keyring.derive). A password without "kdf" gets a random salt each
 * time it is loaded, 3 passes and 256 MiB; its key is derived when it is first needed, which takes about a second, and kept, as are those that envelopes with other salts
 * need, at most 16. With "pepper" and "audit" a password needs its "kdf", since nothing else would keep the salt.
 * Bounds of kdf are of 1..2^32-1 passes and of 8192 bytes or more, the least no more than the most; they hold for the ring's own passwords, too.
 * Refused, INVALID with the JSON pointer of the place and nothing of what stands there: unknown members; a version twice in a purpose, or in "legacy"; two active keys of a purpose; a key
 * that is all zeros, of another length, or twice in the ring; "legacy" without keys. INVALID_JSON: no JSON, or a member twice. UNSUPPORTED: another algorithm. LIMIT: the text is
 * too long, or a kdf beyond the bounds.
 * The ring lies in memory of its own with guard pages around it, out of core dumps, and locked as far as the system allows; it is wiped when it is replaced or unloaded and
 * when the handle closes. The handle holds no other copy, and a process that is forked off has none where the system can see to that (Linux).
 *
 * Envelope: the JSON object that stands in place of the value
 *
 *   {"$enc": 2, "alg": "xc20p-b2", "kv": key version, "n": nonce of 24 bytes, "c": commitment of 32 bytes, "ct": ciphertext, "kdf"?: as in the ring}
 *
 * written in this order, read in any, bytes in base64url; exactly these members, in kdf too; ct of 17 bytes or more; t and m from 1 to 2^53-1; kdf exactly when the key comes
 * from a password. It opens in one place only, its
 *
 * Context: {"tenant_id": text, "graph_id": text, "kind": "node" | "edge", "key": text, "path": JSON pointer within the attributes ("/value", "/db/password")}
 *
 * of which tenant_id is the file's own id unless it is given. With number(n) the 8 bytes of n, least significant first, and field(b) = number(length of b) || b:
 *
 *   place     = field(tenant_id) || field(graph_id) || field(kind) || field(key) || field(path)
 *   kdf       = nothing, or field("argon2id13") || field(salt) || field(number(t)) || field(number(m))
 *   message   = field("brant envelope 2") || field("xc20p-b2") || field(number(kv)) || field(kdf) || field(place) || field(nonce)
 *   K || c    = BLAKE2b(message, key = the 32 bytes of version kv, 64 bytes of output), 32 bytes each
 *   ct        = XChaCha20-Poly1305-IETF(key K, nonce, associated data = place, text), with the 16 bytes of the tag behind
 *   text      = the value as compact JSON, and spaces up to a multiple of the ring's padding
 *   the 32 bytes of a password = Argon2id version 1.3 (password, salt, t passes, m bytes, one lane)
 *
 * A file knows a version by one key: with the first value that is sealed in it under a version, a check value (BLAKE2b-128 of "brant key check", a NUL and the file's id, keyed with the key) is
 * kept in brant_meta as "key:attribute:<version>". To seal in a node or an edge, or to rotate, with another key of that version is CONFLICT, since nobody could tell the values of the two apart:
 * a new key has a version of its own. Keys that the ring has as a password are not checked, nor does envelopes.seal.
 *
 * c is compared, in constant time, before anything is decrypted: an envelope opens under one key only. The nonce is random.
 *
 * Opening judges in this order: the shape (AUTH); alg is another (UNSUPPORTED); no ring, or no attribute key of this version that may open (NOT_FOUND); kdf where the key is
 * none of a password, or missing where it is (AUTH); kdf beyond the bounds of the ring, too weak or too costly, before any work (LIMIT); kdf not that of a key derived before
 * (AUTH); c, tag, and that the text is JSON (AUTH). AUTH says the same whatever was wrong.
 *
 * Older envelope: {"keyVersion", "salt", "iv", "data"}, standard base64 with padding: 1..64, 12 and 17 or more bytes. Opened where the ring has "legacy", never written:
 * AES-256-GCM, tag behind the ciphertext, no associated data, the key PBKDF2-HMAC-SHA256(password, salt, iterations, 32 bytes). It is bound to no place: any context opens it.
 * What it holds is JSON, or any UTF-8 text that becomes a JSON string with "plaintext": "text". NOT_FOUND: no legacy key of this version; UNSUPPORTED: the processor has no AES.
 */
#ifndef BRANT_CRYPTO_H
#define BRANT_CRYPTO_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Give the handle a key ring, the JSON text above, which the caller may wipe afterwards. One that it has is replaced as a whole; one that is refused leaves the old in place.
 * No operation, so that keys do not travel through what passes operations on. Inside a transaction or outside. INVALID, INVALID_JSON, UNSUPPORTED, LIMIT: as above; NO_MEMORY; IO: no
 * random bytes for a salt, or the memory cannot be protected.
 */
BRANT_API brant_status brant_keyring_load(brant_db *db, const char *json, size_t json_len);

/*
 * Give the handle a copy of the ring that another handle has, with the keys that were derived from passwords, so that a pool of handles is loaded once and derives once; one that
 * has none takes this one's away. The two are independent from then on, and may be of different files. It enters one handle after the other. MISUSE: one of them is in a call
 * of another thread; NO_MEMORY; then the old ring stays.
 */
BRANT_API brant_status brant_keyring_copy(brant_db *db, brant_db *from);

/* Wipe the handle's ring; nothing when it has none. Closing does it, too. */
BRANT_API brant_status brant_keyring_unload(brant_db *db);

/*
 * keyring.info {} -> {"keys": [{"purpose", "version", "state", "algorithm", "kdf": null | {"alg", "s", "t", "m"}}..], "padding", "legacy": bool}
 * What the handle's ring is made of, in its order, without keys and passwords; no ring: no keys.
 */
BRANT_API brant_status brant_keyring_info(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * keyring.generate {"purpose"?: ("attribute"), "version"?: (1)} -> {"purpose", "version", "state": "active", "algorithm", "key"}
 * An entry for a ring, of 32 random bytes of the system. `db` may be NULL. IO: no random bytes.
 */
BRANT_API brant_status brant_keyring_generate(char **out_json, size_t *out_json_len, brant_db *db,
                                              const char *json, size_t json_len);

/*
 * keyring.derive {"password": text of 1..1024 bytes, "purpose"?: ("attribute"), "version"?: (1), "kdf"?: {"alg"?, "s"?: (random), "t"?: (3), "m"?: (268435456)}}
 *   -> {"purpose", "version", "state": "active", "algorithm", "key", "kdf"}
 * The same from a password, for a ring that is not to hold it. Takes about a second, by t and m, and m bytes of memory; cannot be interrupted. `db` may be NULL.
 * INVALID: a password or salt of another length. LIMIT: t or m beyond the bounds of the handle's ring, or the defaults. IO: no random bytes for a salt. NO_MEMORY: m bytes are not
 * to be had.
 */
BRANT_API brant_status brant_keyring_derive(char **out_json, size_t *out_json_len, brant_db *db,
                                            const char *json, size_t json_len);

/*
 * envelopes.seal {"value": any, "context": {"tenant_id"?, "graph_id", "kind", "key", "path"}} -> the envelope
 * With the active attribute key. NOT_FOUND: no ring, or none in it is active. IO: no random bytes for the nonce.
 */
BRANT_API brant_status brant_envelope_seal(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * envelopes.open {"envelope": object, "context"} -> {"value", "key_version"}
 * AUTH, UNSUPPORTED, NOT_FOUND, LIMIT: as above. Older envelopes, too.
 */
BRANT_API brant_status brant_envelope_open(char **out_json, size_t *out_json_len, brant_db *db,
                                           const char *json, size_t json_len);

/*
 * envelopes.rewrap {"envelope": object, "context", "to"?: context} -> {"envelope", "changed": bool}
 * From its key to the active one, from its place to another (a copy, a move), from an older form to this one. The envelope is always opened first, so that the errors are those of
 * envelopes.open, and of envelopes.seal. changed false: key and place are the same already, and, of a password, t and m; then it is the envelope that was given.
 */
BRANT_API brant_status brant_envelope_rewrap(char **out_json, size_t *out_json_len, brant_db *db,
                                             const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
