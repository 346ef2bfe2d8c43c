/*
 * view/token.c: what nobody guesses.
 */
#include "view/view.h"

#include <stdlib.h>
#include <unistd.h>

void view_token(char out[VIEW_TOKEN]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char random[33] = {0}; /* 256 bits are 42 digits and a third */

    if (getentropy(random, 32) != 0) abort(); /* a kernel without randomness serves nothing */
    for (size_t i = 0; i < VIEW_TOKEN - 1; i++) {
        const size_t bit = i * 6, byte = bit / 8, shift = bit % 8;
        const unsigned pair = (unsigned)random[byte] << 8 | random[byte + 1];
        out[i] = digits[pair >> (10 - shift) & 63];
    }
    out[VIEW_TOKEN - 1] = '\0';
}

bool view_same(const char *a, const char *b, size_t length) {
    unsigned char different = 0;

    for (size_t i = 0; i < length; i++)
        different |= (unsigned char)(a[i] ^ b[i]);
    return different == 0;
}
