/*
 * cli/value.c: arguments as JSON values.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_MOST 1024 /* bytes of what a wrong argument is told of */

static int wrong(const cli_style *style, const char *what, const char *wanted, const char *text) {
    char message[NAME_MOST];
    snprintf(message, sizeof message, "%s wants %s, not", what, wanted);
    return cli_wrong_usage(style, message, text);
}

/* ---- durations and times ---------------------------------------------------------------------------------------------- */

/* "90", "500ms", "1.5h" as ms. */
static bool read_duration(int64_t *out, const char *text) {
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"", 1},        {"ms", 1},       {"s", 1000},       {"m", 60000},
                 {"h", 3600000}, {"d", 86400000}, {"w", 604800000.0}};
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) return false;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0) continue;
        if (number * units[i].ms > (double)CLI_TIMEOUT_MAX) return false;
        *out = (int64_t)(number * units[i].ms + 0.5);
        return *end || !strpbrk(text, ".eExX");
    }
    return false;
}

/* "now", "+5m", "-1h", "2026-01-31", "2026-01-31T12:00[:30][Z]", ms. */
static bool read_time(int64_t *out, const char *text) {
    int64_t duration = 0;
    int used = 0;
    struct tm at = {.tm_isdst = -1};
    if (strcmp(text, "now") == 0) {
        *out = cli_now();
        return true;
    }
    if (*text == '+' || *text == '-') {
        if (!read_duration(&duration, text + 1)) return false;
        *out = cli_now() + (*text == '+' ? duration : -duration);
        return true;
    }
    if (strspn(text, "0123456789") == strlen(text)) return read_duration(out, text);
    if (sscanf(text, "%4d-%2d-%2d%n", &at.tm_year, &at.tm_mon, &at.tm_mday, &used) != 3)
        return false;
    text += used;
    if (*text == 'T' || *text == ' ') {
        if (sscanf(text + 1, "%2d:%2d%n", &at.tm_hour, &at.tm_min, &used) != 2) return false;
        text += 1 + used;
        if (*text == ':') {
            if (sscanf(text + 1, "%2d%n", &at.tm_sec, &used) != 1) return false;
            text += 1 + used;
        }
    }
    if ((*text && strcmp(text, "Z") != 0) || at.tm_mon < 1 || at.tm_mon > 12 || at.tm_mday < 1 ||
        at.tm_mday > 31 || at.tm_hour > 23 || at.tm_min > 59 || at.tm_sec > 60)
        return false;
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    if (*text) at.tm_isdst = 0;
    const int day = at.tm_mday;
    const time_t seconds = *text ? timegm(&at) : mktime(&at);
    *out = (int64_t)seconds * 1000;
    return at.tm_mday == day; /* no 31st of February */
}

/* ---- by schema ------------------------------------------------------------------------------------------------------ */

static bool has_type(yyjson_val *schema, const char *wanted) {
    size_t index, count;
    yyjson_val *type = yyjson_obj_get(schema, "type"), *value;
    if (yyjson_equals_str(type, wanted)) return true;
    yyjson_arr_foreach(type, index, count, value) if (yyjson_equals_str(value, wanted)) return true;
    yyjson_arr_foreach(yyjson_obj_get(schema, "anyOf"), index, count,
                       value) if (has_type(value, wanted)) return true;
    return false;
}

static bool any_value(yyjson_val *schema) {
    return !yyjson_obj_get(schema, "type") && !yyjson_obj_get(schema, "anyOf") &&
           !yyjson_obj_get(schema, "enum");
}

/* The word as a part of a text, not of another word. */
static bool says(const char *text, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = text; at && (at = strstr(at, word)); at += length)
        if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]))
            return true;
    return false;
}

