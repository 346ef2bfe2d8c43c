/*
 * base/json_merge.c: merge patches, RFC 7386.
 */
#include "base/json.h"

/* Up to so many members of a patch are compared one by one; more are found by hash. */
#define SMALL_PATCH 16

/* The members of a patch: found by name, and which of them the target has too. */
typedef struct patch_members {
    yyjson_val *object;
    size_t count;
    brant__map numbers; /* where there are many */
    yyjson_val **names;
    uint8_t *used;
    uint8_t small[SMALL_PATCH];
    bool failed;
} patch_members;

static void members_begin(patch_members *members, yyjson_val *object) {
    size_t index, count;
    yyjson_val *name, *value;

    *members = (patch_members){.object = object, .count = yyjson_obj_size(object)};
    members->used = members->small;
    if (members->count <= SMALL_PATCH) return;
    members->names = brant__alloc(members->count * sizeof(yyjson_val *));
    members->used = brant__alloc_zero(members->count);
    members->failed = !members->names || !members->used;
    yyjson_obj_foreach(object, index, count, name, value) {
        (void)value;
        if (members->failed) return;
        members->names[index] = name;
        members->failed =
            !brant__map_put(&members->numbers, brant__json_text(name), (int64_t)index);
    }
}

static void members_end(patch_members *members) {
    if (members->count <= SMALL_PATCH) return;
    brant__map_free(&members->numbers);
    brant__free(members->names);
    brant__free(members->used);
}

/* The value of a member, which is noted as used; NULL: there is none. */
static yyjson_val *members_take(patch_members *members, yyjson_val *wanted) {
    size_t index, count;
    int64_t number;
    yyjson_val *name, *value;

    if (members->count > SMALL_PATCH) {
        if (!brant__map_get(&members->numbers, brant__json_text(wanted), &number)) return NULL;
        members->used[number] = 1;
        return yyjson_obj_iter_get_val(members->names[number]);
    }
    yyjson_obj_foreach(members->object, index, count, name, value) {
        if (!brant__text_equal(brant__json_text(name), brant__json_text(wanted))) continue;
        members->used[index] = 1;
        return value;
    }
    return NULL;
}

static void append_name(brant__buffer *out, bool *first, yyjson_val *name) {
    if (!*first) brant__buffer_append_byte(out, ',');
    *first = false;
    brant__json_append_text(out, brant__json_text(name));
    brant__buffer_append_byte(out, ':');
}

void brant__json_merge(brant__buffer *out, yyjson_val *target, yyjson_val *patch) {
    patch_members members;
    size_t index, count;
    yyjson_val *name, *value;
    bool first = true;

    if (!yyjson_is_obj(patch)) {
        brant__json_append(out, patch);
        return;
    }
    members_begin(&members, patch);
    if (members.failed) {
        out->failed = true;
        members_end(&members);
        return;
    }
    brant__buffer_append_byte(out, '{');
    if (yyjson_is_obj(target)) {
        yyjson_obj_foreach(target, index, count, name, value) {
            yyjson_val *given = members_take(&members, name);
            if (given && yyjson_is_null(given)) continue;
            append_name(out, &first, name);
            if (given)
                brant__json_merge(out, value, given);
            else
                brant__json_append(out, value);
        }
    }
    yyjson_obj_foreach(patch, index, count, name, value) {
        if (members.used[index] || yyjson_is_null(value)) continue;
        append_name(out, &first, name);
        brant__json_merge(out, NULL, value);
    }
    brant__buffer_append_byte(out, '}');
    members_end(&members);
}
