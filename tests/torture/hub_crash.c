/*
 * torture/hub_crash.c: die, or tear a write, at every change of a file that making an organisation in a hub with its first use, and deleting one, make: it is wholly there or wholly gone.
 *
 * usage: hub_crash [--every N]
 *
 * A child opens a hub whose system file and one tenant are in use, does the one or the other and closes the hub; it dies at its Nth change, for each N (see crash_point.c), which is in this
 * program itself. Then the folder is opened again: what the child was told is so; the organisation is active, with its file and what was written there, or unknown, without a file or a row; no other file is left;
 * every audit log verifies. At last it is made, or deleted, by whoever came after.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brant.h"
#include "crash_point.h"

#define RING                                                                                       \
    "{\"keys\":[{\"purpose\":\"audit\",\"version\":1,"                                             \
    "\"key\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"
#define OWNER "0192d3a4-7c1e-7000-8000-0000000000f0"
#define OTHER "0192d3a4-7c1e-7000-8000-00000000000a"
#define ORG   "0192d3a4-7c1e-7000-8000-00000000000b"

enum { SAID_DONE = 'd', SAID_USED = 'u' };

static const char *at; /* what is tried, for messages */
static int failures;

static void fail(const char *what, const char *text) {
    if (++failures <= 20) printf("FAIL %s: %s: %s\n", at, what, text ? text : "");
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

/* The answer, to be freed; NULL: it failed. */
static char *ask(brant_db *db, const char *name, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    (void)brant_call(&answer, &length, db, name, strlen(name), input, strlen(input));
    return answer;
}

static void must(brant_db *db, const char *name, const char *input, const char *wanted) {
    char *answer = db ? ask(db, name, input) : NULL;
    if (!answer)
        fail(name, brant_last_error()->message);
    else if (wanted && !strstr(answer, wanted))
        fail(name, answer);
    brant_free(answer);
}

static long count(brant_db *db, const char *rows) {
    char input[200];
    snprintf(input, sizeof input, "{\"sql\":\"SELECT count(*) FROM %s\"}", rows);
    char *answer = db ? ask(db, "sql.execute", input) : NULL;
    const char *number = answer ? strstr(answer, "[[") : NULL;
    const long found = number ? atol(number + 2) : -1;
    if (found < 0) fail(rows, brant_last_error()->message);
    brant_free(answer);
    return found;
}

static brant_hub *open_hub(const char *path) {
    brant_hub *hub = NULL;
    if (brant_hub_open(&hub, path, strlen(path), "", 0) != BRANT_OK ||
        brant_hub_keyring_load(hub, RING, sizeof RING - 1) != BRANT_OK)
        fail("opening the hub", brant_last_error()->message);
    return hub;
}

static brant_db *acquire(brant_hub *hub, const char *org) {
    brant_db *db = NULL;
    if (brant_hub_acquire(&db, hub, org, strlen(org)) != BRANT_OK)
        fail("acquire", brant_last_error()->message);
    return db;
}

static void create(brant_db *system, const char *org, const char *slug) {
    char input[300];
    snprintf(input, sizeof input,
             "{\"id\":\"%s\",\"slug\":\"%s\",\"name\":\"O\",\"owner_id\":\"" OWNER "\"}", org,
             slug);
    must(system, "organizations.create", input, NULL);
}

static void use(brant_hub *hub, const char *org) {
    brant_db *db = acquire(hub, org);
    must(db, "audit.append", "{\"action\":\"x.y\"}", NULL);
    must(db, "events.notify", "{\"channel\":\"c\"}", NULL);
    brant_db_free(db);
}

/* ---- what dies ------------------------------------------------------------------------------------------------------ */

static void say(int to, char what) {
    if (write(to, &what, 1) != 1) _exit(3);
}

static void make_one(const char *path, int to) {
    brant_hub *hub = open_hub(path);
    create(brant_hub_system(hub), ORG, "b");
    say(to, SAID_DONE);
    use(hub, ORG);
    say(to, SAID_USED);
    brant_hub_free(hub);
}

static void delete_one(const char *path, int to) {
    brant_hub *hub = open_hub(path);
    must(brant_hub_system(hub), "organizations.delete", "{\"id\":\"" ORG "\"}", NULL);
    say(to, SAID_DONE);
    brant_hub_free(hub);
}

/* ---- what is looked at afterwards ---------------------------------------------------------------------------------- */

static bool is_there(brant_hub *hub) {
    char *answer = ask(brant_hub_system(hub), "tenants.get", "{\"org_id\":\"" ORG "\"}");
    const bool there = answer != NULL;
    if (there && !strstr(answer, "\"status\":\"active\"")) fail("its state", answer);
    if (!there && brant_last_error()->code != BRANT_NOT_FOUND)
        fail("tenants.get", brant_last_error()->message);
    brant_free(answer);
    return there;
}

static void look_at_tenant(brant_hub *hub, const char *org, bool used) {
    brant_db *db = acquire(hub, org);
    must(db, "audit.verify", "{}", "\"ok\":true");
    must(db, "db.doctor", "{}", "\"ok\":true");
    if (used && count(db, "notifications WHERE channel = 'c'") != 1)
        fail("what was acknowledged", "is lost");
    brant_db_free(db);
}

static void look_for_traces(brant_hub *hub) {
    static const char *const rows[] = {"brant_organizations WHERE id = '" ORG "'",
                                       "brant_tenants WHERE org_id = '" ORG "'",
                                       "brant_members WHERE org_id = '" ORG "'"};
    brant_db *db = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (count(brant_hub_system(hub), rows[i]) != 0) fail("rows are left", rows[i]);
    if (brant_hub_acquire(&db, hub, ORG, strlen(ORG)) != BRANT_NOT_FOUND)
        fail("acquire", "is not NOT_FOUND");
    brant_db_free(db);
}

/* Each file is the system's or a tenant's that is there, and none half made. */
static void look_for_files(const char *path, bool there) {
    static const char *const endings[] = {"", "-wal", "-shm", ".wake"};
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[100];
    while (folder && (entry = readdir(folder))) {
        bool known = *entry->d_name == '.';
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
            snprintf(name, sizeof name, "system.db%s", endings[i]);
            known = known || strcmp(name, entry->d_name) == 0;
            snprintf(name, sizeof name, "tenant-" OTHER ".db%s", endings[i]);
            known = known || strcmp(name, entry->d_name) == 0;
            snprintf(name, sizeof name, "tenant-" ORG ".db%s", endings[i]);
            known = known || (there && strcmp(name, entry->d_name) == 0);
        }
        if (!known) fail("left behind", entry->d_name);
    }
    if (folder) closedir(folder);
}

