/*
 * schema/program.c: a compilation from its beginning to the packed program, which is one allocation.
 */
#include "schema/compile.h"

/* ---- compilations -------------------------------------------------------------------------------------------------- */

enum { BUFFERS = 19 };

static void list_buffers(brant__compiler *compiler, brant__buffer *out[BUFFERS]) {
    brant__buffer *const all[BUFFERS] = {
        &compiler->sites,
        &compiler->dynamic_names,
        &compiler->environments,
        &compiler->queue,
        &compiler->blocks,
        &compiler->rules,
        &compiler->words,
        &compiler->numbers,
        &compiler->names,
        &compiler->slots,
        &compiler->objects,
        &compiler->choices,
        &compiler->places,
        &compiler->text,
        &compiler->message,
        &compiler->scratch,
        &compiler->patterns,
        &compiler->faults.buffer,
        &compiler->constants.buffer,
    };
    memcpy(out, all, sizeof(all));
}

bool brant__compiler_failed(brant__compiler *compiler) {
    brant__buffer *buffers[BUFFERS];
    list_buffers(compiler, buffers);
    bool failed = compiler->no_memory;
    for (int i = 0; i < BUFFERS; i++)
        failed = failed || buffers[i]->failed;
    return failed;
}

void brant__compiler_begin(brant__compiler *compiler, yyjson_val *bundle) {
    compiler->bundle = bundle;
    const brant__block always[] = {{.types = BRANT__TYPE_ANY, .place = BRANT__NONE},
                                   {.place = BRANT__NONE}};
    brant__buffer_append(&compiler->blocks, always, sizeof(always));
    brant__write_array(&compiler->constants);
    brant__write_object(&compiler->faults);
    brant__write_name(&compiler->faults, "violations");
    brant__write_array(&compiler->faults);
    brant__bundle_scan(compiler);
}

static brant_status finish(brant__compiler *compiler) {
    if (brant__compiler_failed(compiler)) return brant__fail_memory();
    if (compiler->fault_count == 0) return BRANT_OK;
    brant__write_end(&compiler->faults);
    brant__write_end(&compiler->faults);
    if (compiler->faults.buffer.failed) return brant__fail_memory();
    const brant__text detail =
        brant__text_of(compiler->faults.buffer.data, compiler->faults.buffer.length);
    return brant__fail_detail(BRANT_VALIDATION, detail, "%.*s", (int)compiler->message.length,
                              compiler->message.data);
}

void brant__compiler_discard(brant__compiler *compiler) {
    for (uint32_t i = 0; i < BRANT__VECTOR_COUNT(compiler->patterns, brant__pattern *); i++) {
        brant__pattern_free(BRANT__VECTOR(compiler->patterns, brant__pattern *)[i]);
    }
    brant__buffer *buffers[BUFFERS];
    list_buffers(compiler, buffers);
    for (int i = 0; i < BUFFERS; i++)
        brant__buffer_free(buffers[i]);
    for (int group = 0; group < BRANT__GROUP_COUNT; group++)
        brant__buffer_free(&compiler->groups[group]);
    brant__map_free(&compiler->by_schema);
    brant__map_free(&compiler->by_anchor);
    brant__map_free(&compiler->by_dynamic);
    brant__map_free(&compiler->by_id);
    brant__map_free(&compiler->by_environment);
    brant__map_free(&compiler->by_block);
    for (size_t i = 0; i < BRANT__COUNT(compiler->metaschemas); i++)
        brant__json_free(&compiler->metaschemas[i]);
    brant__arena_free(&compiler->arena);
}

/* ---- packing --------------------------------------------------------------------------------------------------------- */

/* Give the places of all blocks, and those above them, numbers in the program. */
static void pack_places(brant__compiler *compiler) {
    brant__site *sites = BRANT__VECTOR(compiler->sites, brant__site);
    const uint32_t count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    for (uint32_t i = 0; i < count; i++) {
        brant__block *block = &BRANT__VECTOR(compiler->blocks, brant__block)[i];
        uint32_t site = block->place, below = BRANT__NONE;
        while (site != BRANT__NONE) {
            const bool known = sites[site].packed != BRANT__NONE;
            if (!known) {
                sites[site].packed = BRANT__VECTOR_COUNT(compiler->places, brant__place);
                const brant__text text = sites[site].text;
                const brant__place place = {
                    .parent = BRANT__NONE,
                    .kind = sites[site].kind,
                    .keyword = sites[site].keyword,
                    .index = sites[site].index,
                    .text = (uint32_t)compiler->text.length,
                    .length = (uint32_t)text.length,
                };
                brant__buffer_append(&compiler->text, text.data, text.length);
                brant__buffer_append(&compiler->places, &place, sizeof(place));
                if (compiler->places.failed) return;
            }
            if (below == BRANT__NONE)
                block->place = sites[site].packed;
            else
                BRANT__VECTOR(compiler->places, brant__place)[below].parent = sites[site].packed;
            if (known) break;
            below = sites[site].packed;
            site = sites[site].parent;
        }
    }
}

/* The size of an array in the program, which keeps the next one aligned. */
static size_t padded(size_t size) {
    return (size + 15) & ~(size_t)15;
}

