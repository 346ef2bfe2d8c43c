/*
 * schema/module_read.c: what a parsed module says: its types by name, its config and ends as JSON.
 */
#include "schema/schema.h"

uint32_t brant__module_node(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->node_type_count; i++)
        if (brant__text_equal(module->node_types[i].name, name)) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

uint32_t brant__module_edge(const brant__module *module, brant__text name) {
    for (size_t i = 0; i < module->edge_type_count; i++)
        if (brant__text_equal(module->edge_types[i].name, name)) return (uint32_t)i;
    return BRANT__NO_TYPE;
}

void brant__write_limit(brant__writer *out, const char *name, int64_t value) {
    brant__write_name(out, name);
    if (value < 0)
        brant__write_null(out);
    else
        brant__write_integer(out, value);
}

void brant__write_config(brant__writer *out, const brant__module_config *config) {
    static const char *const directions[] = {"directed", "undirected", "mixed"};
    const char *direction = directions[config->direction];

    brant__write_object(out);
    brant__write_text_member(out, "directed", brant__text_string(direction));
    brant__write_bool_member(out, "multi", config->multi);
    brant__write_bool_member(out, "allow_self_loops", config->allow_self_loops);
    brant__write_bool_member(out, "acyclic", config->acyclic);
    brant__write_limit(out, "max_nodes", config->max_nodes);
    brant__write_limit(out, "max_edges", config->max_edges);
    brant__write_end(out);
}

void brant__write_ends(brant__writer *out, const brant__module *module, const size_t *ends,
                       size_t count) {
    if (count == SIZE_MAX) {
        brant__write_null(out);
        return;
    }
    brant__write_array(out);
    for (size_t i = 0; i < count; i++)
        brant__write_text(out, module->node_types[ends[i]].name);
    brant__write_end(out);
}
