/*
 * tests/core/test_key_timing.c: what the time of a refusal tells about keys: nothing, shown by counting instructions.
 *
 * A forked child stops at two marks, and between them its parent has it do one instruction at a time (ptrace). Counts do not depend on how busy the machine is. On another system
 * than Linux on x86-64, under a sanitizer, whose own work counts too, and where tracing is not allowed, the tests say so and skip.
 */
#include "support_key.h"

#include "child.h"

#if defined(__linux__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__)
#include <signal.h>
#include <sys/ptrace.h>
#define COUNTS true
#else
#define COUNTS false
#endif

#define KEYS 400 /* so that the index of kids has more than one page */

/* The search in an index page halves what is left: a kid that is there may be found some halvings sooner, each of which compares two texts. Of some 24 000 instructions. */
#define SEARCH 400

typedef struct trial {
    void (*prepare)(struct trial *self);
    void (*measured)(struct trial *self);
    const char *path;
    char input[WORD];
    uint8_t a[BRANT__HASH_SIZE], b[BRANT__HASH_SIZE];
    brant_db *db;
    brant_status status, wanted;
    bool equal;
} trial;

#if COUNTS
static void run_traced(trial *self) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(77);
    self->prepare(self);
    raise(SIGUSR1);
    self->measured(self);
    raise(SIGUSR2);
    CHECK(self->status == self->wanted);
    _exit(0);
}

/* The next stop of the child, or how it ended. */
static int wait_stop(pid_t traced) {
    int status = 0;
    assert_int_equal(waitpid(traced, &status, 0), traced);
    return status;
}

/* Instructions between the marks. */
static long count(trial *self) {
    long steps = 0;
    fflush(NULL);
    const pid_t traced = fork();
    assert_true(traced >= 0);
    if (traced == 0) run_traced(self);
    int status = wait_stop(traced);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: this machine does not let a process be traced\n");
        skip();
    }
    while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGUSR1) {
        assert_int_equal(ptrace(PTRACE_CONT, traced, NULL, NULL), 0);
        status = wait_stop(traced);
    }
    while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGUSR2) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, traced, NULL, NULL), 0);
        status = wait_stop(traced);
        steps++;
    }
    if (!WIFSTOPPED(status)) fail_msg("the child ended between the marks: %d", status);
    assert_int_equal(ptrace(PTRACE_CONT, traced, NULL, NULL), 0);
    status = wait_stop(traced);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return steps;
}
#else
static long count(trial *self) {
    (void)self;
    return 0;
}
#endif

static void only_where_instructions_count(void) {
    if (COUNTS) return;
    print_message("skipped: instructions are counted on Linux x86-64, without sanitizers\n");
    skip();
}

/* ---- comparing ----------------------------------------------------------------------------------------------------------- */

static void prepare_nothing(trial *self) {
    self->equal =
        brant__bytes_equal(self->a, self->b, sizeof self->a); /* bound, and in the cache */
}
static void compare(trial *self) {
    self->equal = brant__bytes_equal(self->a, self->b, sizeof self->a);
}

static void test_comparing_takes_the_same(void **state) {
    (void)state;
    only_where_instructions_count();
    long right = 0;
    for (int wrong = -1; wrong < BRANT__HASH_SIZE; wrong++) {
        trial t = {.prepare = prepare_nothing, .measured = compare};
        for (int i = 0; i < BRANT__HASH_SIZE; i++)
            t.a[i] = t.b[i] = (uint8_t)(i * 37);
        if (wrong >= 0) t.b[wrong] ^= wrong % 2 ? 1 : 0x80;
        const long steps = count(&t);
        assert_int_equal(brant__bytes_equal(t.a, t.b, sizeof t.a), wrong < 0);
        if (wrong < 0) right = steps;
        if (steps != right)
            fail_msg("%ld instructions where all bytes are equal, %ld with byte %d wrong", right,
                     steps, wrong);
    }
    print_message("comparing: %ld instructions, whichever byte is wrong or none\n", right);
    assert_in_range(right, BRANT__HASH_SIZE / 16, 2000);
}

