/*
 * identity/email.h: the one form of an email address by which accounts are told apart.
 */
#ifndef BRANT__IDENTITY_EMAIL_H
#define BRANT__IDENTITY_EMAIL_H

#include "base/base.h"

/* RFC 5321, 4.5.3.1.1 and 4.5.3.1.3: a path has 256 octets, two of which are its angle brackets. */
#define BRANT__EMAIL_LOCAL_MOST  64
#define BRANT__EMAIL_LENGTH_MOST 254
/* What is written may be longer than what it becomes. */
#define BRANT__EMAIL_INPUT_MOST 1024

/*
 * `out`, in `arena` and ended by a NUL, is `email` with its local part in lower case and its domain in the form of the DNS (domain.h), at most 254 bytes.
 *
 * Local part: an ASCII dot-atom (RFC 5322, 3.2.3; RFC 5321's Dot-string) of at most 64 bytes. Quoted local parts, comments and RFC 6531's
 * internationalised ones are refused. Case is folded, which RFC 5321 leaves to the receiving host, since no host in use tells "Ada" from "ada"
 * and people do not either. Dots and `+` count: what they mean is a host's own matter.
 * Domain: Unicode or A-labels, which are one: "Bücher.example", "bücher．example" and "xn--bcher-kva.example".
 * What looks alike in other scripts is another address.
 *
 * A normalised address is its own normalised form. INVALID: anything else, more than 1024 bytes, no UTF-8; the message begins with "/email: " and repeats
 * a bounded part. NO_MEMORY.
 */
brant_status brant__email_normalize(brant__text *out, brant__arena *arena, brant__text email);

#endif
