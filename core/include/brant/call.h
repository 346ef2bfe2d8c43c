/*
 * brant/call.h: the call protocol: events of calls on a durable stream, and the graph that is made of them. All are operations (store.h says what that means).
 *
 * Event: {"event": "call.requested" | "call.responded" | "call.completed" | "call.aborted" | "call.error", "request_id": text of 1..255 bytes, "at": ms, ..}, and
 *   requests: "operation_id" (required), "namespace"?, "type"?: "query" | "mutation" | "subscription", "input"?, "identity"? {id, scopes?, resources?}, "parent_request_id"?, "deadline"?,
 *             "trace_id"?, "span_id"?, "depends_on"?: [request_id | {"request_id", "reason"?}..]
 *   all:      "started_at"?, "output"? (any JSON), "error"? {code, message?} (required in call.error)
 * Its key in the stream is the request_id.
 */
#ifndef BRANT_CALL_H
#define BRANT_CALL_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * calls.publish {event as above, "at"? (now), "stream"?: name ("call-protocol")} -> {"offset": n}
 * Checked, then published as streams.publish does it. INVALID: it is none of the protocol's; the message has the member.
 */
BRANT_API brant_status brant_call_publish(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

/*
 * calls.project {"graph", "stream"?: name ("call-protocol"), "consumer"?: name ("calls:<graph>"), "limit"?: events, 1..100000 (1000)}
 *   -> {"projected": n, "offset", "more": bool, "failed": n, "faults"?: [{offset?, key?, message}..] (at most 100), "gap"?: {from, to}}
 * Bring a graph of the graph type "call" up to the stream's next events: nodes Call by request_id, edges Triggered (from the parent) and DependsOn (to what it needs). Calls, edges and the consumer's
 * offset are one transaction, so each event counts once, whenever a process dies; call again while `more`. Late, repeated and out-of-order events make the same graph: what a
 * request says is taken from the first, the status only rises (requested, running, responded, then the first of completed, aborted, error), the output is the newest by `at`, `requested_at` and
 * `completed_at` are those of the request and of the end. A call that is named before its request is known has the operation_id "unknown" and {"call_protocol": {"placeholder": true}} in its metadata
 * (which is the projection's own member) until then. Events that are none of the protocol's, and edges that would close a cycle, are passed over and told in `faults`.
 * `gap`: events that retention removed before they were read. A stream that is not there yet has no events. NOT_FOUND: the graph, or the key of one whose type encrypts; INVALID: its graph type has no calls.
 */
BRANT_API brant_status brant_call_project(char **out_json, size_t *out_json_len, brant_db *db,
                                          const char *json, size_t json_len);

#ifdef __cplusplus
}
#endif
#endif
