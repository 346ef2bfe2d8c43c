/*
 * store/shell.c: handles that stand for another: made here, entered and left by handle.c, which walks from a shell down to its connection.
 *
 * A shell's own state says whether it was taken back, and counts who is in it; what it stands for is entered after it and left before it. So whoever takes it back never waits,
 * and its end (`destroy`) comes when nobody is in it any more, whatever the connection does meanwhile.
 */
#include "store/handle.h"

#define SHELLS 16 /* upon each other */

brant_status brant__shell_open(brant_db **out_shell, brant_db *handle,
                               const brant__shell_kind *kind, void *state,
                               const brant__session *session) {
    *out_shell = NULL;
    if (!handle) return brant__fail(BRANT_INVALID, "the handle is NULL");
    if (handle->height >= SHELLS)
        return brant__fail(BRANT_LIMIT, "sessions of sessions are at most %d deep", SHELLS);
    brant_db *shell = brant__alloc_zero(sizeof *shell);
    if (!shell) return brant__fail_memory();
    const brant_status status = brant__wait_begin(handle);
    if (status != BRANT_OK) {
        brant__free(shell);
        return status;
    }
    pthread_mutex_init(&shell->lock, NULL);
    atomic_init(&shell->references, 1);
    atomic_init(&shell->state, 0);
    atomic_init(&shell->interrupts, 0);
    atomic_init(&shell->entered, false);
    brant__db_retain(handle);
    shell->beneath = handle;
    shell->connection = brant__db_connection(handle);
    shell->process = shell->connection->process;
    shell->height = handle->height + 1;
    shell->number = atomic_fetch_add(&shell->connection->shells, 1) + 1;
    shell->kind = kind;
    shell->kind_state = state;
    shell->session = session ? session : handle->beneath ? handle->session : NULL;
    *out_shell = shell;
    brant__wait_end(handle);
    return BRANT_OK;
}

void *brant__shell_state(const brant_db *handle, const brant__shell_kind *kind) {
    return handle && handle->beneath && handle->kind == kind ? handle->kind_state : NULL;
}

const brant__session *brant__shell_session(const brant_db *handle) {
    return handle->beneath ? handle->session : NULL;
}

brant_db *brant__db_connection(brant_db *handle) {
    return handle->beneath ? handle->connection : handle;
}

brant_db *brant__db_handle(brant_db *db) {
    return db->shell ? db->shell : db;
}
