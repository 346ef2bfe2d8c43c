/*
 * mcp/memory_write.c: the memory profile's tools that write. Each call is a transaction, tried again where another process was faster.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcp/memory.h"

#define ITEMS 1000 /* of an array in a call */

static const char *const entity_members[] = {"name", "entityType", "*observations", NULL};
static const char *const relation_members[] = {"from", "to", "relationType", NULL};

/* The JSON text [from, to, relationType]. Owned. */
static char *relation_key(yyjson_val *relation) {
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    char *out;

    for (const char *const *member = relation_members; *member; member++)
        yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, yyjson_obj_get(relation, *member)));
    out = mcp_write(list, NULL);
    yyjson_mut_doc_free(doc);
    return out;
}

/* Grows with each thing that is told: microseconds, one more each within a call. */
static int64_t position_now(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool has_text(yyjson_mut_val *list, yyjson_val *text) {
    size_t at, count;
    yyjson_mut_val *item;

    yyjson_mut_arr_foreach(list, at, count, item) {
        if (yyjson_mut_equals_strn(item, yyjson_get_str(text), yyjson_get_len(text))) return true;
    }
    return false;
}

/* A call holds the file's only writer while it runs. */
static bool check_size(mcp_answer *answer, yyjson_val *list, const char *what) {
    if (yyjson_arr_size(list) <= ITEMS) return true;
    mcp_answer_fail(answer, "LIMIT: %s has more than %d items: send them in several calls", what,
                    ITEMS);
    return false;
}

/* Are all items of `list` objects with these members, texts but for those that begin with `*`, which are arrays of texts? */
static bool check(mcp_answer *answer, yyjson_val *list, const char *what,
                  const char *const *members) {
    size_t at, count;
    yyjson_val *item;

    if (!yyjson_is_arr(list)) {
        mcp_answer_fail(answer, "INVALID: %s is missing, or no array", what);
        return false;
    }
    if (!check_size(answer, list, what)) return false;
    yyjson_arr_foreach(list, at, count, item) {
        for (const char *const *member = members; *member; member++) {
            const bool texts = **member == '*';
            yyjson_val *value = yyjson_obj_get(item, *member + texts);
            if (texts && yyjson_is_arr(value) && !check_size(answer, value, *member + 1))
                return false;
            if (texts ? mcp_is_texts(value) : yyjson_is_str(value)) continue;
            mcp_answer_fail(answer, "INVALID: /%s/%zu/%s is missing, or not %s", what, at,
                            *member + texts, texts ? "an array of texts" : "a text");
            return false;
        }
    }
    return true;
}

/* A name of the item that can be none is told in words of these tools. */
static bool check_name(mcp_answer *answer, yyjson_val *item, const char *what, size_t index,
                       const char *member) {
    if (mcp_is_name(yyjson_obj_get(item, member))) return true;
    mcp_answer_fail(answer, "INVALID: /%s/%zu/%s wants 1 to %d bytes, and no NUL", what, index,
                    member, MCP_MEMORY_NAME);
    return false;
}

/* ---- items in batches ---------------------------------------------------------------------------- */

/*
 * insert_many of items, 100 at a time so that each that is there already is told; kept[i]: item i is new. Items of `code` other than EXISTS are failures.
 */
static brant_status insert(bool *kept, mcp_server *server, const char *operation,
                           yyjson_mut_val *items, mcp_answer *answer) {
    const size_t all = yyjson_mut_arr_size(items);

    for (size_t from = 0; from < all; from += 100) {
        yyjson_mut_doc *input = mcp_memory_input(server);
        yyjson_mut_val *root = yyjson_mut_doc_get_root(input), *list, *item;
        yyjson_doc *read = NULL;
        yyjson_val *fault;
        size_t at, count;
        yyjson_mut_obj_add_str(input, root, "errors", "skip");
        list = yyjson_mut_obj_add_arr(input, root, "items");
        yyjson_mut_arr_foreach(items, at, count, item) {
            if (at < from || at >= from + 100) continue;
            yyjson_mut_arr_append(list, yyjson_mut_val_mut_copy(input, item));
            kept[at] = true;
        }
        const brant_status status = mcp_memory_ask(&read, server, operation, input);
        if (status != BRANT_OK) return status;
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(read), "items"), at, count, fault) {
            const size_t index = from + (size_t)yyjson_get_uint(yyjson_obj_get(fault, "index"));
            const char *code = yyjson_get_str(yyjson_obj_get(fault, "code"));
            if (index < all) kept[index] = false;
            if (code && strcmp(code, "EXISTS") != 0 && !answer->failed)
                mcp_answer_fail(answer, "%s: %s", code,
                                yyjson_get_str(yyjson_obj_get(fault, "message")));
        }
        yyjson_doc_free(read);
        if (answer->failed) return BRANT_INVALID;
    }
    return BRANT_OK;
}

