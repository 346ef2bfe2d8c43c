/*
 * access/grant.h: the scopes of one edge, of which some are access.seed's and some were given at run time.
 */
#ifndef BRANT__ACCESS_GRANT_H
#define BRANT__ACCESS_GRANT_H

#include "access/write.h"

/* Those that were given at run time. */
brant_status brant__access_runtime(brant__scopes *out, brant__arena *arena,
                                   const brant__access_link *edge);
/* Give an edge both. What is in both was given at run time. */
brant_status brant__access_combine(brant__access_link *edge, brant__arena *arena,
                                   const brant__scopes *runtime, const brant__scopes *seeded);

#endif
