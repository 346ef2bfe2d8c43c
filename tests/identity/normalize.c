/*
 * tests/identity/normalize.c: for compare.py: reads addresses, each as hex digits on a line, and writes for each its normalised form, or "!" and the message.
 */
#include <stdio.h>
#include <stdlib.h>

#include "identity/email.h"

int main(void) {
    static char line[1 << 16], bytes[1 << 15];

    while (fgets(line, sizeof line, stdin)) {
        brant__arena arena = {NULL};
        brant__text out;
        size_t length = 0;
        for (char digits[3] = ""; line[2 * length] > ' ' && line[2 * length + 1] > ' '; length++) {
            memcpy(digits, line + 2 * length, 2);
            bytes[length] = (char)strtoul(digits, NULL, 16);
        }
        brant__error_clear();
        if (brant__email_normalize(&out, &arena, brant__text_of(bytes, length)) == BRANT_OK)
            puts(out.data);
        else
            printf("!%s\n", brant_last_error()->message);
        brant__arena_free(&arena);
    }
    return 0;
}
