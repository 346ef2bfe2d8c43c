/*
 * graph/validate.c: would a node or an edge be accepted? Asked without writing.
 */
#include "evolution/evolution.h"
#include "graph/seal.h"

static brant_status validate(brant__call *call, bool edge) {
    brant__text graph_type = brant__json_get_text(call->input, "graph_type");
    const brant__type *type;
    brant__buffer what = {0};
    brant_status status;

    BRANT__TRY(brant__type_find(&type, call, graph_type, false));
    brant__seal_watch(call->db, type);
    brant__buffer_format(&what, "graph type %s", brant__quoted(call, graph_type));
    brant__buffer_append_byte(&what, '\0');
    if (what.failed) {
        status = brant__fail_memory();
        goto cleanup;
    }
    status =
        brant__module_validate(call, &(brant__validation_request){
                                         .module = type->module,
                                         .what = what.data,
                                         .edge = edge,
                                         .type = brant__json_get(call->input, "type"),
                                         .attributes = brant__json_get(call->input, "attributes"),
                                         .source_type = brant__json_get(call->input, "source_type"),
                                         .target_type = brant__json_get(call->input, "target_type"),
                                     });
cleanup:
    brant__buffer_free(&what);
    return status;
}

brant_status brant__graph_type_validate_node(brant__call *call) {
    return validate(call, false);
}

brant_status brant__graph_type_validate_edge(brant__call *call) {
    return validate(call, true);
}
