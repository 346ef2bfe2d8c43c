/*
 * cli/command_find.c: which command words name, and which one a mistyped word may mean.
 */
#include "cli.h"

#include <stdint.h>
#include <string.h>

const cli_group *cli_group_find(const char *name) {
    for (const cli_group *group = cli_groups + 1; group->commands; group++)
        if (strcmp(group->name, name) == 0) return group;
    return NULL;
}

/* Of a command's name, what a group's does not say. */
static const char *rest_of(const cli_group *group, const cli_command *command) {
    return command->name + (group->name ? strlen(group->name) + 1 : 0);
}

static const cli_command *find_in(const cli_group *group, const char *word) {
    for (const cli_command *command = group->commands; command->name; command++)
        if (strcmp(rest_of(group, command), word) == 0) return command;
    return NULL;
}

const cli_command *cli_command_find(int *out_words, int count, char **words) {
    const cli_group *group = count > 1 ? cli_group_find(words[0]) : NULL;
    const cli_command *command = group ? find_in(group, words[1]) : NULL;
    *out_words = command ? 2 : 1;
    if (!command && count > 0) command = find_in(cli_groups, words[0]);
    if (!command) *out_words = 0;
    return command;
}

/* How many letters must be changed, put in, left out or turned round with their neighbour. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][32];
    if (a_length > 31 || b_length > 31) return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = before[j] + 1 < row[j - 1] + 1 ? before[j] + 1 : row[j - 1] + 1;
            if (change < row[j]) row[j] = change;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                earlier[j - 2] + 1 < row[j])
                row[j] = earlier[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

bool cli_nearer(size_t *least, const char *word, const char *name, size_t length) {
    const size_t far = distance(word, strlen(word), name, length);
    if (*least == 0) *least = strlen(word) < 4 ? 2 : 3; /* further than that it is another word */
    if (far >= *least) return false;
    *least = far;
    return true;
}

const char *cli_command_near(const cli_group *group, const char *word) {
    const cli_group *const in = group ? group : cli_groups;
    const char *found = NULL;
    size_t least = 0;
    for (const cli_command *command = in->commands; command->name; command++) {
        const char *name = rest_of(in, command);
        if (!command->hidden && cli_nearer(&least, word, name, strlen(name))) found = name;
    }
    for (const cli_group *next = cli_groups + 1; !group && next->commands; next++)
        if (cli_nearer(&least, word, next->name, strlen(next->name))) found = next->name;
    return found;
}
