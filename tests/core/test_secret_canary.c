/*
 * No trace of a secret: a file lives a whole life with values in encrypted attributes that are found again wherever they are, and then every byte is searched of the file, its
 * log, its backup, the folder beside it, and of all answers and messages. The same life without encryption shows that the search finds them.
 *
 * Looked for are the values themselves, their JSON, base64 in its three positions, hexadecimal digits, numbers as SQLite and C store them, and the keys.
 */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <sys/stat.h>

#include "child.h"
#include "support_ring.h"
#include "test_graph.h"

/* ---- canaries ------------------------------------------------------------------------------------ */

#define ASCII     "canary-ascii-9f31c0de"
#define ESCAPED   "\\\"q\\\\b\\/\\u00e9\\u0001\\n canary-escaped-77aa21"
#define LONG_MARK "canary-long-04c1"
#define OBJECT                                                                                     \
    "{\"user\":\"canary-user-31f0\",\"canary-name-5b\":{\"deep\":[\"canary-deep-32f0\",{}]},"      \
    "\"port\":5432}"
#define INTEGER   "735192468013579246"
#define DECIMAL   "73519246801357924.6801357924680135792468"
#define CHANGED   "canary-changed-aa10"
#define PATCHED   "canary-patched-bb20"
#define FAULTY    "canary-faulty-cc30"
#define TOKEN     "canary-token-dd40"
#define IMPORTED  "canary-imported-ee50"
#define GONE      "canary-gone-ff60"
#define KILLED    "canary-killed-0170"
#define LATER     "canary-later-1280"
#define PASSWORD  "canary-password-2390"
#define KEY       "a2V5LWNhbmFyeS1vZi0zMi1ieXRlcy0xMjM0NTY3ODk"
#define KEY_BYTES "key-canary-of-32-bytes-123456789"

static const char ring[] =
    "{\"keys\":[{\"version\":1,\"key\":\"" KEY "\"},{\"version\":2,\"state\":\"decrypt_only\","
    "\"password\":\"" PASSWORD "\"}]}";

/* Texts any trace of a value has one of, whole or cut at a page's end. */
static const char *const marks[] = {
    ASCII,
    "canary-escaped-77aa21",
    LONG_MARK,
    "canary-user-31f0",
    "canary-name-5b",
    "canary-deep-32f0",
    INTEGER,
    "73519246801357924",
    CHANGED,
    PATCHED,
    FAULTY,
    TOKEN,
    IMPORTED,
    GONE,
    KILLED,
    LATER,
};
static const char *const key_marks[] = {PASSWORD, KEY, KEY_BYTES};

#define MARKS     (sizeof marks / sizeof *marks)
#define KEY_MARKS (sizeof key_marks / sizeof *key_marks)
#define FORMS     5 /* of each: itself, hexadecimal, base64 from its first, second and third byte on */
#define NEEDLES   ((MARKS + KEY_MARKS) * FORMS + 3)

typedef struct needle {
    size_t mark;
    char bytes[128];
    size_t length;
} needle;

static needle needles[NEEDLES];
static size_t needle_count;

static needle *new_needle(size_t mark) {
    assert_true(needle_count < NEEDLES);
    needles[needle_count] = (needle){.mark = mark};
    return &needles[needle_count++];
}

static void hexadecimal(size_t mark, const char *text) {
    needle *to = new_needle(mark);
    for (const char *at = text; *at; at++)
        to->length += (size_t)sprintf(to->bytes + to->length, "%02x", (unsigned char)*at);
}

/* What is the same in every base64 that has the text from one of the three positions on: whole groups of three bytes. */
static void base64(size_t mark, const char *text, size_t skip) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)text + skip;
    needle *to = new_needle(mark);
    for (size_t left = strlen(text) - skip; left >= 3; left -= 3, at += 3) {
        const unsigned group = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            to->bytes[to->length++] = digits[group >> shift & 63];
    }
    assert_true(to->length >= 12);
}

static void binary(size_t mark, uint64_t bits, bool big) {
    needle *to = new_needle(mark);
    for (int i = 0; i < 8; i++)
        to->bytes[to->length++] = (char)(bits >> (big ? 56 - 8 * i : 8 * i) & 255);
}

static void make_needles(void) {
    const double decimal = strtod(DECIMAL, NULL);
    uint64_t bits;
    needle_count = 0;
    for (size_t i = 0; i < MARKS + KEY_MARKS; i++) {
        const char *text = i < MARKS ? marks[i] : key_marks[i - MARKS];
        needle *plain = new_needle(i);
        plain->length = (size_t)sprintf(plain->bytes, "%s", text);
        hexadecimal(i, text);
        for (size_t skip = 0; skip < 3; skip++)
            base64(i, text, skip);
    }
    memcpy(&bits, &decimal, sizeof bits);
    binary(6, (uint64_t)strtoull(INTEGER, NULL, 10), true);
    binary(6, (uint64_t)strtoull(INTEGER, NULL, 10), false);
    binary(7, bits, true);
}

