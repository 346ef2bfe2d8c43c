/*
 * identity/domain.h: the form of a domain name that the DNS has.
 */
#ifndef BRANT__IDENTITY_DOMAIN_H
#define BRANT__IDENTITY_DOMAIN_H

#include "base/base.h"

#define BRANT__LABEL_MOST  63
#define BRANT__DOMAIN_MOST 253 /* RFC 1035, 2.3.4, as text without the last dot */

/*
 * `out` is `domain` (valid UTF-8), in lower case, with its Unicode labels as A-labels ("xn--..."), and a NUL.
 *
 * What is written is mapped (idna.h), so that case, width, decomposition and ideographic full stops make no other domain. Then a label of ASCII is
 * one of letters, digits and hyphens (RFC 1123, 2.1), none at its ends; an A-label must be what its decoded form encodes to, and that is judged as if it had
 * been written. Others are U-labels. Where one is written from right to left all keep RFC 5893's rule. Two or more labels of at most 63 bytes,
 * 253 bytes in all; the last is not of digits alone; no dot at the end, no address literals. Which scripts stand together is not judged.
 *
 * INVALID: anything else; the message begins with `pointer`, a colon and a space.
 */
brant_status brant__domain_normalize(char out[BRANT__DOMAIN_MOST + 1], size_t *out_length,
                                     brant__text domain, const char *pointer);

#endif
