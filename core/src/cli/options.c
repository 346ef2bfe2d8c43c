/*
 * cli/options.c: what a command takes, from its row and the registry: the members of an operation's input are its options.
 */
#include "cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- the registry --------------------------------------------------------------------------------------------------- */

yyjson_val *cli_specs(void) {
    static yyjson_doc *registry;
    if (!registry) {
        char *json = NULL;
        size_t length = 0;
        if (brant_operation_list(&json, &length, NULL, "", 0) != BRANT_OK) return NULL;
        registry = yyjson_read(json, length, 0);
        brant_free(json);
    }
    return yyjson_obj_get(yyjson_doc_get_root(registry), "items");
}

yyjson_val *cli_spec(const char *operation) {
    size_t index, count;
    yyjson_val *spec;
    yyjson_arr_foreach(cli_specs(), index, count, spec) {
        if (yyjson_equals_str(yyjson_obj_get(spec, "name"), operation)) return spec;
    }
    return NULL;
}

/* Behind its $ref. */
static yyjson_val *resolved_schema(yyjson_val *spec, yyjson_val *schema) {
    const char *reference = yyjson_get_str(yyjson_obj_get(schema, "$ref"));
    if (!reference) return schema;
    const char *name = strrchr(reference, '/');
    yyjson_val *input = yyjson_obj_get(spec, "input_schema"),
               *found = yyjson_obj_get(yyjson_obj_get(input, "$defs"), name ? name + 1 : reference);
    if (!found) found = yyjson_obj_get(yyjson_obj_get(spec, "$defs"), name ? name + 1 : reference);
    return found ? found : schema;
}

yyjson_val *cli_member(const char *operation, const char *member) {
    yyjson_val *spec = cli_spec(operation);
    return resolved_schema(
        spec,
        yyjson_obj_get(yyjson_obj_get(yyjson_obj_get(spec, "input_schema"), "properties"), member));
}

