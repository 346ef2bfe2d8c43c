#include <brant.h>
#include <stdio.h>
#include <string.h>

#define TEXT(string) (string), strlen(string)

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

int main(int count, char **arguments)
{
    brant_db *db = NULL;
    const char *path = count > 1 ? arguments[1] : "app.db";
    if (brant_open(&db, TEXT(path), "", 0) != BRANT_OK) return 1;
    run(db, "graph_types.define", "{\"module\": {\"$id\": \"tasks\", \"$defs\": {"
        "\"TaskNode\": {\"properties\": {\"title\": {\"type\": \"string\"}}, \"required\": [\"title\"]}, \"DependsOnEdge\": true}}}");
    run(db, "graphs.create", "{\"name\": \"plan\", \"graph_type\": \"tasks\"}");
    run(db, "transaction.begin", "{}");
    run(db, "nodes.put", "{\"graph\": \"plan\", \"key\": \"wall\", \"type\": \"Task\", \"attributes\": {\"title\": \"Build the wall\"}}");
    run(db, "nodes.put", "{\"graph\": \"plan\", \"key\": \"roof\", \"type\": \"Task\", \"attributes\": {\"title\": \"Lay the roof\"}}");
    run(db, "edges.put", "{\"graph\": \"plan\", \"source\": \"roof\", \"target\": \"wall\"}");
    run(db, "events.notify", "{\"channel\": \"plan:ready\", \"payload\": {\"tasks\": 2}}");
    run(db, "transaction.commit", "{}");
    run(db, "nodes.closure", "{\"graph\": \"plan\", \"keys\": [\"roof\"]}");
    run(db, "nodes.put", "{\"graph\": \"plan\", \"key\": \"door\", \"type\": \"Task\", \"attributes\": {\"titel\": \"Hang the door\"}}");
    brant_db_free(db);
    return 0;
}