/* A node; *out NULL where there is none. */
static brant_status get(yyjson_doc **out, mcp_server *server, yyjson_val *name) {
    yyjson_mut_doc *input;
    brant_status status;

    *out = NULL;
    if (!mcp_is_name(name)) return BRANT_OK;
    input = mcp_memory_input(server);
    yyjson_mut_obj_add_val(input, yyjson_mut_doc_get_root(input), "key",
                           yyjson_val_mut_copy(input, name));
    status = mcp_memory_ask(out, server, "nodes.get", input);
    return status == BRANT_NOT_FOUND ? BRANT_OK : status;
}

/* Merges into the attributes of a node as it was read; CONFLICT: another process was faster. `attributes` is of the input. */
static brant_status patch(mcp_server *server, yyjson_val *node, yyjson_mut_doc *input,
                          yyjson_mut_val *attributes) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);

    yyjson_mut_obj_add_val(input, root, "key",
                           yyjson_val_mut_copy(input, yyjson_obj_get(node, "key")));
    yyjson_mut_obj_add_val(input, root, "revision",
                           yyjson_val_mut_copy(input, yyjson_obj_get(node, "revision")));
    yyjson_mut_obj_add_val(input, root, "attributes", attributes);
    return mcp_memory_ask(NULL, server, "nodes.patch", input);
}

static bool is_entity(yyjson_val *node) {
    return yyjson_ptr_get(node, "/attributes/entityType") != NULL;
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void fill(yyjson_mut_doc *doc, yyjson_mut_val *attributes, yyjson_val *entity,
                 int64_t position) {
    yyjson_mut_obj_add_val(doc, attributes, "entityType",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(entity, "entityType")));
    yyjson_mut_obj_add_val(doc, attributes, "observations",
                           yyjson_val_mut_copy(doc, yyjson_obj_get(entity, "observations")));
    yyjson_mut_obj_add_int(doc, attributes, "position", position);
}

/* A name that only relations told becomes the entity. *out_done false: it is an entity already. */
static brant_status name_entity(bool *out_done, mcp_server *server, yyjson_val *entity,
                                int64_t position) {
    yyjson_doc *read = NULL;
    brant_status status = get(&read, server, yyjson_obj_get(entity, "name"));
    yyjson_mut_doc *input;

    *out_done = false;
    if (status == BRANT_OK && read && !is_entity(yyjson_doc_get_root(read))) {
        input = mcp_memory_input(server);
        yyjson_mut_val *attributes = yyjson_mut_obj(input);
        fill(input, attributes, entity, position);
        status = patch(server, yyjson_doc_get_root(read), input, attributes);
        *out_done = status == BRANT_OK;
    }
    yyjson_doc_free(read);
    return status;
}

static void copy_members(yyjson_mut_doc *doc, yyjson_mut_val *list, yyjson_val *from,
                         const char *const *members) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);

    for (; *members; members++) {
        const char *name = *members + (**members == '*');
        yyjson_mut_obj_add_val(doc, out, name,
                               yyjson_val_mut_copy(doc, yyjson_obj_get(from, name)));
    }
}

static brant_status create_entities(mcp_answer *answer, mcp_server *server, yyjson_val *given,
                                    yyjson_mut_val *results) {
    const size_t all = yyjson_arr_size(given);
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *items = yyjson_mut_arr(doc), *attributes, *item;
    bool *kept = mcp_alloc((all + 1) * sizeof *kept), named = true;
    const int64_t position = position_now();
    brant_status status;
    size_t at, count;
    yyjson_val *entity;

    yyjson_arr_foreach(given, at, count, entity) {
        named = named && check_name(answer, entity, "entities", at, "name");
        item = yyjson_mut_arr_add_obj(doc, items);
        yyjson_mut_obj_add_val(doc, item, "key",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(entity, "name")));
        attributes = yyjson_mut_obj_add_obj(doc, item, "attributes");
        fill(doc, attributes, entity, position + (int64_t)at);
    }
    status = named ? insert(kept, server, "nodes.insert_many", items, answer) : BRANT_INVALID;
    yyjson_arr_foreach(given, at, count, entity) {
        if (status == BRANT_OK && !kept[at])
            status = name_entity(&kept[at], server, entity, position + (int64_t)at);
        if (status == BRANT_OK && kept[at])
            copy_members(answer->doc, results, entity, entity_members);
    }
    free(kept);
    yyjson_mut_doc_free(doc);
    return status;
}

