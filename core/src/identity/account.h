/*
 * identity/account.h: accounts, as the operations and the rules of organisations use them.
 */
#ifndef BRANT__IDENTITY_ACCOUNT_H
#define BRANT__IDENTITY_ACCOUNT_H

#include "identity/table.h"

/* Numbers of access levels: places in brant__access_level_names. */
enum { BRANT__ACCESS_USER, BRANT__ACCESS_SERVICE, BRANT__ACCESS_ADMIN };

typedef struct brant__account {
    bool found;
    bool active;
    int access_level;
    brant__text email; /* in the arena, {NULL, 0} where none was given */
} brant__account;

/* The account of this id. `arena` may be NULL. NO_MEMORY. */
brant_status brant__account_find(brant__account *out, brant_db *db, brant__arena *arena,
                                 brant__text id);
/* NOT_FOUND, saying so. */
brant_status brant__account_missing(brant__text id);

/* Ids of what was deleted are not given again: EXISTS. Of accounts and organisations. */
brant_status brant__id_check_new(brant_db *db, brant__text id);
brant_status brant__id_note_deleted(brant_db *db, brant__text id);

extern const brant__statements brant__account_statements;

brant_status brant__accounts_create(brant__call *call);
brant_status brant__accounts_get(brant__call *call);
brant_status brant__accounts_find(brant__call *call);
brant_status brant__accounts_list(brant__call *call);
brant_status brant__accounts_update(brant__call *call);
brant_status brant__accounts_deactivate(brant__call *call);
brant_status brant__accounts_reactivate(brant__call *call);
brant_status brant__accounts_delete(brant__call *call);

#endif
