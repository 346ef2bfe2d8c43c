/*
 * identity/punycode.h: Punycode (RFC 3492), by which code points are written in the letters, digits and hyphens of the DNS.
 *
 * Labels alone, without "xn--". What a label cannot hold is not looked at here: idna.h.
 */
#ifndef BRANT__IDENTITY_PUNYCODE_H
#define BRANT__IDENTITY_PUNYCODE_H

#include "base/base.h"

/* `points` in lower-case digits, basic ones as they are. False when that takes more than `room` bytes or `points` are not of Unicode. */
bool brant__punycode_encode(char *out, size_t *out_length, size_t room, const int32_t *points,
                            size_t count);
/*
 * The points of `text`, whose digits may have either case. False when that is no Punycode, or gives more than `room` points or one beyond Unicode or a
 * surrogate. More than one text may give the same points: encode them again to tell.
 */
bool brant__punycode_decode(int32_t *out, size_t *out_count, size_t room, brant__text text);

#endif
