/*
 * identity/email.h: the one form of an email address by which accounts are told apart.
 */
#ifndef BRANT__IDENTITY_EMAIL_H
#define BRANT__IDENTITY_EMAIL_H

#include "base/base.h"

/* RFC 5321, 4.5.3.1.1 and 4.5.3.1.3: a path has 256 octets, two of which are its angle brackets. */
#define BRANT__EMAIL_LOCAL_MOST  64
#define BRANT__EMAIL_LENGTH_MOST 254

/*
 * `out`, in `arena` and ended by a NUL, is `email` (valid UTF-8) with its local part in lower case and its domain in the form of the DNS.
 *
 * Local part: an ASCII dot-atom (RFC 5322, 3.2.3; RFC 5321's Dot-string) of at most 64 bytes. Quoted local parts, comments and RFC 6531's
 * internationalised ones are refused. Case is folded, which RFC 5321 leaves to the receiving host, since no host in use tells "Ada" from "ada"
 * and people do not either. Dots and `+` count: what they mean is a host's own matter.
 * Domain: two or more labels of letters, digits and hyphens (RFC 5321, 2.3.5; RFC 1123, 2.1), each 1 to 63 bytes, the last not all digits; no address
 * literals, no dot at the end. Non-ASCII domains are refused.
 * The whole has at most 254 bytes.
 *
 * A normalised address is its own normalised form. INVALID: anything else; the message begins with "/email: ". NO_MEMORY.
 */
brant_status brant__email_normalize(brant__text *out, brant__arena *arena, brant__text email);

#endif
