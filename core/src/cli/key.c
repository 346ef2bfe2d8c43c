/*
 * cli/key.c: brant key: key rings in files. Keys are made and rings are judged by the core.
 */
#include "cli.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the next ring -------------------------------------------------------------------------------------------------- */

/* A handle that judges rings, without a file. */
static int open_judge(brant_db **out, const cli_style *style) {
    static const char path[] = ":memory:", options[] = "{\"mode\":\"create\"}";
    return brant_open(out, path, strlen(path), options, strlen(options)) == BRANT_OK
               ? 0
               : cli_print_error(style);
}

/* The new key's entry, from the core. */
static int generate(yyjson_doc **out, brant_db *db, const cli_style *style, const char *purpose,
                    int64_t version) {
    yyjson_mut_doc *input = cli_input();
    yyjson_mut_val *object = yyjson_mut_doc_get_root(input);
    yyjson_mut_obj_add_str(input, object, "purpose", purpose);
    yyjson_mut_obj_add_sint(input, object, "version", version);
    return cli_ask(out, db, style, "keyring.generate", input, BRANT_OK);
}

/* The highest version of a purpose, 0 without one. Its active key is active no more: `retired`, 0 when there was none. */
static int64_t make_room(yyjson_mut_doc *ring, yyjson_mut_val *keys, const char *purpose,
                         int64_t *retired) {
    int64_t highest = 0;
    size_t index, count;
    yyjson_mut_val *key;
    *retired = 0;
    yyjson_mut_arr_foreach(keys, index, count, key) {
        yyjson_mut_val *its = yyjson_mut_obj_get(key, "purpose"),
                       *state = yyjson_mut_obj_get(key, "state");
        if (its ? !yyjson_mut_equals_str(its, purpose) : strcmp(purpose, "attribute") != 0)
            continue;
        const int64_t version = yyjson_mut_get_sint(yyjson_mut_obj_get(key, "version"));
        if (version > highest) highest = version;
        if (state && !yyjson_mut_equals_str(state, "active")) continue;
        *retired = version;
        if (state)
            yyjson_mut_set_str(state, "decrypt_only");
        else
            yyjson_mut_obj_add_str(ring, key, "state", "decrypt_only");
    }
    return highest;
}

/* The ring's text with a new active key; the core has taken it, as it has taken the old one. */
static int add_key(cli_text *out, yyjson_mut_doc *report, brant_db *db,
                   const cli_arguments *arguments, const cli_text *old) {
    const cli_style *style = &arguments->style;
    const char *purpose = arguments->purpose ? arguments->purpose : "attribute";
    yyjson_mut_doc *ring = cli_input();
    yyjson_doc *entry = NULL;
    int64_t retired = 0;
    int exit_code = 0;
    if (old->length > 0) {
        if (brant_keyring_load(db, old->data, old->length) != BRANT_OK) {
            exit_code = cli_print_error(style);
            goto cleanup;
        }
        yyjson_doc *read = yyjson_read_opts(old->data, old->length, 0, &cli_json, NULL);
        yyjson_mut_doc_set_root(ring, yyjson_val_mut_copy(ring, yyjson_doc_get_root(read)));
        yyjson_doc_free(read);
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(ring), *keys = yyjson_mut_obj_get(root, "keys");
    if (!keys) yyjson_mut_obj_add_val(ring, root, "keys", keys = yyjson_mut_arr(ring));
    const int64_t version = make_room(ring, keys, purpose, &retired) + 1;
    exit_code = generate(&entry, db, style, purpose, version);
    if (exit_code) goto cleanup;
    yyjson_mut_arr_append(keys, yyjson_val_mut_copy(ring, yyjson_doc_get_root(entry)));

    yyjson_mut_val *told = yyjson_val_mut_copy(report, yyjson_doc_get_root(entry));
    yyjson_mut_obj_remove_key(told, "key");
    if (retired)
        yyjson_mut_obj_add_sint(report, told, "decrypt_only", retired);
    else
        yyjson_mut_obj_add_null(report, told, "decrypt_only");
    yyjson_mut_doc_set_root(report, told);

    out->data =
        yyjson_mut_write_opts(ring, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END,
                              &cli_json, &out->length, NULL);
    if (!out->data)
        exit_code = cli_fail(style, BRANT_NO_MEMORY, "out of memory");
    else if (brant_keyring_load(db, out->data, out->length) != BRANT_OK)
        exit_code = cli_print_error(style);

cleanup:
    yyjson_doc_free(entry);
    yyjson_mut_doc_free(ring);
    return exit_code;
}

/* ---- commands ------------------------------------------------------------------------------------------------------- */

static int print_ring(const cli_style *style, const cli_text *ring) {
    struct stat out;
    if (fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) &&
        (out.st_mode & (S_IRWXG | S_IRWXO)))
        fprintf(stderr, "brant: others can read the file that the key is written to: chmod 600 it, "
                        "or let --keys make it\n");
    return cli_write(STDOUT_FILENO, ring->data, ring->length)
               ? 0
               : cli_fail(style, BRANT_IO, "the key cannot be written to standard output");
}

