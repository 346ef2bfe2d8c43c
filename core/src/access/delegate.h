/*
 * access/delegate.h: delegations, checked when they are written. They are checked again at every evaluation: this tells a mistake when it is made.
 */
#ifndef BRANT__ACCESS_DELEGATE_H
#define BRANT__ACCESS_DELEGATE_H

#include "access/write.h"

/* The terms of a delegation, of the input's members scopes, expires_at, max_depth, may_redelegate. INVALID. */
brant_status brant__access_delegation_read(brant__access_link *out, const brant__access_edit *edit);
/*
 * May the actor delegate in the name of `from`? Who is judged delegates from itself; who administers the graph, from others what it holds everywhere. And may it end what `from` delegated? DENIED.
 */
brant_status brant__access_delegation_judge(const brant__access_edit *edit,
                                            const brant__access_entity *from,
                                            const brant__access_link *terms);
brant_status brant__access_delegation_may_end(const brant__access_edit *edit,
                                              const brant__access_entity *from);
/* May `from` give it away? DENIED. */
brant_status brant__access_delegation_check(const brant__access_edit *edit,
                                            const brant__access_entity *from,
                                            const brant__access_link *terms);

#endif