static const char *mark_text(size_t mark) {
    return mark < MARKS ? marks[mark] : key_marks[mark - MARKS];
}

/* ---- the search ---------------------------------------------------------------------------------- */

typedef struct trace {
    size_t files;
    size_t bytes;
    bool found[MARKS + KEY_MARKS];
    char where[8192]; /* file and mark of each */
} trace;

static void note(trace *out, const char *file, size_t mark) {
    const size_t length = strlen(out->where);
    out->found[mark] = true;
    snprintf(out->where + length, sizeof out->where - length, " %s (%s)", mark_text(mark),
             strrchr(file, '/') + 1);
}

static void search_file(trace *out, const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(size + 1);
    size_t read;
    if (!file || !bytes) fail_msg("cannot read %s", path);
    read = fread(bytes, 1, size, file);
    fclose(file);
    out->files++;
    out->bytes += read;
    for (size_t i = 0; i < needle_count; i++)
        if (memmem(bytes, read, needles[i].bytes, needles[i].length))
            note(out, path, needles[i].mark);
    free(bytes);
}

static void search_folder(trace *out, const char *path, const char *only) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[4096];
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (lstat(name, &status) != 0) continue;
        if (S_ISDIR(status.st_mode))
            search_folder(out, name, only);
        else if (S_ISREG(status.st_mode) &&
                 (!only || strncmp(entry->d_name, only, strlen(only)) == 0))
            search_file(out, name, (size_t)status.st_size);
    }
    closedir(folder);
}

static void finds_nothing(const char *folder, const char *when) {
    trace out = {0};
    search_folder(&out, folder, NULL);
    assert_true(out.files >= 2); /* the file and the answers */
    if (out.where[0]) fail_msg("%s: found in %zu files:%s", when, out.files, out.where);
}

/* ---- a life -------------------------------------------------------------------------------------- */

typedef struct life {
    const char *folder;
    bool encrypted;
    bool logged; /* the log of changes is read too */
    brant_db *db;
    FILE *answers; /* all of them, and all messages */
} life;

static void write_error(life *self, const char *name) {
    const brant_error *error = brant_last_error();
    fprintf(self->answers, "%s: %s: %s %s\n", name, error->name, error->message, error->detail);
    fflush(self->answers);
}

/* What the call answers is of no matter but for its text. */
static brant_status tell_text(life *self, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, self->db, TEXT(name), TEXT(json));
    if (status == BRANT_OK)
        fprintf(self->answers, "%s: %s\n", name, answer);
    else
        write_error(self, name);
    fflush(self->answers);
    brant_free(answer);
    return status;
}

static brant_status tell(life *self, const char *name, const char *format, ...) FORMAT(3, 4);
static brant_status tell(life *self, const char *name, const char *format, ...) {
    va_list arguments;
    brant_status status;
    char *json;
    va_start(arguments, format);
    json = format_text(format, arguments);
    va_end(arguments);
    status = tell_text(self, name, json);
    free(json);
    return status;
}

/* The call must succeed. */
#define does(self, ...)                                                                            \
    do {                                                                                           \
        if (tell(self, __VA_ARGS__) != BRANT_OK)                                                   \
            fail_msg("line %d: %s", __LINE__, brant_last_error()->message);                        \
    } while (0)
/* It must fail, where secrets are encrypted. */
#define cannot(self, ...)                                                                          \
    do {                                                                                           \
        if (tell(self, __VA_ARGS__) == BRANT_OK && (self)->encrypted)                              \
            fail_msg("line %d: it succeeded", __LINE__);                                           \
    } while (0)

#define VAULT                                                                                      \
    "{\"$id\":\"vault\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{\"value\":" \
    "{\"type\":[\"string\",\"number\",\"object\"],\"maxLength\":60000,\"minimum\":0,"              \
    "\"pattern\":\"^(?!x-)\",\"properties\":{\"port\":{\"type\":\"integer\",\"enum\":[5432]}},"    \
    "\"propertyNames\":{\"maxLength\":40},\"additionalProperties\":{\"not\":{\"const\":false}}%s}" \
    ","                                                                                            \
    "\"db\":{\"type\":\"object\",\"properties\":{\"password\":{\"type\":\"string\","               \
    "\"maxLength\":60%s}},\"not\":{\"required\":[\"bad\"]}},"                                      \
    "\"note\":{\"type\":\"string\"}},\"additionalProperties\":false},"                             \
    "\"OtherNode\":{\"type\":\"object\"},"                                                         \
    "\"UsesEdge\":{\"type\":\"object\",\"properties\":{\"token\":{\"type\":\"string\"%s},"         \
    "\"cost\":{\"type\":\"number\"}}}}}"