static void check(const char *path, bool deletes, const char *said) {
    brant_hub *hub = open_hub(path);
    brant_db *system = brant_hub_system(hub);
    const bool there = is_there(hub), done = strchr(said, SAID_DONE),
               used = strchr(said, SAID_USED);
    if (done && there == deletes) fail("what was acknowledged", "is lost");
    if (there)
        look_at_tenant(hub, ORG, deletes || used);
    else
        look_for_traces(hub);
    look_for_files(path, there);
    look_at_tenant(hub, OTHER, true);
    must(system, "audit.verify", "{}", "\"ok\":true");
    must(system, "tenants.maintain", "{}", "\"ok\":true");
    must(system, "db.doctor", "{}", "\"ok\":true");
    /* Whoever comes after can do it. */
    if (deletes && there) must(system, "organizations.delete", "{\"id\":\"" ORG "\"}", NULL);
    if (deletes) look_for_traces(hub);
    if (!deletes && !there) create(system, ORG, "b");
    if (!deletes) use(hub, ORG);
    must(system, "audit.verify", "{}", "\"ok\":true");
    look_for_files(path, !deletes);
    brant_hub_free(hub);
}

/* ---- all points ------------------------------------------------------------------------------------------------------- */

static void run(const char *command) {
    if (system(command) != 0) {
        printf("FAIL %s\n", command);
        exit(1);
    }
}

/* The number of changes that it made, when it was not to die; -1: it ended in another way than it should. */
static long try_point(const char *path, bool deletes, long point, bool torn) {
    int ends[2], status = 0;
    char said[16] = "";
    long changes = 0;
    if (pipe(ends) != 0) exit(1);
    fflush(NULL);
    const pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        alarm(120);
        crash_point_set(point, torn);
        (deletes ? delete_one : make_one)(path, ends[1]);
        changes = crash_point_count();
        crash_point_set(0, false);
        if (write(ends[1], "\n", 1) != 1 ||
            write(ends[1], &changes, sizeof changes) != sizeof changes)
            _exit(3);
        fflush(stdout);
        _exit(failures ? 1 : 0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got = 0;
    while (length < sizeof said - 1 && (got = read(ends[0], said + length, 1)) == 1 &&
           said[length] != '\n')
        length++;
    if (got == 1 && read(ends[0], &changes, sizeof changes) != sizeof changes) changes = -1;
    said[length] = '\0';
    close(ends[0]);
    if (process < 0 || waitpid(process, &status, 0) != process) exit(1);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (point ? !killed : status != 0) {
        fail("the child", "did not end as it should");
        return -1;
    }
    check(path, deletes, said);
    return changes;
}

int main(int argc, char **argv) {
    const long every = argc > 2 && strcmp(argv[1], "--every") == 0 ? atol(argv[2]) : 1;
    char folder[] = "/tmp/brant-crash-XXXXXX", base[64], path[64], command[300], text[100];
    if (every < 1 || !mkdtemp(folder)) return 2;
    snprintf(base, sizeof base, "%s/base", folder);
    snprintf(path, sizeof path, "%s/hub", folder);
    at = "preparing";
    long tried = 0;
    brant_hub *hub = open_hub(base);
    must(brant_hub_system(hub), "accounts.create",
         "{\"id\":\"" OWNER "\",\"email\":\"a@example.org\"}", NULL);
    create(brant_hub_system(hub), OTHER, "a");
    use(hub, OTHER);
    brant_hub_free(hub);
    for (int deletes = 0; deletes < 2; deletes++) {
        if (deletes) {
            hub = open_hub(base);
            create(brant_hub_system(hub), ORG, "b");
            use(hub, ORG);
            brant_hub_free(hub);
            /* Of a listener that died. */
            snprintf(command, sizeof command,
                     "mkdir -p %s/tenant-" ORG ".db.wake && touch %s/tenant-" ORG ".db.wake/1.sock",
                     base, base);
            run(command);
        }
        snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", path, base, path);
        run(command);
        at = deletes ? "delete, whole" : "create, whole";
        const long changes = try_point(path, deletes, 0, false);
        for (int torn = 0; torn < 2; torn++) {
            for (long point = 1 + torn * (every / 2); point <= changes; point += every) {
                run(command);
                snprintf(text, sizeof text, "%s, %s at change %ld of %ld",
                         deletes ? "delete" : "create", torn ? "torn" : "killed", point, changes);
                at = text;
                (void)try_point(path, deletes, point, torn);
                tried++;
            }
        }
        printf("%s: each %ld of %ld changes\n", deletes ? "delete" : "create", every, changes);
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    run(command);
    printf("%ld passed, %d failed\n", tried - failures, failures);
    return failures ? 1 : 0;
}