static brant_status create_relations(mcp_answer *answer, mcp_server *server, yyjson_val *given,
                                     yyjson_mut_val *results) {
    static const char *const ends[] = {"from", "to"};
    const size_t all = yyjson_arr_size(given);
    yyjson_mut_doc *doc = mcp_doc();
    yyjson_mut_val *nodes = yyjson_mut_arr(doc), *edges = yyjson_mut_arr(doc), *item, *attributes;
    bool *kept = mcp_alloc((2 * all + 1) * sizeof *kept), named = true;
    const int64_t position = position_now();
    brant_status status;
    size_t at, count;
    yyjson_val *relation;

    yyjson_arr_foreach(given, at, count, relation) {
        char *key = relation_key(relation);
        for (int i = 0; i < 2; i++) {
            named = named && check_name(answer, relation, "relations", at, ends[i]);
            item = yyjson_mut_arr_add_obj(doc, nodes);
            yyjson_mut_obj_add_val(doc, item, "key",
                                   yyjson_val_mut_copy(doc, yyjson_obj_get(relation, ends[i])));
        }
        if (named && strlen(key) > MCP_MEMORY_NAME) {
            mcp_answer_fail(answer,
                            "LIMIT: /relations/%zu: from, to and relationType are together longer "
                            "than %d bytes",
                            at, MCP_MEMORY_NAME);
            named = false;
        }
        item = yyjson_mut_arr_add_obj(doc, edges);
        yyjson_mut_obj_add_strcpy(doc, item, "key", key);
        free(key);
        yyjson_mut_obj_add_val(doc, item, "source",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(relation, "from")));
        yyjson_mut_obj_add_val(doc, item, "target",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(relation, "to")));
        attributes = yyjson_mut_obj_add_obj(doc, item, "attributes");
        yyjson_mut_obj_add_val(doc, attributes, "relationType",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(relation, "relationType")));
        yyjson_mut_obj_add_int(doc, attributes, "position", position + (int64_t)at);
    }
    status = named ? insert(kept, server, "nodes.insert_many", nodes, answer) : BRANT_INVALID;
    if (status == BRANT_OK) status = insert(kept, server, "edges.insert_many", edges, answer);
    yyjson_arr_foreach(given, at, count, relation) {
        if (status == BRANT_OK && kept[at])
            copy_members(answer->doc, results, relation, relation_members);
    }
    free(kept);
    yyjson_mut_doc_free(doc);
    return status;
}

/* The observations of a node changed: `remove` those given, or add them. *out_added, in the answer's document, may be NULL. */
static brant_status observe(bool *out_found, mcp_answer *answer, mcp_server *server,
                            yyjson_val *name, yyjson_val *texts, bool remove,
                            yyjson_mut_val *out_added) {
    yyjson_doc *read = NULL;
    yyjson_mut_doc *input = NULL;
    yyjson_mut_val *list, *attributes;
    yyjson_val *node, *text, *before;
    brant_status status = get(&read, server, name);
    size_t at, count;
    bool changed = false;

    node = yyjson_doc_get_root(read);
    *out_found = status == BRANT_OK && read && is_entity(node);
    if (!*out_found) goto cleanup;
    input = mcp_memory_input(server);
    before = yyjson_ptr_get(node, "/attributes/observations");
    list = yyjson_mut_arr(input);
    yyjson_arr_foreach(before, at, count, text) {
        size_t i, all;
        yyjson_val *gone;
        bool goes = false;
        if (remove) {
            yyjson_arr_foreach(texts, i, all, gone) goes = goes || yyjson_equals(gone, text);
        }
        changed = changed || goes;
        if (!goes) yyjson_mut_arr_append(list, yyjson_val_mut_copy(input, text));
    }
    if (!remove) {
        yyjson_arr_foreach(texts, at, count, text) {
            if (has_text(list, text)) continue;
            yyjson_mut_arr_append(list, yyjson_val_mut_copy(input, text));
            yyjson_mut_arr_append(out_added, yyjson_val_mut_copy(answer->doc, text));
            changed = true;
        }
    }
    if (!changed) goto cleanup;
    attributes = yyjson_mut_obj(input);
    yyjson_mut_obj_add_val(input, attributes, "observations", list);
    status = patch(server, node, input, attributes);
    input = NULL;
cleanup:
    yyjson_mut_doc_free(input);
    yyjson_doc_free(read);
    return status;
}