bool cli_is_list(const char *operation) {
    yyjson_val *answer = yyjson_obj_get(cli_spec(operation), "output_schema");
    return yyjson_obj_get(yyjson_obj_get(answer, "properties"), "items") &&
           cli_member(operation, "limit") &&
           (cli_member(operation, "cursor") || cli_member(operation, "after"));
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

bool cli_word_next(cli_word *out, const char **list) {
    *out = (cli_word){0};
    while (**list == ' ')
        ++*list;
    if (**list == '\0') return false;
    size_t length = 0;
    for (; **list && **list != ' '; ++*list) {
        switch (**list) {
        case '[':
            out->optional = true;
            break;
        case ']':
            break;
        case '.':
            out->many = true;
            break;
        case '=':
            out->pairs = true;
            break;
        case '<':
            out->hidden = true;
            break;
        default:
            if (length + 1 < sizeof out->name) out->name[length++] = **list;
        }
    }
    out->name[length] = '\0';
    return true;
}

/* Does a list of words have this one? */
static bool lists(const char *list, const char *name) {
    cli_word word;
    while (list && cli_word_next(&word, &list))
        if (strcmp(word.name, name) == 0) return true;
    return false;
}

void cli_command_counts(const cli_command *command, int *least, int *most) {
    const char *list = command->words;
    cli_word word;
    *least = command->least;
    *most = command->most;
    if (!list || *most > 0) return;
    *least = *most = 1;
    while (cli_word_next(&word, &list)) {
        if (word.hidden) continue;
        if (!word.optional) ++*least;
        if (word.many || word.pairs)
            *most = INT_MAX;
        else if (*most < INT_MAX)
            ++*most;
    }
}

/* A member's name as one that stands for a value: ORDER-BY. */
static void capital(char *out, size_t size, const char *name) {
    size_t i = 0;
    for (; name[i] && i + 1 < size; i++)
        out[i] = (char)(name[i] == '_'                     ? '-'
                        : name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A'
                                                           : name[i]);
    out[i] = '\0';
}

void cli_command_arguments(char *out, size_t size, const cli_command *command) {
    const char *list = command->words;
    cli_word word;
    size_t length;
    if (command->arguments || !list) {
        snprintf(out, size, "%s", command->arguments ? command->arguments : "");
        return;
    }
    snprintf(out, size, "FILE");
    while (cli_word_next(&word, &list)) {
        char name[64];
        if (word.hidden) continue;
        capital(name, sizeof name, word.name);
        length = strlen(out);
        snprintf(out + length, size - length, " %s%s%s%s", word.optional ? "[" : "",
                 word.pairs ? "NAME=TEXT | NAME:=JSON | JSON | -" : name, word.optional ? "]" : "",
                 word.many || word.pairs ? "..." : "");
    }
}

/* ---- options -------------------------------------------------------------------------------------------------------- */

#define OPTIONS_MOST 64

static char *text_of(const char *before, const char *name, bool dashes) {
    const size_t start = strlen(before), length = strlen(name);
    char *made = malloc(start + length + 1);
    if (!made) {
        fputs("brant: out of memory\n", stderr);
        exit(BRANT_NO_MEMORY);
    }
    memcpy(made, before, start);
    memcpy(made + start, name, length + 1);
    for (size_t i = start; dashes && made[i]; i++)
        if (made[i] == '_') made[i] = '-';
    return made;
}

/* "asc desc" of an enum. */
char *cli_choices(yyjson_val *schema) {
    size_t index, count;
    yyjson_val *value;
    char *made = NULL;
    yyjson_arr_foreach(yyjson_obj_get(schema, "enum"), index, count, value) {
        if (!yyjson_is_str(value)) continue;
        char *before = made, *joined = text_of(made ? made : "", made ? " " : "", false);
        made = text_of(joined, yyjson_get_str(value), false);
        free(joined);
        free(before);
    }
    return made;
}

static const char *value_name(yyjson_val *schema) {
    yyjson_val *type = yyjson_obj_get(schema, "type");
    if (yyjson_is_arr(type)) type = yyjson_arr_get_first(type);
    if (yyjson_equals_str(type, "boolean")) return NULL;
    if (yyjson_equals_str(type, "integer") || yyjson_equals_str(type, "number")) return "N";
    if (yyjson_equals_str(type, "array"))
        return yyjson_equals_str(yyjson_obj_get(yyjson_obj_get(schema, "items"), "type"), "string")
                   ? "TEXT"
                   : "JSON";
    if (yyjson_equals_str(type, "string") || yyjson_obj_get(schema, "enum") ||
        yyjson_obj_get(schema, "anyOf"))
        return "TEXT";
    return "JSON";
}

static void add_member(cli_option *out, const char *name, yyjson_val *schema, const char *inside,
                       yyjson_val *described) {
    const char *description = yyjson_get_str(yyjson_obj_get(described, "description"));
    if (!description) description = yyjson_get_str(yyjson_obj_get(schema, "description"));
    *out = (cli_option){.name = text_of("--", name, true),
                        .value = value_name(schema),
                        .help = description ? description : "",
                        .choices = cli_choices(schema),
                        .schema = schema,
                        .member = name,
                        .inside = inside};
}

/* The members of an operation's input that the row leaves to options; of a filter with fixed members, these. */
static size_t add_members(cli_option *out, size_t most, const cli_command *command) {
    yyjson_val *spec = cli_spec(command->operation), *name, *schema, *inner_name, *inner;
    size_t made = 0, index, count, inner_index, inner_count;
    yyjson_obj_foreach(yyjson_obj_get(yyjson_obj_get(spec, "input_schema"), "properties"), index,
                       count, name, schema) {
        const char *member = yyjson_get_str(name);
        yyjson_val *resolved = resolved_schema(spec, schema);
        char quoted[80];
        snprintf(quoted, sizeof quoted, "\"%s\"", member);
        if (lists(command->words, member) || lists(command->without, member) ||
            (command->fixed && strstr(command->fixed, quoted)) || made + 2 > most ||
            strcmp(member, "cursor") == 0)
            continue;
        yyjson_val *members = yyjson_obj_get(resolved, "properties");
        if (strcmp(member, "filter") == 0 && members) {
            yyjson_obj_foreach(members, inner_index, inner_count, inner_name,
                               inner) if (made < most)
                add_member(&out[made++], yyjson_get_str(inner_name), resolved_schema(spec, inner),
                           "filter", inner);
            continue;
        }
        add_member(&out[made++], member, resolved, NULL, schema);
        if (strcmp(member, "limit") == 0 && cli_is_list(command->operation))
            out[made - 1].help = "At most this many items; default: all";
        if (strcmp(member, "filter") == 0)
            out[made++] = (cli_option){
                .name = "--where",
                .value = "CONDITION",
                .help = "As in 'effort >= 3', type=Task, 'title ~ text' (contains), 'key ^= a' "
                        "(begins so); fields but key, type, source, target and times are "
                        "attributes; may stand several times: all hold",
                .member = "filter"};
    }
    return made;
}

const cli_option *cli_options(const cli_command *command) {
    static const cli_command *last;
    static cli_option made[OPTIONS_MOST + 1];
    size_t count = 0;
    if (last == command) return made;
    for (size_t i = 0; made[i].name; i++) { /* of the command before: completion asks about many */
        if (made[i].schema) free((char *)(uintptr_t)made[i].name);
        if (made[i].schema) free((char *)(uintptr_t)made[i].choices);
    }
    memset(made, 0, sizeof made);
    for (const cli_option *own = command->own; own && own->name; own++)
        if (count < OPTIONS_MOST) made[count++] = *own;
    if (command->operation && command->words)
        count += add_members(made + count, OPTIONS_MOST - count, command);
    last = command;
    return made;
}
