/*
 * brant/crypto.h: the key ring of a handle, and envelopes: JSON values encrypted for one place.
 */
#ifndef BRANT_CRYPTO_H
#define BRANT_CRYPTO_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Give the handle a key ring, a JSON object; one that it has is replaced as a whole and wiped. A ring that is refused leaves the old one in place. No operation: keys
 * do not travel through the registry. Inside a transaction or outside, as the caller likes.
 */
BRANT_API brant_status brant_keyring_load(brant_db *db, const char *json, size_t json_len);

/* Wipe the handle's ring; nothing when it has none. brant_close does it, too. */
BRANT_API brant_status brant_keyring_unload(brant_db *db);

#ifdef __cplusplus
}
#endif
#endif
