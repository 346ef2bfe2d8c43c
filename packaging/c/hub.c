#include <brant.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(string) (string), strlen(string)
#define ANN          "0192d3a4-7c1e-7000-8000-0000000000a1"
#define ACME         "0192d3a4-7c1e-7000-8000-0000000000ac"

static void run(brant_db *db, const char *operation, const char *input)
{
    char *answer = NULL;
    size_t length = 0;
    if (brant_call(&answer, &length, db, TEXT(operation), TEXT(input)) == BRANT_OK)
        printf("%s %s\n", operation, answer);
    else
        printf("%s: %s: %s\n", operation, brant_last_error()->name, brant_last_error()->message);
    brant_free(answer);
}

static int failed(void) { return fprintf(stderr, "%s\n", brant_last_error()->message), EXIT_FAILURE; }

int main(int count, char **arguments)
{
    char ring[4096] = "", *answer = NULL, *caller = NULL;
    size_t length = 0;
    brant_hub *hub = NULL;
    brant_db *session = NULL;
    FILE *file = fopen(count > 2 ? arguments[2] : "ring.json", "rb"); /* brant key generate made it */
    if (!file || fread(ring, 1, sizeof ring - 1, file) == 0) return EXIT_FAILURE;
    fclose(file);
    if (brant_hub_open(&hub, TEXT(count > 1 ? arguments[1] : "hub"), "", 0) != BRANT_OK) return failed();
    if (brant_hub_keyring_load(hub, TEXT(ring)) != BRANT_OK) return failed();
    brant_db *system = brant_hub_system(hub);
    run(system, "accounts.create", "{\"id\": \"" ANN "\", \"email\": \"ann@example.org\"}");
    run(system, "organizations.create", "{\"id\": \"" ACME "\", \"slug\": \"acme\", \"name\": \"Acme\", \"owner_id\": \"" ANN "\"}");
    if (brant_call(&answer, &length, system, TEXT("api_keys.create"), TEXT("{\"name\": \"reader\", \"scopes\": [\"graphs:*\", \"nodes:read\"],"
            " \"owner_id\": \"" ANN "\", \"org_id\": \"" ACME "\"}")) != BRANT_OK) return failed();
    char *token = strstr(answer, "\"token\":\"") + strlen("\"token\":\""); /* your JSON library does better */
    *strchr(token, '"') = '\0';

    /* A request comes with the token: it gets a session on the file of its organisation, which may what the key may. */
    if (brant_hub_authenticate(&session, &caller, &length, hub, TEXT(token)) != BRANT_OK) return failed();
    run(session, "graphs.create", "{\"name\": \"notes\", \"graph_type\": \"open\"}");
    run(session, "nodes.put", "{\"graph\": \"notes\", \"key\": \"a\"}");
    brant_hub_release(hub, session); /* the file stays open for the next */
    brant_db_free(session);
    brant_free(caller); /* JSON: account, organization, level, scopes .. */
    brant_free(answer);
    run(system, "audit.verify", "{}");
    brant_hub_free(hub);
    return EXIT_SUCCESS;
}
