/*
 * mcp/catalogue.c: which operations are tools, and their names.
 *
 * A model chooses badly among hundreds of tools and pays for each description, so by default some twenty are offered and three more reach the rest
 * (meta.c). --tools chooses others: operations (nodes.put), namespaces (nodes or nodes.*), patterns with a * at the end (types.crm.*), "default", "all", "meta",
 * "types". What touches files of the machine, runs SQL or holds transactions open is there only for whom it was named.
 *
 * A tool's name is that of its operation with _ for what is not allowed in names of tools; one that would be too long, or another's, ends with a hash.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mcp/mcp.h"

static const char *const default_tools[] = {
    "db.info",          "edges.delete",         "edges.list",
    "edges.put",        "edges.put_many",       "graph_types.get",
    "graph_types.list", "graphs.create",        "graphs.get",
    "graphs.list",      "graphs.shortest_path", "graphs.subgraph",
    "nodes.count",      "nodes.delete",         "nodes.get",
    "nodes.list",       "nodes.neighbors",      "nodes.patch",
    "nodes.put",        "nodes.put_many",       "nodes.search",
};

/* ---- the selection ----------------------------------------------------------------------------- */

/* The next word of a list with commas or spaces; NULL at the end. */
static const char *next_word(size_t *out_length, const char **at) {
    const char *word;

    *at += strspn(*at, ", \t\n");
    word = *at;
    *out_length = strcspn(word, ", \t\n");
    *at += *out_length;
    return *out_length > 0 ? word : NULL;
}

static bool is_word(const char *word, size_t length, const char *text) {
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

static bool by_default(const char *operation) {
    for (size_t i = 0; i < sizeof default_tools / sizeof *default_tools; i++)
        if (strcmp(default_tools[i], operation) == 0) return true;
    return false;
}

/* What an agent is not given by a wide selection. */
static bool guarded(yyjson_val *spec, const char *operation) {
    return yyjson_obj_get(spec, "files") || strncmp(operation, "transaction.", 12) == 0 ||
           strcmp(operation, "sql.execute") == 0;
}

/* Does this word of a selection choose the operation? *out_named: as its name or that of its whole namespace "sql" or "transaction". */
static bool chooses(bool *out_named, const char *word, size_t length, const char *operation) {
    const size_t size = strlen(operation);
    const bool is_type = strncmp(operation, "types.", 6) == 0;
    bool found = false;

    *out_named = is_word(word, length, operation);
    if (*out_named) return true;
    if (is_word(word, length, "default")) return !is_type && by_default(operation);
    if (is_word(word, length, "all")) return !is_type;
    if (is_word(word, length, "meta")) return false;
    if (length > 0 && word[length - 1] == '*') {
        found = size >= length - 1 && memcmp(word, operation, length - 1) == 0;
        length -= length > 1 && word[length - 2] == '.' ? 2 : 1;
    } else {
        found = size > length && memcmp(word, operation, length) == 0 && operation[length] == '.';
    }
    *out_named = found && (is_word(word, length, "sql") || is_word(word, length, "transaction"));
    return found;
}

static void judge(mcp_catalogue *catalogue, mcp_tool *tool) {
    const char *at = catalogue->selection, *word;
    const bool is_guarded = guarded(tool->spec, tool->operation);
    const char *files = yyjson_get_str(yyjson_obj_get(tool->spec, "files"));
    size_t length;
    bool named = false;

    tool->chosen = false;
    tool->open = !is_guarded;
    while ((word = next_word(&length, &at))) {
        if (!chooses(&named, word, length, tool->operation) || (is_guarded && !named)) continue;
        tool->chosen = tool->open = true;
        if (files && strcmp(files, "read") == 0) catalogue->files_read = true;
        if (files && strcmp(files, "write") == 0) catalogue->files_write = true;
    }
}

/* ---- tools ------------------------------------------------------------------------------------- */

static void make_name(char *out, const char *operation) {
    const size_t length = strlen(operation);
    bool exact = length <= MCP_TOOL_NAME;
    size_t i;

    for (i = 0; i < length && i < MCP_TOOL_NAME; i++) {
        const unsigned char byte = (unsigned char)operation[i];
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
        out[i] = plain ? (char)byte : '_';
        exact = exact && (plain || byte == '.');
    }
    out[i] = '\0';
    if (!exact) {
        const size_t cut = i > MCP_TOOL_NAME - 9 ? MCP_TOOL_NAME - 9 : i;
        snprintf(out + cut, MCP_TOOL_NAME + 1 - cut, "_%08x",
                 (unsigned)mcp_hash(MCP_HASH, operation, length));
    }
}

static int by_name(const void *a, const void *b) {
    const mcp_tool *left = a, *right = b;
    const int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->operation, right->operation);
}