static int generate_command(const cli_arguments *arguments) {
    const cli_style *style = &arguments->style;
    cli_ring_file file = {.descriptor = -1};
    cli_text old = {0}, made = {0};
    yyjson_mut_doc *report = cli_input();
    brant_db *db = NULL;
    int exit_code = open_judge(&db, style);
    if (exit_code == 0 && arguments->keys)
        exit_code = cli_ring_open(&file, &old, style, arguments->keys);
    if (exit_code == 0) exit_code = add_key(&made, report, db, arguments, &old);
    if (exit_code == 0 && arguments->keys) {
        exit_code = cli_ring_replace(&file, style, &made);
        if (exit_code == 0) {
            cli_print_document(stdout, style, report);
            report = NULL;
        }
    } else if (exit_code == 0) {
        exit_code = print_ring(style, &made);
    }
    yyjson_mut_doc_free(report);
    cli_text_free(&made);
    cli_text_free(&old);
    cli_ring_close(&file);
    brant_db_free(db);
    return exit_code;
}

static int list_command(const cli_arguments *arguments) {
    const cli_style *style = &arguments->style;
    brant_db *db = NULL;
    yyjson_doc *answer = NULL;
    int exit_code = open_judge(&db, style);
    if (exit_code == 0) exit_code = cli_load_keys(db, arguments, "key list");
    if (exit_code == 0)
        exit_code = cli_ask(&answer, db, style, "keyring.info", cli_input(), BRANT_OK);
    if (exit_code == 0) {
        yyjson_mut_doc *keys = cli_input();
        yyjson_mut_doc_set_root(
            keys, yyjson_val_mut_copy(keys, yyjson_obj_get(yyjson_doc_get_root(answer), "keys")));
        cli_print_document(stdout, style, keys);
    }
    yyjson_doc_free(answer);
    brant_db_free(db);
    return exit_code;
}

const cli_command cli_key_commands[] = {
    {.name = "key generate",
     .arguments = "[--keys RING] [--purpose PURPOSE]",
     .summary = "make a key; in a ring file: its new active one",
     .options = CLI_KEYS | CLI_PURPOSE,
     .secrets = true,
     .run = generate_command,
     .help =
         "Without --keys: prints a key ring of one new random key. With --keys: makes that file "
         "with one key, or adds\nto the ring in it a key of the next version, which becomes the "
         "active one; the one active so far stays for\nopening what it sealed (decrypt_only). The "
         "key itself is not shown then. The file is replaced as a whole\nand only its owner can "
         "read it. BRANT_KEYS does not count here.\n\n"
         "Keep a copy of the ring apart from the data: without it nobody opens the secrets. After "
         "a new key,\nbrant secret rotate brings what is stored to it.\n\n"
         "  --keys RING          the key ring's file\n"
         "  --purpose PURPOSE    attribute (default), pepper or audit\n"},
    {.name = "key list",
     .arguments = "--keys RING",
     .summary = "the keys of a ring file, without what is secret",
     .options = CLI_KEYS,
     .secrets = true,
     .run = list_command,
     .help = "Purpose, version, state and algorithm of each key.\n\n" CLI_KEYS_HELP},
    {0},
};
