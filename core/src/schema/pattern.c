/*
 * schema/pattern.c: regular expressions of `pattern`, `patternProperties` and the regex format, by PCRE2. The only file that knows it.
 *
 * A pattern is compiled once, just in time where the platform allows it, and matched by many threads: what a match writes to stands on the
 * stack of its caller. Time and memory of a match are bounded; a match that reaches a bound counts as neither. Simple patterns are matched by direct.c.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "schema/program.h"

/* Steps of one match, and KiB of memory for backtracking where the just-in-time code does not do. */
enum { MATCH_STEPS = 1000000, MATCH_KIB = 16 * 1024 };

struct brant__pattern {
    brant__direct *direct; /* of a simple pattern */
    pcre2_code *code;
    pcre2_match_context *limits;
    bool fast;
    size_t length;
    char source[];
};

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

static void *allocate(size_t size, void *data) {
    (void)data;
    return brant__alloc(size);
}

static void release(void *memory, void *data) {
    (void)data;
    brant__free(memory);
}

/* The memory of one match: what PCRE2 asks for first comes from here, the rest from the allocator. */
typedef struct match_memory {
    _Alignas(16) char memory[1024];
    size_t used;
} match_memory;

static void *scratch_allocate(size_t size, void *data) {
    match_memory *scratch = data;
    const size_t padded = (size + 15) & ~(size_t)15;
    if (padded > sizeof(scratch->memory) - scratch->used) return brant__alloc(size);
    void *memory = scratch->memory + scratch->used;
    scratch->used += padded;
    return memory;
}

static void scratch_release(void *memory, void *data) {
    match_memory *scratch = data;
    const uintptr_t at = (uintptr_t)memory, from = (uintptr_t)scratch->memory;
    if (at < from || at >= from + sizeof(scratch->memory)) brant__free(memory);
}

/* ---- compiling ---------------------------------------------------------------------------------------------------------- */

static brant_status bad(brant__buffer *message, const char *why) {
    brant__buffer_format(message, "is not a regular expression that can be used: %s", why);
    return BRANT_VALIDATION;
}

brant_status brant__pattern_compile(brant__pattern **out_pattern, brant__text source,
                                    brant__buffer *message) {
    *out_pattern = NULL;
    brant_status status = BRANT_NO_MEMORY;
    pcre2_general_context *general = NULL;
    pcre2_compile_context *compile = NULL;
    const char *refusal = NULL;
    brant__buffer translated = {0};
    brant__pattern *pattern = brant__alloc_zero(sizeof(*pattern) + source.length + 1);
    if (!pattern) goto cleanup;
    if (!brant__regex_translate(&translated, source, &refusal)) {
        status = bad(message, refusal);
        goto cleanup;
    }
    brant__buffer_append_byte(&translated, '\0'); /* so that there is memory for an empty one too */
    if (translated.failed) goto cleanup;
    pattern->length = source.length;
    if (source.length > 0) memcpy(pattern->source, source.data, source.length);
    general = pcre2_general_context_create(allocate, release, NULL);
    if (!general) goto cleanup;
    compile = pcre2_compile_context_create(general);
    pattern->limits = pcre2_match_context_create(general);
    if (!compile || !pattern->limits) goto cleanup;
    pcre2_set_match_limit(pattern->limits, MATCH_STEPS);
    pcre2_set_heap_limit(pattern->limits, MATCH_KIB);
    pcre2_set_newline(compile, PCRE2_NEWLINE_ANYCRLF);
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NO_UTF_CHECK;
    int code;
    PCRE2_SIZE offset;
    pattern->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.length - 1, options,
                                  &code, &offset, compile);
    if (!pattern->code) {
        if (code == PCRE2_ERROR_HEAP_FAILED) goto cleanup;
        PCRE2_UCHAR why[160];
        pcre2_get_error_message(code, why, sizeof(why));
        status = bad(message, (const char *)why);
        goto cleanup;
    }
    if (brant__direct_compile(&pattern->direct, source) != BRANT_OK) goto cleanup;
    pattern->fast = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
    *out_pattern = pattern;
    pattern = NULL;
    status = BRANT_OK;
cleanup:
    brant__buffer_free(&translated);
    pcre2_compile_context_free(compile);
    pcre2_general_context_free(general);
    brant__pattern_free(pattern);
    return status;
}

void brant__pattern_free(brant__pattern *pattern) {
    if (!pattern) return;
    brant__direct_free(pattern->direct);
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    brant__free(pattern);
}

brant__text brant__pattern_source(const brant__pattern *pattern) {
    return brant__text_of(pattern->source, pattern->length);
}

/* ---- matching ----------------------------------------------------------------------------------------------------------- */

bool brant__pattern_simple(const brant__pattern *pattern) {
    return pattern->direct != NULL;
}

int brant__pattern_match(const brant__pattern *pattern, const char *data, size_t length) {
    if (pattern->direct) return brant__direct_match(pattern->direct, data, length);
    return brant__pattern_search(pattern, data, length);
}

int brant__pattern_search(const brant__pattern *pattern, const char *data, size_t length) {
    match_memory scratch;
    scratch.used = 0;
    int result = -1;
    pcre2_general_context *general =
        pcre2_general_context_create(scratch_allocate, scratch_release, &scratch);
    pcre2_match_data *match = general ? pcre2_match_data_create(1, general) : NULL;
    if (match) {
        int code = PCRE2_ERROR_JIT_STACKLIMIT;
        if (pattern->fast)
            code = pcre2_jit_match(pattern->code, (PCRE2_SPTR)data, length, 0, PCRE2_NO_UTF_CHECK,
                                   match, pattern->limits);
        /* The just-in-time code has the machine's stack only; what does not fit there is interpreted. */
        if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
            code = pcre2_match(pattern->code, (PCRE2_SPTR)data, length, 0,
                               PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match, pattern->limits);
        }
        if (code >= 0)
            result = 1;
        else if (code == PCRE2_ERROR_NOMATCH)
            result = 0;
    }
    pcre2_match_data_free(match);
    pcre2_general_context_free(general);
    return result;
}