/* Two operations of one name of a tool: "a.b_c" and "a_b.c". */
static void part_names(mcp_catalogue *catalogue) {
    bool again = false;

    for (size_t i = 1; i < catalogue->count; i++) {
        mcp_tool *tool = &catalogue->tools[i];
        if (strcmp(tool->name, tool[-1].name) != 0) continue;
        const size_t length = strlen(tool->name);
        const size_t cut = length > MCP_TOOL_NAME - 9 ? MCP_TOOL_NAME - 9 : length;
        snprintf(tool->name + cut, MCP_TOOL_NAME + 1 - cut, "_%08x",
                 (unsigned)mcp_hash(MCP_HASH, tool->operation, strlen(tool->operation)));
        again = true;
    }
    if (again) qsort(catalogue->tools, catalogue->count, sizeof *catalogue->tools, by_name);
}

static void add(mcp_catalogue *catalogue, yyjson_doc *doc) {
    yyjson_val *items = yyjson_obj_get(yyjson_doc_get_root(doc), "items"), *spec;
    const size_t need = catalogue->count + yyjson_arr_size(items);
    size_t at, count;

    if (need > catalogue->capacity) {
        catalogue->tools = mcp_grow(catalogue->tools, need, sizeof *catalogue->tools);
        catalogue->capacity = need;
    }
    yyjson_arr_foreach(items, at, count, spec) {
        mcp_tool *tool = &catalogue->tools[catalogue->count];
        const char *operation = yyjson_get_str(yyjson_obj_get(spec, "name"));
        if (!operation) continue;
        *tool = (mcp_tool){.operation = operation, .spec = spec};
        tool->query = yyjson_equals_str(yyjson_obj_get(spec, "type"), "query");
        tool->subscription = yyjson_equals_str(yyjson_obj_get(spec, "type"), "subscription");
        make_name(tool->name, operation);
        judge(catalogue, tool);
        catalogue->count++;
    }
}

static brant_status read_operations(yyjson_doc **out, brant_db *db, const char *input,
                                    size_t input_len) {
    char *json = NULL;
    size_t length = 0;
    const brant_status status = brant_operation_list(&json, &length, db, input, input_len);

    *out = NULL;
    if (status != BRANT_OK) return status;
    *out = mcp_read(json, length);
    brant_free(json);
    return BRANT_OK;
}

brant_status mcp_catalogue_open(mcp_catalogue *catalogue, const char *selection) {
    const char *at, *word;
    size_t length;
    brant_status status;

    if (!selection) selection = "default,meta";
    *catalogue = (mcp_catalogue){.selection = mcp_copy(selection, strlen(selection))};
    catalogue->docs = mcp_alloc(sizeof *catalogue->docs);
    at = catalogue->selection;
    while ((word = next_word(&length, &at))) {
        if (is_word(word, length, "meta")) catalogue->meta = true;
        if (length >= 5 && memcmp(word, "types", 5) == 0) catalogue->types = true;
    }
    status = read_operations(&catalogue->docs[0], NULL, "", 0);
    if (status != BRANT_OK) return status;
    catalogue->doc_count = 1;
    add(catalogue, catalogue->docs[0]);
    qsort(catalogue->tools, catalogue->count, sizeof *catalogue->tools, by_name);
    at = catalogue->selection;
    while ((word = next_word(&length, &at))) {
        bool found = is_word(word, length, "meta") || (length >= 5 && !memcmp(word, "types", 5));
        bool named;
        for (size_t i = 0; i < catalogue->count && !found; i++)
            found = chooses(&named, word, length, catalogue->tools[i].operation);
        if (!found) return BRANT_INVALID;
    }
    return BRANT_OK;
}

