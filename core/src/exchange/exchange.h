/*
 * exchange/exchange.h: the handlers of exchange with other libraries and formats.
 */
#ifndef BRANT__EXCHANGE_H
#define BRANT__EXCHANGE_H

#include "brant/exchange.h"
#include "store/store.h"

brant_status brant__graph_export(brant__call *call);
brant_status brant__graph_arrays(brant__call *call);
brant_status brant__graph_import(brant__call *call);

#endif