static brant_status add_observations(mcp_answer *answer, mcp_server *server, yyjson_val *given,
                                     yyjson_mut_val *results) {
    size_t at, count;
    yyjson_val *one;
    bool found;

    yyjson_arr_foreach(given, at, count, one) {
        yyjson_val *name = yyjson_obj_get(one, "entityName");
        yyjson_mut_val *result = yyjson_mut_arr_add_obj(answer->doc, results);
        yyjson_mut_obj_add_val(answer->doc, result, "entityName",
                               yyjson_val_mut_copy(answer->doc, name));
        const brant_status status =
            observe(&found, answer, server, name, yyjson_obj_get(one, "contents"), false,
                    yyjson_mut_obj_add_arr(answer->doc, result, "addedObservations"));
        if (status != BRANT_OK) return status;
        if (!found) {
            mcp_answer_fail(answer, "Entity with name %.300s not found", yyjson_get_str(name));
            return BRANT_NOT_FOUND;
        }
    }
    return BRANT_OK;
}

static brant_status delete_observations(mcp_answer *answer, mcp_server *server, yyjson_val *given) {
    size_t at, count;
    yyjson_val *one;
    bool found;

    yyjson_arr_foreach(given, at, count, one) {
        const brant_status status =
            observe(&found, answer, server, yyjson_obj_get(one, "entityName"),
                    yyjson_obj_get(one, "observations"), true, NULL);
        if (status != BRANT_OK) return status;
    }
    return BRANT_OK;
}

/* Nodes with their edges, or edges; those that are not there are passed over. `keys` is of the input. */
static brant_status delete_keys(mcp_server *server, const char *operation, yyjson_mut_doc *input,
                                yyjson_mut_val *keys) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(input);

    if (yyjson_mut_arr_size(keys) == 0) {
        yyjson_mut_doc_free(input);
        return BRANT_OK;
    }
    yyjson_mut_obj_add_val(input, root, "keys", keys);
    return mcp_memory_ask(NULL, server, operation, input);
}

static brant_status delete_entities(mcp_server *server, yyjson_val *names) {
    yyjson_mut_doc *input = mcp_memory_input(server);
    yyjson_mut_val *keys = yyjson_mut_arr(input);
    size_t at, count;
    yyjson_val *name;

    yyjson_arr_foreach(names, at, count, name) {
        if (mcp_is_name(name) && !has_text(keys, name))
            yyjson_mut_arr_append(keys, yyjson_val_mut_copy(input, name));
    }
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "edges", "delete");
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "errors", "skip");
    return delete_keys(server, "nodes.delete_many", input, keys);
}

static brant_status delete_relations(mcp_server *server, yyjson_val *relations) {
    yyjson_mut_doc *input = mcp_memory_input(server);
    yyjson_mut_val *keys = yyjson_mut_arr(input);
    size_t at, count;
    yyjson_val *relation;

    yyjson_arr_foreach(relations, at, count, relation) {
        char *key = relation_key(relation);
        if (strlen(key) <= MCP_MEMORY_NAME) yyjson_mut_arr_add_strcpy(input, keys, key);
        free(key);
    }
    yyjson_mut_obj_add_str(input, yyjson_mut_doc_get_root(input), "errors", "skip");
    return delete_keys(server, "edges.delete_many", input, keys);
}

/* ---- transactions -------------------------------------------------------------------------------- */

/* A tool that writes. */
typedef struct memory_writer {
    const char *name, *argument, *result;
    const char *members[4];
    const char *said; /* instead of a result */
    brant_status (*make)(mcp_answer *, mcp_server *, yyjson_val *, yyjson_mut_val *);
    brant_status (*take)(mcp_server *, yyjson_val *);
} memory_writer;

static brant_status forget(mcp_server *server, yyjson_val *given) {
    mcp_answer unused = {0};
    const brant_status status = delete_observations(&unused, server, given);

    mcp_answer_free(&unused);
    return status;
}

