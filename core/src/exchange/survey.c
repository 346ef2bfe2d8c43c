/*
 * exchange/survey.c: which attributes there are, and of which kinds, in all nodes or edges of an export.
 */
#include <stdlib.h>

#include "exchange/internal.h"

#define POLL_MASK 4095

int brant__kind_of(yyjson_val *value) {
    if (yyjson_is_bool(value)) return BRANT__IS_BOOL;
    if (yyjson_is_str(value)) return BRANT__IS_TEXT;
    if (yyjson_is_sint(value)) return BRANT__IS_INTEGER;
    if (yyjson_is_uint(value))
        return yyjson_get_uint(value) <= INT64_MAX ? BRANT__IS_INTEGER : BRANT__IS_DOUBLE;
    if (yyjson_is_real(value)) return BRANT__IS_DOUBLE;
    return BRANT__IS_OTHER;
}

static int compare_names(const void *a, const void *b) {
    return brant__text_compare(((const brant__survey_name *)a)->name,
                               ((const brant__survey_name *)b)->name);
}

/* Note the members of one item. `places`: of a name its index. */
static brant_status note(brant__survey *survey, size_t *capacity, brant__map *places,
                         brant__call *call, yyjson_val *attributes) {
    size_t index, count;
    yyjson_val *name, *value;

    yyjson_obj_foreach(attributes, index, count, name, value) {
        brant__text text = brant__json_text(name);
        int64_t place;
        if (!brant__map_get(places, text, &place)) {
            if (survey->count == *capacity) {
                size_t grown = *capacity ? *capacity * 2 : 64;
                brant__survey_name *names = brant__arena_alloc(call->arena, grown * sizeof(*names));
                if (!names) return brant__fail_memory();
                if (survey->count) memcpy(names, survey->names, survey->count * sizeof(*names));
                survey->names = names;
                *capacity = grown;
            }
            place = (int64_t)survey->count++;
            survey->names[place] = (brant__survey_name){
                {brant__arena_copy(call->arena, text.data, text.length), text.length}, 0};
            if (!survey->names[place].name.data || !brant__map_put(places, text, place))
                return brant__fail_memory();
        }
        survey->names[place].kinds |= brant__kind_of(value);
    }
    return BRANT_OK;
}

brant_status brant__survey_take(brant__survey *out, brant__export *export, int kind) {
    brant__statement *statement = NULL;
    brant__map places = {0};
    brant__json json = {0};
    size_t capacity = 0, steps = 0;
    brant_status status;
    bool row;

    *out = (brant__survey){NULL, 0, false};
    BRANT__TRY(brant__export_all(&statement, export, kind));
    for (;;) {
        brant__text text;
        uint32_t type;
        BRANT__TRY(brant__step(&row, export->call->db, statement));
        if (!row) break;
        if ((++steps & POLL_MASK) == 0) BRANT__TRY(brant__db_poll(export->call->db));
        if (!brant__text_equal(brant__column_text(statement, 3), BRANT__TEXT("{}")))
            out->metadata = true;
        text = brant__column_text(statement, 2);
        if (brant__text_equal(text, BRANT__TEXT("{}"))) continue;
        BRANT__TRY(
            brant__read_type(&type, &export->graph, kind, brant__column_integer(statement, 1)));
        BRANT__TRY(brant__export_redact(&text, export, kind, type));
        BRANT__TRY(brant__json_parse(&json, text.data, text.length, 0));
        BRANT__TRY(note(out, &capacity, &places, export->call, json.root));
    }
    if (out->count > 1) qsort(out->names, out->count, sizeof(*out->names), compare_names);
cleanup:
    brant__reset(statement);
    brant__json_free(&json);
    brant__map_free(&places);
    return status;
}
