/* brant.h: the whole public interface; each header below is one module and its contract. */
#ifndef BRANT_H
#define BRANT_H

#include "brant/access.h"
#include "brant/audit.h"
#include "brant/base.h"
#include "brant/call.h"
#include "brant/crypto.h"
#include "brant/event.h"
#include "brant/exchange.h"
#include "brant/graph.h"
#include "brant/hub.h"
#include "brant/identity.h"
#include "brant/lock.h"
#include "brant/module.h"
#include "brant/operation.h"
#include "brant/queue.h"
#include "brant/schedule.h"
#include "brant/secret.h"
#include "brant/session.h"
#include "brant/store.h"
#include "brant/stream.h"
#include "brant/traversal.h"
#include "brant/validator.h"

#endif
