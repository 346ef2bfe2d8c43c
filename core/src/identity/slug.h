/*
 * identity/slug.h: the one form of an organisation's short name.
 */
#ifndef BRANT__IDENTITY_SLUG_H
#define BRANT__IDENTITY_SLUG_H

#include "base/base.h"

/* As a label of the DNS, so that a slug can stand in a host name. */
#define BRANT__SLUG_MOST 63

/*
 * `out`, in `arena` and ended by a NUL, is `slug` in lower case: 1 to 63 of [a-z0-9-], with no hyphen at either end and none in places three and four, where
 * IDNA has its marks ("xn--"): a slug as host name must not show as something else. Only the 26 letters of ASCII are folded; what looks like
 * one of them (a Cyrillic a, a fullwidth A, a dotless i, the Kelvin sign) is refused, not mapped, since two slugs that are shown alike would be two
 * organisations.
 *
 * A normalised slug is its own normalised form. INVALID: anything else; the message begins with "/slug: ". NO_MEMORY.
 */
brant_status brant__slug_normalize(brant__text *out, brant__arena *arena, brant__text slug);

#endif
