/* A value that only a key ring opens: what a program does with secrets, and how fast that is here. */
#include <brant.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT(string) (string), strlen(string)
#define CONTEXT      "{\"graph_id\": \"g\", \"kind\": \"node\", \"key\": \"k\", \"path\": \"/value\"}"

static char *answer_to(brant_db *db, const char *operation, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    if (brant_call(&answer, &length, db, TEXT(operation), TEXT(input)) != BRANT_OK)
        printf("%s: %s: %s\n", operation, brant_last_error()->name, brant_last_error()->message);
    return answer;
}

static char *call(brant_db *db, const char *operation, const char *input) {
    char *answer = answer_to(db, operation, input);
    if (!answer) exit(1);
    return answer;
}

static void show(brant_db *db, const char *operation, const char *input) {
    char *answer = answer_to(db, operation, input);
    if (answer) printf("%s %s\n", operation, answer);
    brant_free(answer);
}

static double now(void) /* the processor's time in microseconds */
{
    return (double)clock() * 1e6 / CLOCKS_PER_SEC;
}

int main(int count, char **arguments) {
    brant_db *db = NULL;
    char ring[2048], input[2048];
    if (brant_open(&db, TEXT(count > 1 ? arguments[1] : "vault.db"), "", 0) != BRANT_OK) return 1;

    char *key = call(db, "keyring.generate", "{}");
    double began = now();
    char *pepper =
        call(db, "keyring.derive", "{\"password\": \"correct horse\", \"purpose\": \"pepper\"}");
    printf("derived %.0f ms\n", (now() - began) / 1e3);
    snprintf(ring, sizeof ring,
             "{\"keys\": [%s, %s], \"legacy\": {\"iterations\": 1000, \"keys\": [{\"version\": 3, "
             "\"password\": \"older password\"}]}}",
             key, pepper);
    brant_free(key);
    brant_free(pepper);
    if (brant_keyring_load(db, TEXT(ring)) != BRANT_OK)
        return fprintf(stderr, "%s\n", brant_last_error()->message), 1;
    memset(ring, 0, sizeof ring);

    brant_free(call(db, "graphs.create", "{\"name\": \"secrets\", \"graph_type\": \"secret\"}"));
    brant_free(call(db, "nodes.put",
                    "{\"graph\": \"secrets\", \"key\": \"smtp\", \"type\": \"Secret\", "
                    "\"attributes\": {\"value\": \"hunter2\"}}"));
    const char *const secret =
        "{\"graph\": \"secrets\", \"key\": \"smtp\", \"path\": \"attributes.value\"}";
    show(db, "nodes.get", "{\"graph\": \"secrets\", \"key\": \"smtp\"}");
    show(db, "nodes.open_secret", secret);
    show(
        db, "envelopes.open",
        "{\"envelope\": {\"keyVersion\": 3, \"salt\": \"BwgJCgsMDQ4PEBESExQVFg==\", \"iv\": "
        "\"WltcXV5fYGFiY2Rl\", "
        "\"data\": \"orcDP39mN/5p+LBfl/TsquGxZdDgPOEz3j9Wm4ldbxlKjxsPKdQ=\"}, \"context\": " CONTEXT
        "}");

    enum { TIMES = 20000 };
    static const char seal[] =
        "{\"value\": \"0123456789012345678901234567890123456789012345678901234567890123\", "
        "\"context\": " CONTEXT "}";
    char *envelope = call(db, "envelopes.seal", seal);
    snprintf(input, sizeof input, "{\"envelope\": %s, \"context\": " CONTEXT "}", envelope);
    brant_free(envelope);
    began = now();
    for (int i = 0; i < TIMES; i++)
        brant_free(call(db, "envelopes.seal", seal));
    const double sealed = now();
    for (int i = 0; i < TIMES; i++)
        brant_free(call(db, "envelopes.open", input));
    printf("seal %.1f us, open %.1f us\n", (sealed - began) / TIMES, (now() - sealed) / TIMES);

    brant_keyring_unload(db);
    show(db, "nodes.open_secret", secret);
    brant_db_free(db);
    return 0;
}