static bool ends(const char *text, const char *end) {
    const size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

static int read_number(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
                       yyjson_val *schema, const char *what, const char *text) {
    const char *description = yyjson_get_str(yyjson_obj_get(schema, "description"));
    int64_t number = 0;
    if (!description) description = "";
    if (strstr(description, "since the Unix epoch") || ends(what, "-at")) {
        if (!read_time(&number, text))
            return wrong(style, what, "a time (2026-01-31T12:00, with Z in UTC, +5m, now, or ms)",
                         text);
    } else if (says(description, "ms") || ends(what, "-ttl")) {
        if (!read_duration(&number, text))
            return wrong(style, what, "a duration (500ms, 30s, 5m, 2h, 7d)", text);
    } else if (has_type(schema, "integer")) {
        char *end = NULL;
        errno = 0;
        number = strtoll(text, &end, 10);
        if (end == text || *end || errno || isspace((unsigned char)*text))
            return wrong(style, what, "a whole number", text);
    } else {
        char *end = NULL;
        const double real = strtod(text, &end);
        if (end == text || *end || real != real || real - real != 0)
            return wrong(style, what, "a number", text);
        *out = yyjson_mut_real(document, real);
        return 0;
    }
    *out = yyjson_mut_sint(document, number);
    return 0;
}

/* NULL: it is no JSON. */
static yyjson_mut_val *read_json(yyjson_mut_doc *document, const char *text, size_t length) {
    yyjson_doc *read = yyjson_read_opts((char *)(uintptr_t)text, length, 0, &cli_json, NULL);
    yyjson_mut_val *copy = read ? yyjson_val_mut_copy(document, yyjson_doc_get_root(read)) : NULL;
    yyjson_doc_free(read);
    return copy;
}

int cli_value(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
              yyjson_val *schema, const char *what, const char *text) {
    const bool texts = has_type(schema, "string") || yyjson_obj_get(schema, "enum"),
               numbers = has_type(schema, "integer") || has_type(schema, "number");
    *out = NULL;
    if (strcmp(text, "null") == 0 && has_type(schema, "null"))
        *out = yyjson_mut_null(document);
    else if (!*text && has_type(schema, "boolean"))
        *out = yyjson_mut_true(document);
    else if (numbers && !texts && !yyjson_obj_get(schema, "anyOf"))
        return read_number(out, document, style, schema, what, text);
    else if (texts && !numbers && !yyjson_obj_get(schema, "anyOf"))
        *out = yyjson_mut_str(document, text);
    else
        *out = read_json(document, text, strlen(text));
    if (*out && has_type(schema, "boolean") && !yyjson_obj_get(schema, "anyOf") &&
        !yyjson_mut_is_bool(*out) && !yyjson_mut_is_null(*out))
        return wrong(style, what, "true or false", text);
    if (!*out && (texts || yyjson_obj_get(schema, "anyOf")) && !any_value(schema))
        *out = yyjson_mut_str(document, text);
    return *out ? 0 : wrong(style, what, "JSON", text);
}

/* ---- pairs ---------------------------------------------------------------------------------------------------------- */

static int read_pair(yyjson_mut_val *object, yyjson_mut_doc *document, const cli_style *style,
                     const char *word, const char *what) {
    const size_t length = strcspn(word, "=");
    const bool json = length > 0 && word[length - 1] == ':';
    const size_t name = json ? length - 1 : length;
    if (!word[length] || name == 0)
        return wrong(style, what,
                     "NAME=TEXT, NAME:=JSON, one JSON value, or - for one on standard input", word);
    yyjson_mut_val *value = json ? read_json(document, word + length + 1, strlen(word + length + 1))
                                 : yyjson_mut_str(document, word + length + 1);
    if (!value) return wrong(style, what, "JSON after :=", word);
    yyjson_mut_val *key = yyjson_mut_strn(document, word, name);
    if (yyjson_mut_obj_getn(object, word, name)) return wrong(style, what, "each name once", word);
    yyjson_mut_obj_add(object, key, value);
    return 0;
}

int cli_pairs(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style, int count,
              char **words, const char *what) {
    int exit_code = 0;
    *out = NULL;
    if (count == 1 && strcmp(words[0], "-") == 0) {
        cli_text read = {0};
        if (!cli_read(&read, STDIN_FILENO, SIZE_MAX / 4))
            return cli_fail(style, BRANT_IO, "standard input cannot be read: %s", strerror(errno));
        *out = read_json(document, read.data, read.length);
        cli_text_free(&read);
        return *out ? 0
                    : cli_fail(style, BRANT_INVALID_JSON, "what standard input gives is not JSON");
    }
    if (count == 1 && (strchr("{[\"", words[0][0]) || !strchr(words[0], '='))) {
        *out = read_json(document, words[0], strlen(words[0]));
        if (*out) return 0;
        return wrong(style, what,
                     "NAME=TEXT, NAME:=JSON, one JSON value, or - for one on standard input",
                     words[0]);
    }
    yyjson_mut_val *object = yyjson_mut_obj(document);
    for (int i = 0; i < count && exit_code == 0; i++)
        exit_code = read_pair(object, document, style, words[i], what);
    if (exit_code == 0) *out = object;
    return exit_code;
}

/* ---- conditions ----------------------------------------------------------------------------------------------------- */

static bool is_field(const char *name) {
    static const char *const fields[] = {"created_at", "key",  "revision",     "source",
                                         "target",     "type", "type_version", "updated_at"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(name, fields[i]) == 0) return true;
    return strncmp(name, "attributes.", 11) == 0 || strncmp(name, "metadata.", 9) == 0 ||
           strncmp(name, "attributes/", 11) == 0 || strncmp(name, "metadata/", 9) == 0;
}

yyjson_mut_val *cli_field(yyjson_mut_doc *document, const char *text, size_t length) {
    char field[NAME_MOST + 16];
    if (length > NAME_MOST) return yyjson_mut_strncpy(document, text, length);
    snprintf(field, sizeof field, "%.*s", (int)length, text);
    if (!is_field(field)) snprintf(field, sizeof field, "attributes.%.*s", (int)length, text);
    return yyjson_mut_strcpy(document, field);
}

int cli_where(yyjson_mut_val **out, yyjson_mut_doc *document, const cli_style *style,
              const char *condition) {
    static const struct {
        const char *sign, *operator;
    } signs[] = {{"!=", "$ne"}, {">=", "$gte"},     {"<=", "$lte"}, {"^=", "$prefix"}, {">", "$gt"},
                 {"<", "$lt"},  {"~", "$contains"}, {"==", "$eq"},  {"=", "$eq"}};
    const char *text = condition;
    size_t length = strcspn(text, "!<>^~=");
    const char *value = NULL, *operator= NULL;
    for (size_t i = 0; i < sizeof signs / sizeof *signs && !value; i++) {
        if (strncmp(text + length, signs[i].sign, strlen(signs[i].sign)) != 0) continue;
        value = text + length + strlen(signs[i].sign);
        operator= signs[i].operator;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    while (length > 0 && *text == ' ')
        text++, length--;
    if (!value || length == 0 || length > NAME_MOST)
        return wrong(style, "--where", "a condition such as 'effort >= 3' (= != > >= < <= ~ ^=)",
                     condition);
    while (*value == ' ')
        value++;
    if (!*value)
        return wrong(style, "--where",
                     "a value behind the sign (a text that is empty: 'title = \"\"')", condition);
    yyjson_mut_val *operand = read_json(document, value, strlen(value));
    if (!operand) operand = yyjson_mut_str(document, value);
    yyjson_mut_val *test = yyjson_mut_obj(document);
    yyjson_mut_obj_add(test, yyjson_mut_str(document, operator), operand);
    *out = yyjson_mut_obj(document);
    yyjson_mut_obj_add(*out, cli_field(document, text, length), test);
    return 0;
}
