/*
 * operation/maintain.c: db.maintain: what is to be done now and then, module by module, each in bounded transactions of its own.
 */
#include "event/event.h"
#include "event/job_manage.h"
#include "event/lock.h"
#include "event/rate_limit.h"
#include "event/stream.h"
#include "graph/graph.h"
#include "operation/operation.h"
#include "operation/worker.h"

brant_status brant__db_maintain(brant__call *call) {
    brant__writer *out = call->out;
    brant__retention_done done = {0};
    brant__streams_done streams = {0};
    brant__worked worked = {0};
    int64_t pruned = 0, pages = 0, jobs = 0, locks = 0, limits = 0;
    brant_status status;

    if (brant__depth(call->db) > 0)
        return brant__fail(BRANT_MISUSE, "maintenance cannot run inside a transaction");
    BRANT__TRY(brant__event_maintain(&pruned, call->db));
    BRANT__TRY(brant__queue_maintain(&jobs, call->db));
    BRANT__TRY(brant__streams_maintain(&streams, call->db));
    BRANT__TRY(brant__lock_maintain(&locks, call->db));
    BRANT__TRY(brant__rate_limit_maintain(&limits, call->db));
    BRANT__TRY(brant__worker_run(&worked, call->db));
    BRANT__TRY(brant__retention_apply(&done, call));
    BRANT__TRY(brant__db_tidy(&pages, call->db));
    brant__write_object(out);
    brant__write_integer_member(out, "pruned", pruned);
    brant__write_integer_member(out, "jobs", jobs);
    brant__write_integer_member(out, "locks", locks);
    brant__write_integer_member(out, "rate_limits", limits);
    brant__write_integer_member(out, "wal_pages", pages);
    brant__write_name(out, "streams");
    brant__write_object(out);
    brant__write_integer_member(out, "trimmed", streams.trimmed);
    brant__write_integer_member(out, "compacted", streams.compacted);
    brant__write_end(out);
    brant__write_name(out, "retention");
    brant__write_object(out);
    brant__write_integer_member(out, "archived", done.archived);
    brant__write_integer_member(out, "deleted", done.deleted);
    brant__write_integer_member(out, "purged", done.purged);
    brant__write_integer_member(out, "nodes", done.nodes);
    brant__write_integer_member(out, "edges", done.edges);
    brant__write_end(out);
    brant__write_name(out, "worked");
    brant__write_object(out);
    brant__write_integer_member(out, "jobs", worked.jobs);
    brant__write_integer_member(out, "failed", worked.failed);
    brant__write_integer_member(out, "steps", worked.steps);
    brant__write_end(out);
    brant__write_end(out);
cleanup:
    return status;
}
