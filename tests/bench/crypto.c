/*
 * tests/bench/crypto.c: how long it takes to seal and to open an attribute, beside the primitives of which that is made.
 *
 * usage: crypto [samples]
 *
 * Medians of samples of some calls each. Sealing is from JSON text to the envelope's text; opening from the parsed envelope to text that was proven to be JSON, and, in
 * parentheses, without that proof. Then whole calls: reading a node with such an attribute as it is, and opening it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/internal.h"
#include "support.h"

enum { CALLS = 20 };

typedef struct subject {
    brant_db *db;
    brant__text text;
    yyjson_val *envelope;
    brant__buffer out;
    uint8_t bytes[8192];
    uint8_t message[512];
} subject;

static const brant__context place = {{"01890000-0000-7000-8000-000000000001", 36},
                                     {"01890000-0000-7000-8000-000000000002", 36},
                                     {"node", 4},
                                     {"database/password", 17},
                                     {"/value", 6}};

/* ---- what is measured --------------------------------------------------------------------------- */

static void do_seal(subject *work) {
    brant__buffer_reset(&work->out);
    check(brant__envelope_seal(&work->out, work->db, &place, work->text), "seal");
}

static void do_open(subject *work) {
    brant__buffer_reset(&work->out);
    check(brant__envelope_open(&work->out, NULL, work->db, &place, work->envelope), "open");
}

static void do_prove(subject *work) {
    check(brant__prove_json(work->text), "prove");
}

static void do_nonce(subject *work) {
    check(brant__db_random(work->db, work->bytes, BRANT__NONCE_SIZE), "random");
}

static void do_hash(subject *work) {
    uint8_t keys[64];
    crypto_generichash(keys, sizeof keys, work->message, 280, work->bytes, 32);
}

static void do_encrypt(subject *work) {
    brant__xchacha_seal(work->bytes, work->text.length, work->message, work->message + 32,
                        work->message, 139);
}

static void do_encode(subject *work) {
    brant__buffer_reset(&work->out);
    brant__base64url_encode(&work->out, work->bytes, work->text.length + BRANT__TAG_SIZE);
}

static void do_decode(subject *work) {
    brant__buffer_reset(&work->out);
    if (!brant__base64url_decode(&work->out, brant__json_get_text(work->envelope, "ct"))) exit(1);
}

static void do_call(subject *work, const char *name, const char *json) {
    char *answer = NULL;
    size_t length = 0;
    check(brant_call(&answer, &length, work->db, name, strlen(name), json, strlen(json)), name);
    brant_free(answer);
}

static void do_put(subject *work) {
    do_call(work, "nodes.put",
            "{\"graph\":\"secrets\",\"key\":\"k\",\"type\":\"Secret\",\"attributes\":{\"value\":"
            "\"0123456789012345678901234567890123456789012345678901234567890\"}}");
}

static void do_get(subject *work) {
    do_call(work, "nodes.get", "{\"graph\":\"secrets\",\"key\":\"k\"}");
}

static void do_open_secret(subject *work) {
    do_call(work, "nodes.open_secret",
            "{\"graph\":\"secrets\",\"key\":\"k\",\"path\":\"attributes.value\"}");
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Microseconds a call. */
static double median(void (*call)(subject *), subject *work, long samples) {
    double *took = malloc((size_t)samples * sizeof *took);
    if (!took) exit(1);
    for (long i = 0; i < samples; i++) {
        const double start = now_us();
        for (int j = 0; j < CALLS; j++)
            call(work);
        took[i] = (now_us() - start) / CALLS;
    }
    qsort(took, (size_t)samples, sizeof *took, by_size);
    const double middle = took[samples / 2];
    free(took);
    return middle;
}

static void measure(brant_db *db, size_t size, double target, long samples) {
    subject *work = calloc(1, sizeof *work);
    char *text = malloc(size);
    brant__buffer sealed = {0};
    brant__json parsed = {0};
    if (!work || !text) exit(1);
    memset(text, 'x', size);
    text[0] = text[size - 1] = '"';
    work->db = db;
    work->text = brant__text_of(text, size);
    check(brant__envelope_seal(&sealed, db, &place, work->text), "seal");
    check(brant__json_parse(&parsed, sealed.data, sealed.length, 0), "parse");
    work->envelope = parsed.root;
    median(do_seal, work, samples); /* warm */
    const double seal = median(do_seal, work, samples), open = median(do_open, work, samples),
                 prove = median(do_prove, work, samples);
    const double nonce = median(do_nonce, work, samples), hash = median(do_hash, work, samples),
                 encrypt = median(do_encrypt, work, samples),
                 encode = median(do_encode, work, samples),
                 decode = median(do_decode, work, samples);
    printf("%5zu bytes: seal %6.2f us, open %6.2f us (%.2f); at most %.0f us\n", size, seal, open,
           open - prove, target);
    printf("             random nonce %.2f, BLAKE2b %.2f, XChaCha20-Poly1305 %.2f, base64url %.2f "
           "and back %.2f, proof of JSON %.2f us\n",
           nonce, hash, encrypt, encode, decode, prove);
    brant__buffer_free(&sealed);
    brant__buffer_free(&work->out);
    brant__json_free(&parsed);
    free(text);
    free(work);
}

static void measure_calls(brant_db *db, long samples) {
    subject work = {.db = db};
    do_call(&work, "graphs.create", "{\"name\":\"secrets\",\"graph_type\":\"secret\"}");
    do_put(&work);
    median(do_get, &work, samples); /* warm */
    const double put = median(do_put, &work, samples), get = median(do_get, &work, samples),
                 open = median(do_open_secret, &work, samples);
    printf("   64 bytes: nodes.put %.2f us, nodes.get %.2f us, nodes.open_secret %.2f us\n", put,
           get, open);
}

int main(int count, char **arguments) {
    static const char ring[] =
        "{\"keys\":[{\"version\":1,\"key\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE\"}]}";
    const long samples = count > 1 ? strtol(arguments[1], NULL, 10) : 2000;
    brant_db *db = NULL;
    check(brant_open(&db, ":memory:", 8, "", 0), "open");
    check(brant_keyring_load(db, ring, sizeof ring - 1), "key ring");
    check(brant__enter(db), "enter");
    measure(db, 64, 5, samples);
    measure(db, 4096, 20, samples);
    brant__leave(db);
    measure_calls(db, samples);
    brant_db_free(db);
    return 0;
}
