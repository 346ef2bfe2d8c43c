/*
 * identity/idna.h: which Unicode labels a domain may have, and how what people write becomes one (IDNA 2008: RFC 5890 to 5893).
 *
 * What a code point is comes from utf8proc's Unicode. A newer Unicode takes more labels, and changes nothing of those that an older one took: what
 * has no code point yet is refused, and normalisation and folding of what has one are stable.
 */
#ifndef BRANT__IDENTITY_IDNA_H
#define BRANT__IDENTITY_IDNA_H

#include "base/base.h"

/*
 * UTS #46's mapping, not transitional, of a whole domain of valid UTF-8: each point becomes its NFKC_Casefold, which folds case and width and drops what is
 * invisible, and all of it NFC; the ideographic full stops become dots. Four are left as they are, which IDNA 2008 tells apart: the sharp s (whose capital
 * becomes it), the final sigma, and the two joiners. What has a full stop in it (U+2488) stays too, and so do controls of direction and tags: the check
 * refuses them.
 * False when more than `room` points come out, on the way there.
 */
bool brant__idna_map(int32_t *out, size_t *out_count, size_t room, brant__text domain);

/*
 * NULL for a U-label (RFC 5891, 4.2, without its length and direction): in NFC, no hyphen at either end or in places three and four, no combining mark
 * first, all points allowed by the properties of RFC 5892 and, where it asks for one, in a context of its appendix A. Else a predicate
 * that says what is wrong, and `*out_point` is the point that is, or -1. Labels of more than BRANT__IDNA_MOST points are not given.
 */
#define BRANT__IDNA_MOST 63
const char *brant__idna_check(int32_t *out_point, const int32_t *label, size_t count);

/* Has the label a point by which a domain is written from right to left (RFC 5893, 1.4), so that all its labels must keep its rule? */
bool brant__idna_right_to_left(const int32_t *label, size_t count);
/* RFC 5893, 2: the rule, for a label that is not empty. */
bool brant__idna_bidi(const int32_t *label, size_t count);

/* For a message: the label as UTF-8, cut to `size` with its NUL, and `?` for what does not show or does not stay where it is. */
void brant__idna_show(char *out, size_t size, const int32_t *label, size_t count);

#endif
