/*
 * graph/announce.c: notifications of what an operation did, one a channel, with the first keys
 * only.
 */
#include "graph/internal.h"

void brant__announcement_add(brant__announcement *announcement, brant__text key) {
    announcement->count++;
    if (brant__announcement_full(announcement)) return;
    announcement->listed++;
    brant__buffer_append_byte(&announcement->keys, announcement->keys.length == 0 ? '[' : ',');
    brant__json_append_text(&announcement->keys, key);
}

void brant__announcement_free(brant__announcement *announcement) {
    brant__buffer_free(&announcement->keys);
    *announcement = (brant__announcement){0};
}

static void write_graph(brant__writer *out, const brant__graph *graph) {
    const char *type_id = graph->type->id;

    brant__write_text_member(out, "graph_id", graph->id);
    brant__write_text_member(out, "graph", graph->name);
    brant__write_text_member(out, "graph_type_id", brant__text_string(type_id));
    brant__write_name(out, "owner_id");
    brant__write_text_or_null(out, graph->owner_id);
}

static brant_status send(brant__call *call, const char *channel, brant__writer *payload) {
    if (payload->buffer.failed) return brant__fail_memory();
    return brant__notify(NULL, call->db, brant__text_string(channel),
                         brant__text_of(payload->buffer.data, payload->buffer.length));
}

brant_status brant__announce(brant__call *call, const brant__graph *graph, const char *channel,
                             brant__announcement *announcement) {
    brant__writer payload = {0};
    brant_status status = BRANT_OK;

    if (announcement->count > 0) {
        if (announcement->listed == 0) brant__buffer_append_byte(&announcement->keys, '[');
        brant__buffer_append_byte(&announcement->keys, ']');
        if (announcement->keys.failed) {
            status = brant__fail_memory();
            goto cleanup;
        }
        brant__write_object(&payload);
        write_graph(&payload, graph);
        brant__write_integer_member(&payload, "count", (int64_t)announcement->count);
        brant__write_name(&payload, "keys");
        brant__write_raw(&payload,
                         brant__text_of(announcement->keys.data, announcement->keys.length));
        brant__write_bool_member(&payload, "truncated", announcement->count > announcement->listed);
        brant__write_end(&payload);
        status = send(call, channel, &payload);
    }
cleanup:
    brant__buffer_free(&payload.buffer);
    brant__announcement_free(announcement);
    return status;
}

brant_status brant__announce_graph(brant__call *call, const brant__graph *graph,
                                   const char *channel, brant__text changes) {
    brant__writer payload = {0};
    brant_status status;

    brant__write_object(&payload);
    write_graph(&payload, graph);
    if (changes.data) {
        brant__write_name(&payload, "changes");
        brant__write_raw(&payload, changes);
    }
    brant__write_end(&payload);
    status = send(call, channel, &payload);
    brant__buffer_free(&payload.buffer);
    return status;
}