static const memory_writer writers[] = {
    {"create_entities",
     "entities",
     "entities",
     {"name", "entityType", "*observations"},
     NULL,
     create_entities,
     NULL},
    {"create_relations",
     "relations",
     "relations",
     {"from", "to", "relationType"},
     NULL,
     create_relations,
     NULL},
    {"add_observations",
     "observations",
     "results",
     {"entityName", "*contents"},
     NULL,
     add_observations,
     NULL},
    {"delete_entities",
     "entityNames",
     NULL,
     {NULL},
     "Entities deleted successfully",
     NULL,
     delete_entities},
    {"delete_observations",
     "deletions",
     NULL,
     {"entityName", "*observations"},
     "Observations deleted successfully",
     NULL,
     forget},
    {"delete_relations",
     "relations",
     NULL,
     {"from", "to", "relationType"},
     "Relations deleted successfully",
     NULL,
     delete_relations},
};

/*
 * Over a file the transaction is the server's. A hub gives no handle but the session: where its key lacks transaction:use, each operation of a call is a transaction, and a revision that has gone on is CONFLICT.
 */
static brant_status transaction(mcp_server *server, bool *io_open,
                                brant_status (*step)(char **, size_t *, brant_db *, const char *,
                                                     size_t)) {
    brant_db *db = server->agent.db ? server->agent.db : server->agent.session;
    const bool begins = step == brant_transaction_begin;
    char *json = NULL;
    size_t length = 0;
    brant_status status;

    if (!begins && !*io_open) return BRANT_OK;
    status = step(&json, &length, db, "", 0);
    brant_free(json);
    if (begins || status == BRANT_OK) *io_open = begins && status == BRANT_OK;
    return begins && status == BRANT_DENIED && server->agent.hub ? BRANT_OK : status;
}

static void write_once(brant_status *out_status, mcp_answer *answer, mcp_server *server,
                       const memory_writer *writer, yyjson_val *given) {
    yyjson_mut_val *root, *results = NULL;
    bool open = false;

    answer->doc = mcp_doc();
    root = yyjson_mut_doc_get_root(answer->doc);
    *out_status = transaction(server, &open, brant_transaction_begin);
    if (*out_status != BRANT_OK) return;
    if (writer->make) {
        results = yyjson_mut_obj_add_arr(answer->doc, root, writer->result);
        *out_status = writer->make(answer, server, given, results);
    } else {
        yyjson_mut_obj_add_bool(answer->doc, root, "success", true);
        yyjson_mut_obj_add_str(answer->doc, root, "message", writer->said);
        *out_status = writer->take(server, given);
    }
    if (*out_status == BRANT_OK) {
        *out_status = transaction(server, &open, brant_transaction_commit);
        if (*out_status == BRANT_OK) return;
    }
    if (!answer->failed)
        mcp_answer_error(answer); /* before the roll back has a record of its own */
    transaction(server, &open, brant_transaction_rollback);
}

static void write_memory(mcp_answer *answer, mcp_server *server, const memory_writer *writer,
                         yyjson_val *arguments) {
    yyjson_val *given = yyjson_obj_get(arguments, writer->argument);
    brant_status status = BRANT_OK;

    if (!writer->members[0] && !mcp_is_texts(given)) {
        mcp_answer_fail(answer, "INVALID: %s is missing, or no array of texts", writer->argument);
        return;
    }
    if (!writer->members[0] && !check_size(answer, given, writer->argument)) return;
    if (writer->members[0] && !check(answer, given, writer->argument, writer->members)) return;
    for (int tries = 0; tries < 100 && !atomic_load(&server->cancelled); tries++) {
        mcp_answer_free(answer);
        write_once(&status, answer, server, writer, given);
        if (status != BRANT_CONFLICT && (status != BRANT_BUSY || tries >= 6)) break;
        const struct timespec pause = {.tv_nsec = 1000000L * (1 + position_now() % 20)};
        nanosleep(&pause, NULL);
    }
    if (status != BRANT_OK && !answer->failed) mcp_answer_error(answer);
    if (answer->failed) return;
    if (writer->said) {
        answer->text = mcp_copy(writer->said, strlen(writer->said));
        return;
    }
    /* What it made is what it was given: as long as that. The text is the array alone, as the reference's. */
    if (!mcp_shorten(answer, server->options.max_tokens, NULL)) {
        mcp_answer_fail(answer, "LIMIT: done, but the answer does not fit %zu tokens",
                        server->options.max_tokens);
        return;
    }
    answer->text =
        mcp_write(yyjson_mut_obj_get(yyjson_mut_doc_get_root(answer->doc), writer->result), NULL);
}

bool mcp_memory_write(mcp_answer *answer, mcp_server *server, const char *tool,
                      yyjson_val *arguments) {
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        if (strcmp(writers[i].name, tool) != 0) continue;
        write_memory(answer, server, &writers[i], arguments);
        return true;
    }
    return false;
}