static char *long_text(size_t count) {
    char *text = malloc(count * 32 + 1);
    size_t length = 0;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, LONG_MARK " %05zu.", i);
    return text;
}

static void begin(life *self) {
    const char *marked = self->encrypted ? ",\"x-encrypted\":true" : "";
    self->db = must_open(in_folder(self->folder, "a.db"), "{\"cache\":1048576}");
    must_load(self->db, ring);
    does(self, "graph_types.define", "{\"module\":" VAULT "}", marked, marked, marked);
    does(self, "graphs.create", "{\"name\":\"g\",\"graph_type\":\"vault\",\"changes\":true}");
    does(self, "indexes.create",
         "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"paths\":[\"attributes.note\"]}");
    does(self, "indexes.create",
         "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"kind\":\"text\",\"name\":\"t\","
         "\"paths\":[\"attributes.note\"]}");
}

#define PUT(key, attributes)                                                                       \
    "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"" key "\",\"attributes\":" attributes "}"

static void write_rows(life *self) {
    char *text = long_text(1800);
    does(self, "nodes.put", PUT("ascii", "{\"value\":\"" ASCII "\",\"note\":\"a neighbour\"}"));
    does(self, "nodes.put", PUT("escaped", "{\"value\":\"" ESCAPED "\"}"));
    does(self, "nodes.put",
         PUT("object", "{\"value\":" OBJECT ",\"db\":{\"password\":\"" ASCII "\"}}"));
    does(self, "nodes.insert", PUT("integer", "{\"value\":" INTEGER "}"));
    does(self, "nodes.insert", PUT("decimal", "{\"value\":" DECIMAL "}"));
    does(self, "nodes.put",
         "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"long\",\"attributes\":{\"value\":\"%s\"}}",
         text);
    does(self, "nodes.put", PUT("gone", "{\"value\":\"" GONE "\",\"note\":\"gone\"}"));
    does(self, "nodes.put",
         "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"gone "
         "long\",\"attributes\":{\"value\":\"" GONE "%s\"}}",
         text);
    does(self, "nodes.put_many",
         "{\"graph\":\"g\",\"items\":["
         "{\"type\":\"Secret\",\"key\":\"m1\",\"attributes\":{\"value\":\"" ASCII "\"}},"
         "{\"type\":\"Secret\",\"key\":\"m2\",\"attributes\":{\"db\":{\"password\":\"" ASCII
         "\"}}},"
         "{\"type\":\"Secret\",\"key\":\"m1\",\"attributes\":{\"value\":\"" CHANGED "\"}}]}");
    does(self, "types.vault.Secret.put",
         "{\"graph\":\"g\",\"key\":\"typed\",\"attributes\":{\"value\":\"" ASCII "\"}}");
    does(self, "edges.put",
         "{\"graph\":\"g\",\"type\":\"Uses\",\"source\":\"ascii\",\"target\":\"object\","
         "\"attributes\":{\"token\":\"" TOKEN "\",\"cost\":1}}");
    does(self, "edges.put_many",
         "{\"graph\":\"g\",\"items\":[{\"type\":\"Uses\",\"source\":\"ascii\",\"target\":\"long\","
         "\"attributes\":{\"token\":\"" TOKEN "\"}}]}");
    free(text);
}

static void change_rows(life *self) {
    does(self, "nodes.put", PUT("ascii", "{\"value\":\"" CHANGED "\",\"note\":\"changed\"}"));
    does(self, "nodes.patch",
         "{\"graph\":\"g\",\"key\":\"ascii\",\"attributes\":{\"value\":\"" PATCHED "\"}}");
    does(self, "nodes.patch",
         "{\"graph\":\"g\",\"key\":\"ascii\",\"attributes\":{\"note\":\"kept\"}}");
    does(self, "nodes.patch",
         "{\"graph\":\"g\",\"key\":\"object\",\"attributes\":{\"value\":{\"user\":\"" PATCHED
         "\"}}}");
    does(self, "nodes.patch", "{\"graph\":\"g\",\"key\":\"object\",\"attributes\":{\"db\":null}}");
    does(self, "nodes.patch_many",
         "{\"graph\":\"g\",\"items\":[{\"key\":\"m1\",\"attributes\":{\"value\":\"" PATCHED "\"}},"
         "{\"key\":\"m2\",\"attributes\":{\"db\":{\"password\":\"" PATCHED "\"}}}]}");
    does(self, "edges.patch",
         "{\"graph\":\"g\",\"key\":\"[\\\"ascii\\\",\\\"Uses\\\",\\\"object\\\"]\","
         "\"attributes\":{\"token\":\"" PATCHED "\"}}");
    does(self, "nodes.delete", "{\"graph\":\"g\",\"key\":\"gone\"}");
    does(self, "nodes.delete_many", "{\"graph\":\"g\",\"keys\":[\"gone long\"]}");
    does(self, "nodes.put", PUT("escaped", "{\"note\":\"emptied\"}"));
}