/* The same of memcmp, which this test would find: so it can fail. */
static void compare_badly(trial *self) {
    volatile const uint8_t *a = self->a, *b = self->b;
    self->equal = true;
    for (size_t i = 0; i < sizeof self->a; i++)
        if (a[i] != b[i]) {
            self->equal = false;
            break;
        }
}

static void test_counts_tell(void **state) {
    trial t = {.prepare = prepare_nothing, .measured = compare_badly};
    (void)state;
    only_where_instructions_count();
    t.a[0] = 1;
    const long first = count(&t);
    t.a[0] = 0;
    t.a[BRANT__HASH_SIZE - 1] = 1;
    assert_true(count(&t) > first);
}

/* ---- verifying ------------------------------------------------------------------------------------------------------------- */

static void call_verify(trial *self) {
    char *answer = NULL;
    size_t length = 0;
    self->status = brant_api_key_verify(&answer, &length, self->db, TEXT(self->input));
    brant_free(answer);
}

/* Until nothing is prepared or read for the first time any more. */
static void warm_up(trial *self) {
    static const brant_sources sources = {.now = fake_clock};
    CHECK(brant_open_with(&self->db, TEXT(self->path), "", 0, &sources) == BRANT_OK);
    CHECK(brant_keyring_load(self->db, TEXT(IDENTITY_RING)) == BRANT_OK);
    for (int i = 0; i < 3; i++)
        call_verify(self);
}

static long count_verify(const char *path, const char *token, brant_status wanted) {
    trial t = {.prepare = warm_up, .measured = call_verify, .path = path, .wanted = wanted};
    snprintf(t.input, sizeof t.input, "{\"token\":\"%s\"}", token);
    return count(&t);
}

/* Another kid with the same secret and a right checksum: `first` becomes its first digit. */
static void with_kid(char *out, const char *token, char first, char last) {
    strcpy(out, token);
    out[10] = first;
    out[25] = last;
    forge(out, 24);
}

static void test_unknown_kids_take_the_same(void **state) {
    const char *path = in_folder(*state, "a.db");
    static word tokens[KEYS];
    char text[WORD];
    long least = 0, most = 0;
    only_where_instructions_count();

    brant_db *db = open_identity(path);
    const word account = new_account(db, "ann@example.com", "user");
    must(db, "transaction.begin", "{}", NULL);
    for (int i = 0; i < KEYS; i++)
        tokens[i] = take(ask(db, "api_keys.create", "{'owner_id':'%s','name':'k','scopes':['*:*']}",
                             account.text),
                         "token");
    must(db, "transaction.commit", "{}", NULL);
    brant_db_free(db);

    /* Known kids: the secret wrong in its first digit, in its last, in between. */
    for (int i = 0; i < 4; i++) {
        strcpy(text, tokens[i * 101].text);
        forge(text, i % 3 == 0 ? 27 : i % 3 == 1 ? 69 : 40);
        const long steps = count_verify(path, text, BRANT_AUTH);
        if (i == 0) least = most = steps;
        if (steps < least) least = steps;
        if (steps > most) most = steps;
    }
    print_message("known kid, wrong secret: %ld to %ld instructions\n", least, most);
    /* Unknown ones: before all others, behind all others, beside one that there is, anywhere. */
    static const char firsts[] = "0zAmQ";
    for (size_t i = 0; i < sizeof firsts - 1; i++) {
        with_kid(text, tokens[i].text, firsts[i], i % 2 ? 'z' : '0');
        const long steps = count_verify(path, text, BRANT_AUTH);
        print_message("unknown kid %.16s: %ld\n", text + 10, steps);
        if (steps < least - SEARCH || steps > most + SEARCH)
            fail_msg("%ld instructions, %ld to %ld of known kids", steps, least, most);
    }
    /* What is refused before: no hash, no file. It shows how much work that is that the others have in common. */
    strcpy(text, tokens[0].text);
    text[40] = text[40] == 'a' ? 'b' : 'a';
    const long shape = count_verify(path, text, BRANT_AUTH);
    print_message("wrong checksum: %ld\n", shape);
    assert_true(shape < least - 4 * SEARCH);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_clock, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_comparing_takes_the_same),
        TEST(test_counts_tell),
        TEST(test_unknown_kids_take_the_same),
    };
    return cmocka_run_group_tests_name("key_timing", tests, NULL, NULL);
}