static const void *place_array(char **at, const brant__buffer *buffer) {
    const void *array = *at;
    if (buffer->length > 0) memcpy(*at, buffer->data, buffer->length);
    *at += padded(buffer->length);
    return array;
}

static brant_status pack(brant__schema **out_schema, brant__compiler *compiler, uint32_t entry) {
    brant_status status = BRANT_OK;
    brant__schema *schema = NULL;
    brant__write_end(&compiler->constants);
    pack_places(compiler);
    const brant__buffer *const arrays[] = {
        &compiler->blocks, &compiler->rules, &compiler->words,    &compiler->numbers,
        &compiler->names,  &compiler->slots, &compiler->objects,  &compiler->choices,
        &compiler->places, &compiler->text,  &compiler->patterns,
    };
    const size_t constants_size = compiler->constant_count * sizeof(yyjson_val *);
    size_t size = padded(sizeof(*schema)) + padded(constants_size);
    for (size_t i = 0; i < BRANT__COUNT(arrays); i++) {
        if (arrays[i]->failed) return brant__fail_memory();
        if (arrays[i]->length > UINT32_MAX / 2)
            return brant__fail(BRANT_LIMIT, "the schema is too large");
        size += padded(arrays[i]->length);
    }
    if (compiler->constants.buffer.failed) return brant__fail_memory();
    schema = brant__alloc_zero(size);
    if (!schema) return brant__fail_memory();
    const brant__buffer *constants = &compiler->constants.buffer;
    BRANT__TRY(brant__json_parse(&schema->constants_json, constants->data, constants->length, 0));

    char *at = (char *)schema + padded(sizeof(*schema));
    void *begin = at;
    yyjson_val **values = begin;
    at += padded(constants_size);
    size_t index, count;
    yyjson_val *value;
    yyjson_arr_foreach(schema->constants_json.root, index, count, value) values[index] = value;
    schema->constants = values;
    schema->blocks = place_array(&at, &compiler->blocks);
    schema->rules = place_array(&at, &compiler->rules);
    schema->words = place_array(&at, &compiler->words);
    schema->numbers = place_array(&at, &compiler->numbers);
    schema->names = place_array(&at, &compiler->names);
    schema->slots = place_array(&at, &compiler->slots);
    schema->objects = place_array(&at, &compiler->objects);
    schema->choices = place_array(&at, &compiler->choices);
    schema->places = place_array(&at, &compiler->places);
    schema->text = place_array(&at, &compiler->text);
    begin = at;
    schema->patterns = begin;
    place_array(&at, &compiler->patterns);
    schema->pattern_count = BRANT__VECTOR_COUNT(compiler->patterns, brant__pattern *);
    brant__buffer_reset(&compiler->patterns);
    schema->entry = entry;
    schema->block_count = BRANT__VECTOR_COUNT(compiler->blocks, brant__block);
    schema->encrypts = compiler->encrypts;
    *out_schema = schema;
    schema = NULL;
cleanup:
    brant__schema_free(schema);
    return status;
}

void brant__schema_free(brant__schema *schema) {
    if (!schema) return;
    for (uint32_t i = 0; i < schema->pattern_count; i++)
        brant__pattern_free(schema->patterns[i]);
    brant__json_free(&schema->constants_json);
    brant__free(schema);
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

brant_status brant__schema_compile(brant__schema **out_schema, yyjson_val *bundle,
                                   yyjson_val *entry, brant__text entry_pointer) {
    return brant__schema_compile_as(out_schema, bundle, entry, entry_pointer, 0);
}

brant_status brant__schema_compile_as(brant__schema **out_schema, yyjson_val *bundle,
                                      yyjson_val *entry, brant__text entry_pointer,
                                      unsigned flags) {
    *out_schema = NULL;
    brant__compiler compiler = {.flags = flags};
    brant_status status = BRANT_OK;
    brant__compiler_begin(&compiler, bundle);
    uint32_t site = brant__bundle_site(&compiler, entry);
    if (site == BRANT__NONE && !brant__compiler_failed(&compiler))
        site = brant__bundle_add(&compiler, entry, entry_pointer);
    const uint32_t block = brant__compile_site(&compiler, site);
    brant__compile_blocks(&compiler);
    if (compiler.fault_count == 0 && !brant__compiler_failed(&compiler))
        brant__program_check(&compiler);
    BRANT__TRY(finish(&compiler));
    BRANT__TRY(pack(out_schema, &compiler, block));
cleanup:
    brant__compiler_discard(&compiler);
    return status;
}

brant_status brant__schema_check(yyjson_val *bundle) {
    brant__compiler compiler = {0};
    brant__compiler_begin(&compiler, bundle);
    for (uint32_t site = 0; !brant__compiler_failed(&compiler) &&
                            site < BRANT__VECTOR_COUNT(compiler.sites, brant__site);
         site++) {
        brant__compile_site(&compiler, site);
    }
    brant__compile_blocks(&compiler);
    if (compiler.fault_count == 0 && !brant__compiler_failed(&compiler))
        brant__program_check(&compiler);
    const brant_status status = finish(&compiler);
    brant__compiler_discard(&compiler);
    return status;
}