/* Each names a value that must not come back in the message, its detail, or the answer. */
static void fail_calls(life *self) {
    static const char *const texts[][2] = {
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY
         "\" oops}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Nope\",\"attributes\":{\"value\":\"" FAULTY
         "\"}}"},
        {"nodes.put",
         "{\"graph\":\"nope\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY
         "\"}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY
         "\"}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":[\"" FAULTY
         "\"]}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":-" INTEGER
         "}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"port\":\"" FAULTY "\",\"" FAULTY "\":1}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"db\":{"
                      "\"password\":{\"" FAULTY "\":1}}}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY
         "\",\"more\":1}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"$enc\":2,\"ct\":\"" FAULTY "\"}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"$enc\":\"" FAULTY "\"}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"$redacted\":true,\"x\":\"" FAULTY "\"}}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"" FAULTY
         "\"},\"revision\":\"no\"}"},
        {"nodes.insert", "{\"graph\":\"g\",\"key\":\"ascii\",\"type\":\"Secret\",\"attributes\":{"
                         "\"value\":\"" FAULTY "\"}}"},
        {"nodes.patch",
         "{\"graph\":\"g\",\"key\":\"nope\",\"attributes\":{\"value\":\"" FAULTY "\"}}"},
        {"nodes.patch",
         "{\"graph\":\"g\",\"key\":\"ascii\",\"attributes\":{\"value\":[\"" FAULTY "\"]}}"},
        {"nodes.patch",
         "{\"graph\":\"g\",\"key\":\"object\",\"attributes\":{\"value\":{\"port\":\"" FAULTY
         "\"}}}"},
        {"nodes.put_many",
         "{\"graph\":\"g\",\"items\":[{\"type\":\"Secret\",\"key\":\"n\",\"attributes\":{\"value\":"
         "\"" FAULTY "\"}},{\"type\":\"Secret\",\"key\":\"n2\",\"attributes\":{\"value\":[\"" FAULTY
         "\"]}}]}"},
        {"edges.put", "{\"graph\":\"g\",\"type\":\"Uses\",\"source\":\"nope\",\"target\":"
                      "\"object\",\"attributes\":{\"token\":\"" FAULTY "\"}}"},
        {"edges.put", "{\"graph\":\"g\",\"type\":\"Uses\",\"source\":\"ascii\",\"target\":"
                      "\"object\",\"attributes\":{\"token\":[\"" FAULTY "\"]}}"},
        {"nodes.list", "{\"graph\":\"g\",\"filter\":{\"attributes.value\":\"" FAULTY "\"}}"},
        {"nodes.list", "{\"graph\":\"g\",\"filter\":{\"attributes.value\":{\"$in\":[\"" FAULTY
                       "\",{\"a\":1}]}}}"},
        {"nodes.delete_many",
         "{\"graph\":\"g\",\"filter\":{\"attributes.db.password\":{\"$prefix\":\"" FAULTY "\"}}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":{\"" FAULTY
         "\":false}}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":{\"" FAULTY
         " and so on, longer than forty bytes\":1}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"port\":{\"" FAULTY "\":1}}}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":\"x-" FAULTY
         "\"}}"},
        {"nodes.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"value\":{\"" FAULTY
         "\":1,\"" FAULTY "\":2}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"db\":{"
                      "\"password\":\"" FAULTY "\",\"bad\":1}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{\"db\":{"
                      "\"password\":\"" FAULTY " " FAULTY " " FAULTY " " FAULTY " " FAULTY "\"}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"$enc\":2,\"" FAULTY "\":1}}}"},
        {"nodes.put", "{\"graph\":\"g\",\"key\":\"x\",\"type\":\"Secret\",\"attributes\":{"
                      "\"value\":{\"$redacted\":true,\"" FAULTY "\":1}}}"},
        {"types.vault.Secret.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"attributes\":{\"value\":{\"" FAULTY "\":false}}}"},
        {"types.vault.Secret.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"attributes\":{\"value\":{\"port\":\"" FAULTY "\"}}}"},
        {"graphs.import",
         "{\"graph\":\"g\",\"format\":\"graphology\",\"text\":\"{\\\"nodes\\\":[{\\\"key\\\":"
         "\\\"x\\\",\\\"attributes\\\":{\\\"@type\\\":\\\"Secret\\\",\\\"value\\\":{\\\"" FAULTY
         "\\\":false}}}]}\"}"},
        {"graphs.import",
         "{\"graph\":\"g\",\"format\":\"graphology\",\"text\":\"{\\\"nodes\\\":[{\\\"key\\\":"
         "\\\"x\\\",\\\"attributes\\\":{\\\"@type\\\":\\\"Secret\\\",\\\"value\\\":\\\"" FAULTY
         "\\\",\\\"value\\\":\\\"" FAULTY "\\\"}}]}\"}"},
        {"envelopes.seal",
         "{\"value\":\"" FAULTY
         "\",\"context\":{\"graph_id\":\"g\",\"kind\":\"nod\",\"key\":\"k\",\"path\":\"/v\"}}"},
        {"envelopes.open",
         "{\"envelope\":{\"$enc\":2,\"" FAULTY "\":\"" FAULTY
         "\"},\"context\":{\"graph_id\":\"g\",\"kind\":\"node\",\"key\":\"k\",\"path\":\"/v\"}}"},
        {"keyring.derive", "{\"password\":\"" PASSWORD "\",\"kdf\":{\"t\":0}}"},
        {"keyring.derive", "{\"password\":\"" PASSWORD "\",\"kdf\":{\"m\":1}}"},
        {"types.vault.Secret.put",
         "{\"graph\":\"g\",\"key\":\"x\",\"attributes\":{\"value\":[\"" FAULTY "\"]}}"},
    };
    for (size_t i = 0; i < BRANT__COUNT(texts); i++) {
        const brant_status status = tell_text(self, texts[i][0], texts[i][1]);
        if (status == BRANT_OK && self->encrypted) fail_msg("%s succeeded", texts[i][1]);
    }
    /* With faults that are answered, not failures. */
    does(self, "nodes.put_many",
         "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":["
         "{\"type\":\"Secret\",\"key\":\"f1\",\"attributes\":{\"value\":[\"" FAULTY "\"]}},"
         "{\"type\":\"Secret\",\"key\":\"f2\",\"attributes\":{\"value\":{\"port\":\"" FAULTY
         "\"}}},"
         "{\"type\":\"Secret\",\"key\":\"f3\",\"attributes\":{\"db\":{\"password\":" INTEGER
         "}}}]}");
    does(self, "nodes.put_many",
         "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"{\\\"key\\\":\\\"l\\\",\\\"type\\\":"
         "\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":\\\"" FAULTY "\\\" oops}}\\n\"}");
    does(self, "graph_types.validate_node",
         "{\"graph_type\":\"vault\",\"type\":\"Secret\",\"attributes\":{\"value\":[\"" FAULTY
         "\"],\"db\":{\"password\":" INTEGER "}}}");
    does(self, "graph_types.validate_edge",
         "{\"graph_type\":\"vault\",\"type\":\"Uses\",\"attributes\":{\"token\":[\"" FAULTY
         "\"]}}");
}

static void import_rows(life *self) {
    does(self, "graphs.import",
         "{\"graph\":\"g\",\"format\":\"ndjson\",\"text\":\"{\\\"node\\\":{\\\"key\\\":\\\"i1\\\","
         "\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":\\\"" IMPORTED
         "\\\"}}}\\n\"}");
    does(self, "graphs.import",
         "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\",\"node_type\":\"Secret\","
         "\"text\":\"key,value,note\\ni2,\\\"" IMPORTED "\\\",plain\\n\"}");
    does(self, "graphs.import",
         "{\"graph\":\"g\",\"format\":\"ndjson\",\"errors\":\"skip\",\"text\":\"{\\\"node\\\":{"
         "\\\"key\\\":\\\"i3\\\",\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":["
         "\\\"" IMPORTED
         "\\\"]}}}\\n{\\\"node\\\":{\\\"key\\\":\\\"i4\\\",\\\"type\\\":\\\"Secret\\\","
         "\\\"attributes\\\":{\\\"value\\\":\\\"" IMPORTED "\\\",\\\"more\\\":1}}}\\n\"}");
    cannot(
        self, "graphs.import",
        "{\"graph\":\"g\",\"format\":\"ndjson\",\"text\":\"{\\\"node\\\":{\\\"key\\\":\\\"i5\\\","
        "\\\"type\\\":\\\"Secret\\\",\\\"attributes\\\":{\\\"value\\\":\\\"" IMPORTED
        "\\\" oops}}}\\n\"}");
}

static void read_rows(life *self) {
    static const char *const formats[] = {"graphology", "node_link", "ndjson",
                                          "graphml",    "dot",       "mermaid"};
    does(self, "nodes.list", "{\"graph\":\"g\",\"limit\":10000}");
    does(self, "nodes.list", "{\"graph\":\"g\",\"order_by\":\"attributes.note\"}");
    does(self, "nodes.search", "{\"graph\":\"g\",\"query\":\"neighbour OR kept OR gone\"}");
    does(self, "edges.list", "{\"graph\":\"g\"}");
    does(self, "types.vault.Secret.find", "{\"graph\":\"g\"}");
    does(self, "nodes.closure", "{\"graph\":\"g\",\"keys\":[\"ascii\"]}");
    does(self, "graphs.subgraph", "{\"graph\":\"g\"}");
    does(self, "graphs.arrays", "{\"graph\":\"g\",\"attributes\":true}");
    if (self->logged) does(self, "graphs.changes", "{\"graph\":\"g\"}");
    does(self, "graphs.diff", "{\"graph\":\"g\",\"from\":2}");
    for (size_t i = 0; i < BRANT__COUNT(formats); i++)
        does(self, "graphs.export", "{\"graph\":\"g\",\"format\":\"%s\"}", formats[i]);
    does(self, "graphs.export", "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\"}");
    does(self, "graphs.export", "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"edges\"}");
    (void)tell(self, "graphs.replay", "{\"graph\":\"g\",\"to\":20,\"into\":\"again\"}");
    (void)tell(self, "nodes.open_secret",
               "{\"graph\":\"g\",\"key\":\"nope\",\"path\":\"attributes.value\"}");
    (void)tell(self, "nodes.open_secret",
               "{\"graph\":\"g\",\"key\":\"ascii\",\"path\":\"attributes.note\"}");
}

static void roll_back(life *self) {
    char *text = long_text(40);
    does(self, "transaction.begin", "{}");
    does(self, "nodes.put", PUT("back", "{\"value\":\"" GONE "\"}"));
    /* More than the cache holds, so that pages go to the log before the end is known. */
    for (int i = 0; i < 1500; i++)
        does(self, "nodes.put",
             "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"back "
             "%d\",\"attributes\":{\"value\":\"" GONE "%s\"}}",
             i, text);
    does(self, "transaction.rollback", "{}");
    free(text);
}

/* Rings that are refused are not shown. */
static void refuse_rings(life *self) {
    static const char *const rings[] = {
        "{\"keys\":[{\"version\":1,\"key\":\"" KEY "\"},{\"version\":1,\"key\":\"" KEY "\"}]}",
        "{\"keys\":[{\"version\":1,\"key\":\"" KEY "\"},{\"version\":2,\"key\":\"" KEY
        "\",\"state\":\"decrypt_only\"}]}",
        "{\"keys\":[{\"version\":1,\"key\":\"" KEY "AAAA\"}]}",
        "{\"keys\":[{\"version\":1,\"key\":\"" KEY "\",\"state\":\"" PASSWORD "\"}]}",
        "{\"keys\":[{\"version\":1,\"password\":\"" PASSWORD "\",\"purpose\":\"pepper\"}]}",
        "{\"keys\":[{\"version\":1,\"password\":{\"" PASSWORD "\":1}}]}",
        "{\"keys\":[{\"version\":1,\"password\":\"" PASSWORD "\",\"kdf\":{\"alg\":\"argon2id13\","
        "\"s\":\"AAECAwQFBgcICQoLDA0ODw\",\"t\":1,\"m\":1}}]}",
        "{\"keys\":[{\"version\":1,\"" PASSWORD "\":1}]}",
        "{\"keys\":[{\"version\":1,\"key\":\"" KEY "\" oops",
        "{\"keys\":[],\"" PASSWORD "\":\"" KEY "\"}",
    };
    for (size_t i = 0; i < BRANT__COUNT(rings); i++) {
        if (brant_keyring_load(self->db, TEXT(rings[i])) == BRANT_OK)
            fail_msg("%s was taken", rings[i]);
        write_error(self, "the ring");
    }
    does(self, "keyring.info", "{}");
}

/* What a graph type's own checks of stored rows say. */
static void judge_rows(life *self) {
    static const char stricter[] =
        "{\"$id\":\"vault\",\"$defs\":{\"SecretNode\":{\"type\":\"object\",\"properties\":{"
        "\"value\":{"
        "\"type\":\"boolean\"%s},\"db\":{\"type\":\"object\",\"properties\":{\"password\":{"
        "\"type\":\"integer\"%s}}},\"note\":{}}},\"OtherNode\":{\"type\":\"object\"},\"UsesEdge\":{"
        "\"type\":\"object\",\"properties\":{\"token\":{\"enum\":[1]%s}}}}}";
    const char *marked = self->encrypted ? ",\"x-encrypted\":true" : "";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char *module = NULL;
    if (asprintf(&module, stricter, marked, marked, marked) < 0) fail_msg("no memory");
#pragma GCC diagnostic pop
    does(self, "graph_types.check", "{\"name\":\"vault\",\"module\":%s}", module);
    does(self, "graph_types.diff", "{\"name\":\"vault\",\"module\":%s}", module);
    (void)tell(self, "graph_types.migrate",
               "{\"name\":\"vault\",\"patches\":{\"Secret\":[{\"op\":\"add\",\"path\":\"/value\","
               "\"value\":\"" FAULTY "\"}]},\"background\":true}");
    free(module);
}

static void copy_file(life *self) {
    does(self, "db.backup", "{\"path\":\"%s\"}", in_folder(self->folder, "backup.db"));
    does(self, "nodes.put", PUT("late", "{\"value\":\"" LATER "\"}"));
    does(self, "db.restore", "{\"path\":\"%s\"}", in_folder(self->folder, "backup.db"));
    does(self, "nodes.put", PUT("late", "{\"value\":\"" LATER "\"}"));
    does(self, "nodes.get", "{\"graph\":\"g\",\"key\":\"late\"}");
    does(self, "db.maintain", "{}");
    does(self, "db.metrics", "{}");
    does(self, "db.doctor", "{}");
}

static void hear_all(life *self, brant_cursor *cursor) {
    bool more = true;
    while (more) {
        char *text = NULL;
        size_t length;
        assert_int_equal(brant_cursor_next(&text, &length, cursor, 0), BRANT_OK);
        fprintf(self->answers, "heard: %s\n", text);
        more = length > 2;
        brant_free(text);
    }
}

static void end(life *self) {
    brant_db_free(self->db);
    self->db = NULL;
}

static void live(life *self, void (*look)(const life *self, const char *when)) {
    brant_cursor *cursor;
    begin(self);
    cursor = must_listen_to(self->db, "*");
    write_rows(self);
    change_rows(self);
    look(self, "after writing");
    fail_calls(self);
    refuse_rings(self);
    import_rows(self);
    read_rows(self);
    look(self, "after reading");
    hear_all(self, cursor);
    brant_cursor_free(cursor);
    roll_back(self);
    look(self, "after a transaction that was rolled back");
    judge_rows(self);
    copy_file(self);
    look(self, "after a backup and maintenance");
    end(self);
    look(self, "after closing");
}

static void open_answers(life *self) {
    self->answers = fopen(in_folder(self->folder, "answers.txt"), "w");
    assert_non_null(self->answers);
}

/* ---- tests --------------------------------------------------------------------------------------- */

static void expect_nothing(const life *self, const char *when) {
    fflush(self->answers);
    finds_nothing(self->folder, when);
}

static void no_trace_is_left(void **state) {
    life self = {.folder = *state, .encrypted = true, .logged = true};
    make_needles();
    open_answers(&self);
    live(&self, expect_nothing);
    fclose(self.answers);
}

static void look_away(const life *self, const char *when) {
    (void)self;
    (void)when;
}

/* Without encryption each is there, in the file or its log, and in what was answered. */
static void the_search_finds_what_is_not_encrypted(void **state) {
    static const char *const stored[] = {
        LONG_MARK,
        INTEGER,
        "canary-user-31f0",
        "canary-name-5b",
        "canary-deep-32f0",
        PATCHED,
        TOKEN,
        IMPORTED,
        LATER,
        ASCII,
        "canary-escaped-77aa21",
        "73519246801357924",
        CHANGED,
        GONE,
    };
    life self = {.folder = *state, .encrypted = false, .logged = true};
    trace file = {0}, answers = {0};
    make_needles();
    open_answers(&self);
    live(&self, look_away);
    fclose(self.answers);
    search_folder(&file, self.folder, "a.db");
    search_folder(&answers, self.folder, "answers.txt");
    for (size_t i = 0; i < MARKS; i++) {
        bool wanted = false;
        for (size_t j = 0; j < BRANT__COUNT(stored); j++)
            wanted = wanted || strcmp(stored[j], marks[i]) == 0;
        if (wanted && !file.found[i]) fail_msg("%s is not found in the file", marks[i]);
        if (wanted && !answers.found[i]) fail_msg("%s is not found in the answers", marks[i]);
    }
    /* Messages say what is wrong with a plain value. */
    assert_true(answers.found[10]);
    for (size_t i = MARKS; i < MARKS + KEY_MARKS; i++)
        assert_false(file.found[i] || answers.found[i]);
}

/* ---- plain first --------------------------------------------------------------------------------- */

/* The same file begins without encryption: values stand in rows, indexes, the log of changes, freed pages. Then its type encrypts them. */
static void write_plain(life *self) {
    char *text = long_text(700);
    begin(self);
    write_rows(self);
    change_rows(self);
    import_rows(self);
    roll_back(self);
    does(
        self, "nodes.put",
        "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"plain\",\"attributes\":{\"value\":\"%s\"}}",
        text);
    does(self, "indexes.create",
         "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"name\":\"values\","
         "\"paths\":[\"attributes.value\"]}");
    does(self, "indexes.create",
         "{\"graph_type\":\"vault\",\"node_type\":\"Secret\",\"name\":\"words\",\"kind\":\"text\","
         "\"paths\":[\"attributes.value\",\"attributes.db.password\"]}");
    does(self, "nodes.search", "{\"graph\":\"g\",\"query\":\"canary\"}");
    free(text);
}

static void encrypt(life *self) {
    static const char marked[] = ",\"x-encrypted\":true";
    assert_int_equal(tell(self, "graph_types.update",
                          "{\"name\":\"vault\",\"version\":2,\"module\":" VAULT "}", marked, marked,
                          marked),
                     BRANT_CONSTRAINT);
    does(self, "indexes.delete", "{\"name\":\"values\"}");
    does(self, "indexes.delete", "{\"name\":\"words\"}");
    does(self, "graph_types.update", "{\"name\":\"vault\",\"version\":2,\"module\":" VAULT "}",
         marked, marked, marked);
}

static void nothing_is_left_of_what_was_plain(void **state) {
    life self = {.folder = *state, .encrypted = false};
    trace before = {0}, after = {0};
    make_needles();
    self.answers = fopen("/dev/null", "w"); /* they are shown plain at first */
    assert_non_null(self.answers);
    write_plain(&self);
    search_folder(&before, self.folder, "a.db");
    assert_true(before.found[0] && before.found[2] && before.found[6] && before.found[11]);
    encrypt(&self);
    fclose(self.answers);
    open_answers(&self);
    /* From here on answers hold none, but what the log of changes had; the file still does. */
    self.encrypted = true;
    read_rows(&self);
    judge_rows(&self);
    does(&self, "graph_types.migrate", "{\"name\":\"vault\",\"limit\":100}");
    read_rows(&self);
    fflush(self.answers);
    search_folder(&after, self.folder, "answers.txt");
    if (after.where[0]) fail_msg("in answers before the rotation:%s", after.where);
    does(&self, "secrets.status", "{}");
    does(&self, "secrets.rotate", "{\"limit\":1000000}");
    holds(self.db, "secrets.rotate", "\"done\":true", "{}");
    does(&self, "secrets.status", "{}");
    self.logged = true;
    read_rows(&self);
    expect_nothing(&self, "after the rotation");
    holds(self.db, "nodes.open_secret", IMPORTED,
          "{\"graph\":\"g\",\"key\":\"i1\",\"path\":\"attributes.value\"}");
    holds(self.db, "nodes.open_secret", INTEGER,
          "{\"graph\":\"g\",\"key\":\"integer\",\"path\":\"attributes.value\"}");
    copy_file(&self);
    expect_nothing(&self, "after a backup");
    end(&self);
    expect_nothing(&self, "after closing");
    fclose(self.answers);
}

static void die_in_a_transaction(child *self) {
    brant_db *db = NULL;
    char json[16384], *answer = NULL, *text = NULL;
    size_t length;
    CHECK(brant_open(&db, TEXT(self->path), TEXT("{\"cache\":1048576}")) == BRANT_OK);
    CHECK(brant_keyring_load(db, TEXT(ring)) == BRANT_OK);
    CHECK(brant_call(&answer, &length, db, TEXT("transaction.begin"), TEXT("{}")) == BRANT_OK);
    brant_free(answer);
    text = malloc(8001);
    CHECK(text != NULL);
    for (size_t i = 0; i < 8000; i += 20)
        memcpy(text + i, KILLED "..", 20);
    text[8000] = '\0';
    for (int i = 0; i < 1000; i++) {
        snprintf(json, sizeof json,
                 "{\"graph\":\"g\",\"type\":\"Secret\",\"key\":\"k%d\",\"attributes\":{\"value\":"
                 "\"%s\"}}",
                 i, text);
        CHECK(brant_call(&answer, &length, db, TEXT("nodes.put"), TEXT(json)) == BRANT_OK);
        brant_free(answer);
    }
    kill(getpid(), SIGKILL);
}

/* A process that is killed within a transaction has written pages to the log that nobody ever reads. */
static void killed(void **state, bool encrypted) {
    life self = {.folder = *state, .encrypted = encrypted};
    trace out = {0};
    child one;
    make_needles();
    open_answers(&self);
    begin(&self);
    end(&self);
    fork_child(&one, die_in_a_transaction, in_folder(self.folder, "a.db"), 0);
    must_end(&one, -SIGKILL);
    search_folder(&out, self.folder, "a.db-wal");
    assert_true(out.bytes > 1048576); /* the log, longer than the cache */
    if (!encrypted) {
        assert_non_null(strstr(out.where, KILLED));
        fclose(self.answers);
        return;
    }
    finds_nothing(self.folder, "after a process was killed");
    self.db = must_open(in_folder(self.folder, "a.db"), "");
    does(&self, "nodes.count", "{\"graph\":\"g\"}");
    finds_nothing(self.folder, "after opening it again");
    end(&self);
    fclose(self.answers);
}

static void a_killed_process_leaves_none(void **state) {
    killed(state, true);
}

static void the_log_of_a_killed_process_is_searched(void **state) {
    killed(state, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(the_search_finds_what_is_not_encrypted),
        GRAPH_TEST(no_trace_is_left),
        GRAPH_TEST(nothing_is_left_of_what_was_plain),
        GRAPH_TEST(the_log_of_a_killed_process_is_searched),
        GRAPH_TEST(a_killed_process_leaves_none),
    };
    return cmocka_run_group_tests_name("secret canary", tests, NULL, NULL);
}