static void drop_types(mcp_catalogue *catalogue) {
    size_t kept = 0;

    for (size_t i = 0; i < catalogue->count; i++)
        if (strncmp(catalogue->tools[i].operation, "types.", 6) != 0)
            catalogue->tools[kept++] = catalogue->tools[i];
    catalogue->count = kept;
    for (size_t i = 1; i < catalogue->doc_count; i++)
        yyjson_doc_free(catalogue->docs[i]);
    if (catalogue->doc_count > 1) catalogue->doc_count = 1;
}

/* Graph types by pages; *out_hash: of what matters of them. `read`: their operations too. */
static brant_status walk_types(uint64_t *out_hash, mcp_catalogue *catalogue, brant_db *db,
                               bool read) {
    char cursor[4096] = "";
    brant_status status = BRANT_OK;

    *out_hash = MCP_HASH;
    do {
        yyjson_mut_doc *input = cursor[0] ? mcp_input("cursor", cursor, NULL) : mcp_input(NULL);
        yyjson_doc *page = NULL;
        yyjson_val *item, *next;
        size_t at, count;
        status = mcp_ask(&page, db, "graph_types.list", input);
        yyjson_mut_doc_free(input);
        if (status != BRANT_OK) return status;
        yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(page), "items"), at, count, item) {
            const char *name = yyjson_get_str(yyjson_obj_get(item, "name"));
            char *json = mcp_write_read(item, NULL);
            *out_hash = mcp_hash(*out_hash, json, strlen(json));
            free(json);
            if (!read || !name) continue;
            yyjson_doc *specs = NULL;
            yyjson_mut_doc *wanted = mcp_input("graph_type", name, NULL);
            char *text = mcp_write(yyjson_mut_doc_get_root(wanted), NULL);
            yyjson_mut_doc_free(wanted);
            status = read_operations(&specs, db, text, strlen(text));
            free(text);
            if (status == BRANT_OK) {
                catalogue->docs =
                    mcp_grow(catalogue->docs, catalogue->doc_count + 1, sizeof *catalogue->docs);
                catalogue->docs[catalogue->doc_count++] = specs;
                add(catalogue, specs);
            } else if (status == BRANT_NOT_FOUND || status == BRANT_DENIED) {
                status = BRANT_OK; /* it went meanwhile */
            }
            if (status != BRANT_OK) break;
        }
        next = yyjson_obj_get(yyjson_doc_get_root(page), "cursor");
        snprintf(cursor, sizeof cursor, "%s", yyjson_is_str(next) ? yyjson_get_str(next) : "");
        yyjson_doc_free(page);
    } while (status == BRANT_OK && cursor[0]);
    return status;
}

brant_status mcp_catalogue_refresh(bool *out_changed, mcp_catalogue *catalogue, brant_db *db) {
    uint64_t hash = MCP_HASH;
    brant_status status;

    *out_changed = false;
    if ((!catalogue->types && !catalogue->meta) || !db) return BRANT_OK;
    status = walk_types(&hash, catalogue, db, false);
    if (status != BRANT_OK || hash == catalogue->fingerprint) return status;
    drop_types(catalogue);
    catalogue->fingerprint = 0;
    status = walk_types(&hash, catalogue, db, true);
    if (status == BRANT_OK) catalogue->fingerprint = hash;
    qsort(catalogue->tools, catalogue->count, sizeof *catalogue->tools, by_name);
    part_names(catalogue);
    *out_changed = true;
    return status;
}

void mcp_catalogue_close(mcp_catalogue *catalogue) {
    for (size_t i = 0; i < catalogue->doc_count; i++)
        yyjson_doc_free(catalogue->docs[i]);
    free(catalogue->docs);
    free(catalogue->tools);
    free(catalogue->selection);
    *catalogue = (mcp_catalogue){0};
}

const mcp_tool *mcp_catalogue_tool(const mcp_catalogue *catalogue, const char *name) {
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->tools[i].name, name) == 0) return &catalogue->tools[i];
    return NULL;
}

const mcp_tool *mcp_catalogue_operation(const mcp_catalogue *catalogue, const char *operation) {
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->tools[i].operation, operation) == 0) return &catalogue->tools[i];
    return NULL;
}
