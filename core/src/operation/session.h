/*
 * operation/session.h: whether the session whose call runs may do it (session.c), asked where operations begin (call.c).
 */
#ifndef BRANT__OPERATION_SESSION_H
#define BRANT__OPERATION_SESSION_H

#include "brant/session.h"
#include "operation/operation.h"

/*
 * Before anything is read of the input. *out_judge: the identity alone does not say; brant__session_judge must, in the transaction of the call. DENIED. Nothing to do for a trusted call.
 */
brant_status brant__session_admit(bool *out_judge, brant_db *db, const brant__operation *operation);
brant_status brant__session_judge(brant__call *call, const brant__operation *operation);

/* What the input says is judged by itself: paths on the machine. */
brant_status brant__session_input(brant_db *db, const brant__operation *operation,
                                  yyjson_val *input);

#endif
