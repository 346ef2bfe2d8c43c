/*
 * cli/cli.h: the brant command. It stands on the public headers and the registry alone; what an operation takes and answers it learns from
 * the specs.
 */
#ifndef BRANT_CLI_H
#define BRANT_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <yyjson.h>

#include "brant.h"

#define EXIT_USAGE                                                                                 \
    64 /* sysexits.h's EX_USAGE; other failures exit with the number of their status, 1..29 */

typedef struct cli_style {
    bool color;
    bool table; /* a readable table instead of JSON */
} cli_style;

/* ---- print.c ---------------------------------------------------------------------------------------------------- */

/* One answer: a table or aligned members, or JSON (indented on a terminal, a line otherwise). */
void cli_print(FILE *out, const cli_style *style, const char *json, size_t length);
/* One line of compact JSON. */
void cli_print_line(FILE *out, const char *json, size_t length);
/* The thread's error record on standard error; returns the exit code. */
int cli_print_error(const cli_style *style);
/* `text` between the codes of a colour name ("bold", "dim", "red", "green", "yellow", "blue", "cyan"), where the style has colour. */
const char *cli_on(const cli_style *style, const char *name);
const char *cli_off(const cli_style *style);

/* ---- help.c ------------------------------------------------------------------------------------------------------- */

/* All operations, or those of a namespace, or one in detail. Returns an exit code. */
int cli_operations(const cli_style *style, const char *wanted);
void cli_usage(FILE *out, const cli_style *style);

#endif
