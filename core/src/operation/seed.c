/*
 * operation/seed.c: the registry's operations, for access.seed.
 */
#include "access/seed.h"
#include "operation/operation.h"

brant_status brant__access_seed(brant__call *call) {
    const brant__operation *operations = NULL;
    brant__seed_operation *list = NULL;
    brant__json spec = {0};
    size_t count = 0;
    brant_status status;

    BRANT__TRY(brant__registry(&operations, &count));
    list = brant__arena_alloc(call->arena, (count + 1) * sizeof(*list));
    if (!list) {
        status = brant__fail_memory();
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        list[i].name = brant__text_string(operations[i].name);
        BRANT__TRY(brant__json_parse(&spec, operations[i].spec, operations[i].spec_len, 0));
        BRANT__TRY(brant__scopes_read(&list[i].scopes, call->arena,
                                      brant__json_get(spec.root, "required_scopes"),
                                      "/required_scopes"));
        for (size_t at = 0; at < list[i].scopes.count; at++)
            BRANT__TRY(brant__arena_text(&list[i].scopes.items[at], call->arena,
                                         list[i].scopes.items[at]));
    }
    status = brant__access_seed_with(call, list, count);
cleanup:
    brant__json_free(&spec);
    return status;
}
