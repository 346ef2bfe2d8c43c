/*
 * tests/core/test_want_of_memory.c: every allocation fails once, brant's own and SQLite's, through a whole small life of a file: each call succeeds or says
 * NO_MEMORY, nothing leaks, and the file is well and holds all or nothing of what was asked.
 *
 * The life is told in chapters, each of which is repeated for itself. BRANT_MEMORY_STEP=1 has each allocation fail (minutes).
 */
#include <sys/stat.h>

#include "failing_allocator.h"
#include "frame.h"
#include "store/handle.h"

static const char *chapter_name; /* for messages */
static long allocation;

/* One call: operation and input. */
typedef const char *const step[2];

static const step rows[] = {
    {"graph_types.define",
     "{\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"type\":\"object\",\"properties\":{\"s\":{"
     "\"type\":\"string\",\"pattern\":\"^a+$\"}}},\"BEdge\":true}}}"},
    {"graphs.create", "{\"name\":\"g\",\"graph_type\":\"t\",\"changes\":true}"},
    {"nodes.put_many",
     "{\"graph\":\"g\",\"items\":[{\"key\":\"a\",\"type\":\"A\",\"attributes\":{\"s\":\"aa\"}},{"
     "\"key\":\"b\",\"type\":\"A\"},{\"key\":\"c\",\"type\":\"A\"}]}"},
    {"nodes.put", "{\"graph\":\"g\",\"key\":\"a\",\"attributes\":{\"s\":\"aaa\"}}"},
    {"edges.put_many", "{\"graph\":\"g\",\"items\":[{\"source\":\"a\",\"target\":\"b\",\"type\":"
                       "\"B\"},{\"source\":\"b\",\"target\":\"c\",\"type\":\"B\"}]}"},
};
static const step limits[] = {
    {"locks.acquire", "{\"name\":\"l\",\"owner\":\"o\"}"},
    {"locks.acquire", "{\"name\":\"l\",\"owner\":\"p\"}"},
    {"locks.refresh", "{\"name\":\"l\",\"token\":1}"},
    {"locks.list", "{\"limit\":1}"},
    {"locks.get", "{\"name\":\"l\"}"},
    {"locks.release", "{\"name\":\"l\",\"token\":1}"},
    {"rate_limits.take",
     "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":2,\"period\":1000000}"},
    {"rate_limits.take",
     "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":2,\"period\":1,\"cost\":2}"},
    {"rate_limits.list", "{\"limit\":1}"},
    {"rate_limits.peek",
     "{\"name\":\"r\",\"kind\":\"sliding_window\",\"limit\":2,\"period\":1000000}"},
    {"rate_limits.take", "{\"name\":\"r\",\"kind\":\"token_bucket\",\"limit\":2,\"period\":1}"},
    {"rate_limits.reset", "{\"name\":\"r\"}"},
};
static const step schedules[] = {
    {"schedules.set", "{\"name\":\"s\",\"spec\":\"30 2 * * *\",\"timezone\":\"Europe/"
                      "Berlin\",\"queue\":\"q\",\"payload\":[1],\"options\":{\"key\":\"k\"}}"},
    {"schedules.set", "{\"name\":\"e\",\"spec\":\"@every 1ms\",\"queue\":\"q\"}"},
    {"schedules.list", "{\"limit\":1}"},
    {"schedules.get", "{\"name\":\"s\"}"},
    {"schedules.next", "{\"spec\":\"@daily\",\"timezone\":\"Asia/Tokyo\"}"},
    {"schedules.trigger", "{\"name\":\"s\"}"},
    {"schedules.tick", "{}"},
    {"schedules.pause", "{\"name\":\"e\"}"},
    {"schedules.resume", "{\"name\":\"e\"}"},
};
static const step transaction[] = {
    {"transaction.begin", "{}"},
    {"events.notify", "{\"channel\":\"x\",\"payload\":{\"y\":[1,2.5,null]}}"},
    /* Inside, where the file is not rewritten: that would be all that this test waits for. */
    {"db.erase", "{\"values\":[\"zzz\"],\"action\":\"redact\"}"},
    {"transaction.commit", "{}"},
};
static const step indexes[] = {
    {"nodes.get", "{\"graph\":\"g\",\"key\":\"a\"}"},
    {"indexes.create", "{\"graph_type\":\"t\",\"node_type\":\"A\",\"paths\":[\"attributes.s\"]}"},
    {"indexes.create", "{\"graph_type\":\"t\",\"node_type\":\"A\",\"paths\":[\"attributes.s\"],"
                       "\"kind\":\"text\",\"name\":\"x\"}"},
    {"nodes.put", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"s\":\"aa\"}}"},
    {"nodes.list", "{\"graph\":\"g\",\"filter\":{\"attributes.s\":{\"$in\":[\"aa\",null,[1]]},"
                   "\"$not\":{\"key\":{\"$prefix\":\"x\"}}},\"order_by\":\"attributes.s\","
                   "\"limit\":1}"},
    {"nodes.count", "{\"graph\":\"g\",\"filter\":{\"attributes/s\":{\"$contains\":\"a\"}}}"},
    {"edges.list", "{\"graph\":\"g\",\"filter\":{\"source\":\"a\",\"key\":{\"$ne\":\"[\\\"a\\\","
                   "\\\"B\\\",\\\"b\\\"]\"}}}"},
    {"nodes.explain", "{\"graph\":\"g\",\"filter\":{\"attributes.s\":\"aa\"}}"},
    {"edges.explain", "{\"graph\":\"g\",\"filter\":{\"source\":\"a\"}}"},
    {"edges.count", "{\"graph\":\"g\",\"filter\":{\"type\":\"B\"}}"},
    {"nodes.exists", "{\"graph\":\"g\",\"key\":\"a\"}"},
    {"graphs.get", "{\"name\":\"g\"}"},
    {"nodes.search", "{\"graph\":\"g\",\"query\":\"(aa OR b) \xe2\x80\x94 -c\"}"},
    {"indexes.list", "{}"},
    {"indexes.delete", "{\"name\":\"x\"}"},
};
static const step algorithms[] = {
    {"nodes.list", "{\"graph\":\"g\",\"limit\":2}"},
    {"nodes.neighbors", "{\"graph\":\"g\",\"key\":\"a\"}"},
    {"nodes.closure", "{\"graph\":\"g\",\"keys\":[\"a\"]}"},
    {"graphs.components", "{\"graph\":\"g\",\"connection\":\"strong\"}"},
    {"graphs.count_walks", "{\"graph\":\"g\",\"length\":2}"},
    {"graphs.degrees", "{\"graph\":\"g\",\"descending\":true}"},
    {"graphs.find_cycle", "{\"graph\":\"g\"}"},
    {"graphs.pagerank", "{\"graph\":\"g\"}"},
    {"graphs.paths", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"max_depth\":3}"},
    {"graphs.shortest_path", "{\"graph\":\"g\",\"source\":\"a\",\"target\":\"c\",\"weight\":"
                             "\"attributes.w\",\"default_weight\":1}"},
    {"graphs.shortest_paths", "{\"graph\":\"g\",\"source\":\"a\"}"},
    {"graphs.subgraph", "{\"graph\":\"g\",\"filter\":{\"key\":\"a\"}}"},
    {"graphs.topological_order", "{\"graph\":\"g\"}"},
};
static const step exchange[] = {
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"graphology\",\"limit\":1}"},
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"csv\",\"part\":\"nodes\",\"limit\":1}"},
    {"graphs.export", "{\"graph\":\"g\",\"format\":\"graphml\"}"},
    {"graphs.arrays", "{\"graph\":\"g\",\"attributes\":true}"},
    {"graphs.import",
     "{\"graph\":\"i\",\"format\":\"node_link\",\"create\":true,\"text\":\"{\\\"nodes\\\":"
     "[{\\\"id\\\":1,\\\"x\\\":true},{\\\"id\\\":[1]}],\\\"edges\\\":[{\\\"source\\\":1.0,"
     "\\\"target\\\":[1],\\\"key\\\":0}]}\"}"},
    {"graphs.import",
     "{\"graph\":\"i\",\"format\":\"csv\",\"part\":\"nodes\",\"errors\":\"skip\",\"text\":"
     "\"key,x\\na,1\\nb\\n\"}"},
    {"graphs.import",
     "{\"graph\":\"m\",\"format\":\"memory\",\"create\":true,\"errors\":\"skip\",\"text\":"
     "\"{\\\"type\\\":\\\"relation\\\",\\\"from\\\":\\\"a\\\",\\\"to\\\":\\\"b\\\",\\\"relationType"
     "\\\":\\\"r\\\"}\\n{\\\"type\\\":\\\"relation\\\"}\\n{\\\"type\\\":\\\"entity\\\","
     "\\\"name\\\":"
     "\\\"a\\\",\\\"entityType\\\":\\\"t\\\",\\\"observations\\\":[\\\"o\\\"]}\"}"},
    {"sql.execute", "{\"sql\":\"SELECT key FROM nodes WHERE key <> :k\",\"params\":{\"k\":\"z\"}}"},
    {"sql.execute",
     "{\"sql\":\"SELECT ?, key FROM nodes\",\"batch\":[[{\"$number\":\"Infinity\"}],[{\"$base64\":"
     "\"AP8=\"}]],\"describe\":true}"},
    {"transaction.begin", "{\"mode\":\"read\"}"},
    {"sql.execute", "{\"sql\":\"SELECT key, length(key) FROM nodes WHERE key <> ?; SELECT 1\","
                    "\"params\":[\"z\"],\"describe\":true,\"script\":true,\"limit\":1}"},
    {"transaction.commit", "{}"},
};
static const step changes[] = {
    {"nodes.insert_many", "{\"graph\":\"g\",\"errors\":\"skip\",\"items\":\"{\\\"key\\\":\\\"d\\\","
                          "\\\"type\\\":\\\"A\\\"}"
                          "\\nbad\\n{\\\"key\\\":\\\"a\\\",\\\"type\\\":\\\"A\\\"}\"}"},
    {"nodes.patch", "{\"graph\":\"g\",\"key\":\"b\",\"attributes\":{\"s\":\"a\"},\"metadata\":{"
                    "\"m\":{\"x\":1}}}"},
    {"edges.patch_many",
     "{\"graph\":\"g\",\"items\":[{\"key\":\"[\\\"b\\\",\\\"B\\\",\\\"c\\\"]\",\"attributes\":{"
     "\"w\":1}}]}"},
    {"graph_types.set_retention", "{\"name\":\"t\",\"rules\":{\"nodes\":[{\"older_than\":1000000,"
                                  "\"filter\":{\"key\":\"z\"}}]}}"},
    {"nodes.delete_many", "{\"graph\":\"g\",\"filter\":{\"key\":\"d\"}}"},
    {"graphs.changes", "{\"graph\":\"g\"}"},
};
static const step calls[] = {
    {"graphs.create", "{\"name\":\"calls\",\"graph_type\":\"call\"}"},
    {"calls.publish", "{\"event\":\"call.requested\",\"request_id\":\"r\",\"operation_id\":\"o\","
                      "\"parent_request_id\":\"p\",\"depends_on\":[\"d\"]}"},
    {"calls.publish", "{\"event\":\"call.aborted\",\"request_id\":\"r\"}"},
    {"calls.project", "{\"graph\":\"calls\"}"},
    {"graphs.import",
     "{\"graph\":\"calls\",\"format\":\"otlp\",\"text\":\"{\\\"resourceSpans\\\":[{"
     "\\\"resource\\\":{},\\\"schemaUrl\\\":\\\"u\\\",\\\"scopeSpans\\\":[{\\\"scope\\\":{},"
     "\\\"spans\\\":[{\\\"traceId\\\":\\\"01\\\",\\\"spanId\\\":\\\"02\\\",\\\"name\\\":\\\"n\\\"},"
     "{\\\"traceId\\\":\\\"01\\\",\\\"spanId\\\":\\\"03\\\",\\\"parentSpanId\\\":\\\"02\\\","
     "\\\"name\\\":\\\"n\\\",\\\"links\\\":[{\\\"traceId\\\":\\\"01\\\",\\\"spanId\\\":\\\"02\\\"}]"
     "},{\\\"traceId\\\":\\\"01\\\",\\\"spanId\\\":\\\"04\\\",\\\"name\\\":\\\"n\\\","
     "\\\"attributes\\\":[{\\\"key\\\":\\\"brant.call\\\",\\\"value\\\":{\\\"stringValue\\\":\\\"{"
     "\\\\\\\"key\\\\\\\":\\\\\\\"k\\\\\\\",\\\\\\\"parent\\\\\\\":\\\\\\\"r\\\\\\\","
     "\\\\\\\"attributes\\\\\\\":{\\\\\\\"operation_id\\\\\\\":\\\\\\\"o\\\\\\\","
     "\\\\\\\"status\\\\\\\":\\\\\\\"running\\\\\\\"}}\\\"}}],\\\"links\\\":[{\\\"traceId\\\":"
     "\\\"01\\\",\\\"spanId\\\":\\\"02\\\",\\\"attributes\\\":[{\\\"key\\\":\\\"brant.edge\\\","
     "\\\"value\\\":{\\\"stringValue\\\":\\\"{\\\\\\\"type\\\\\\\":\\\\\\\"DependsOn\\\\\\\","
     "\\\\\\\"target\\\\\\\":\\\\\\\"r\\\\\\\"}\\\"}}]}]}]}]}]}\"}"},
    {"graphs.export", "{\"graph\":\"calls\",\"format\":\"otlp\",\"limit\":1}"},
    {"graphs.export", "{\"graph\":\"calls\",\"format\":\"otlp\"}"},
};
static const step history[] = {
    {"graphs.diff", "{\"graph\":\"g\",\"from\":3}"},
    {"graphs.replay", "{\"graph\":\"g\",\"to\":7,\"into\":\"r\"}"},
    {"graphs.update", "{\"name\":\"g\",\"changes\":false}"},
    {"graphs.update", "{\"name\":\"g\",\"changes\":true}"},
    {"events.set_retention", "{\"channel\":\"x\",\"count\":1,\"age\":1000}"},
    {"events.notify", "{\"channel\":\"x\",\"payload_base64\":\"AAECAw==\"}"},
    {"events.channels", "{\"prefix\":\"x\"}"},
    {"db.metrics", "{}"},
};
static const step removal[] = {
    {"graphs.create", "{\"name\":\"h\",\"graph_type\":\"t\"}"},
    {"graphs.delete", "{\"name\":\"h\"}"},
    {"graphs.purge", "{\"name\":\"h\",\"limit\":1}"},
    {"edges.delete", "{\"graph\":\"g\",\"key\":\"[\\\"a\\\",\\\"B\\\",\\\"b\\\"]\"}"},
    {"nodes.delete", "{\"graph\":\"g\",\"key\":\"c\",\"edges\":\"delete\"}"},
};
static const step evolution[] = {
    {"modules.diff",
     "{\"from\":{\"$defs\":{\"ANode\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}},\"to\":{\"$"
     "defs\":{\"ANode\":{\"properties\":{\"a\":{\"type\":\"integer\",\"title\":\"t\"}}}}}}"},
    {"modules.cast", "{\"module\":{\"$defs\":{\"ANode\":{\"additionalProperties\":false,"
                     "\"properties\":{\"a\":{\"default\":1},\"u\":{\"anyOf\":[{\"type\":\"null\"},{"
                     "\"type\":\"object\",\"additionalProperties\":false}]}}}}},\"node_type\":"
                     "\"A\",\"attributes\":{\"u\":{\"x\":1},\"y\":2}}"},
    {"modules.patch", "{\"document\":{\"a\":[1]},\"patch\":[{\"op\":\"copy\",\"from\":\"/"
                      "a\",\"path\":\"/b\"},{\"op\":\"test\",\"path\":\"/b\",\"value\":[1]}]}"},
    {"modules.types", "{\"module\":{\"$defs\":{\"ANode\":{\"$ref\":\"metagraph#/$defs/"
                      "BaseNode\",\"default\":1},\"Base\":{\"properties\":{}}}}}"},
    {"graph_types.check", "{\"name\":\"t\"}"},
    {"graph_types.update",
     "{\"name\":\"t\",\"version\":2,\"module\":{\"$id\":\"t\",\"$defs\":{\"ANode\":{\"allOf\":[{\"$"
     "ref\":\"metagraph#/$defs/BaseNode\"},{\"additionalProperties\":false}]},\"BEdge\":true}}}"},
    {"graph_types.migrate", "{\"name\":\"t\",\"limit\":9,\"on_failure\":\"skip\"}"},
};
static const step streams[] = {
    {"streams.configure", "{\"stream\":\"s\",\"max_count\":6,\"compact\":true}"},
    {"streams.publish_many",
     "{\"stream\":\"s\",\"items\":[{\"payload\":{\"a\":1},\"key\":\"k\"},{\"payload_base64\":\"AA=="
     "\",\"key\":\"l\"},{\"key\":\"k\"},{\"payload\":2},{\"payload\":3,\"key\":\"m\"}]}"},
    {"consumers.claim", "{\"stream\":\"s\",\"group\":\"g\",\"member\":\"m\",\"limit\":2}"},
    {"consumers.ack", "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":1,\"token\":1},{"
                      "\"offset\":9,\"token\":9}]}"},
    {"consumers.extend",
     "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":2,\"token\":1}],\"lease\":5}"},
    {"consumers.release",
     "{\"stream\":\"s\",\"group\":\"g\",\"items\":[{\"offset\":2,\"token\":1}]}"},
};
static const step stream_reads[] = {
    {"consumers.commit", "{\"stream\":\"s\",\"consumer\":\"c\",\"offset\":1}"},
    {"consumers.seek", "{\"stream\":\"s\",\"consumer\":\"g\",\"to\":{\"time\":0}}"},
    {"consumers.get", "{\"stream\":\"s\",\"consumer\":\"g\"}"},
    {"consumers.list", "{\"stream\":\"s\"}"},
    {"streams.read", "{\"stream\":\"s\",\"keys\":[\"k\",\"m\"],\"reverse\":true}"},
    {"streams.latest", "{\"stream\":\"s\",\"key\":\"m\"}"},
    {"streams.stats", "{}"},
    {"streams.get", "{\"stream\":\"s\"}"},
    {"streams.list", "{\"prefix\":\"s\"}"},
    {"streams.compact", "{\"stream\":\"s\"}"},
    {"streams.publish", "{\"stream\":\"s\",\"key\":\"n\"}"},
    {"streams.trim", "{\"stream\":\"s\",\"before\":3}"},
    {"consumers.delete", "{\"stream\":\"s\",\"consumer\":\"c\"}"},
    {"streams.publish", "{\"stream\":\"t\"}"},
    {"streams.delete", "{\"stream\":\"t\",\"force\":true}"},
};
static const step queues[] = {
    {"queues.configure", "{\"queue\":\"q\",\"key_concurrency\":1,\"max_size\":50,\"result_ttl\":"
                         "1000,\"rate_limit\":{\"limit\":90,\"period\":1000}}"},
    {"queues.enqueue",
     "{\"queue\":\"q\",\"payload\":[1],\"key\":\"k\",\"unique\":{\"key\":\"u\",\"window\":9}}"},
    {"queues.enqueue",
     "{\"queue\":\"q\",\"payload_base64\":\"AAECAw==\",\"key\":\"k\",\"priority\":1}"},
    {"queues.enqueue_many", "{\"queue\":\"q\",\"items\":[{\"after\":[1]},{\"after\":[{\"item\":0}]}"
                            ",{\"expires_in\":1,\"delay\":1},{"
                            "\"unique\":{\"key\":\"u\",\"on_conflict\":\"replace\"}}]}"},
    {"queues.claim", "{\"queue\":\"q\",\"worker\":\"w\",\"limit\":9}"},
    {"jobs.heartbeat", "{\"id\":2,\"token\":1,\"progress\":[1]}"},
    {"jobs.fail",
     "{\"id\":2,\"token\":1,\"error\":{\"message\":\"m\",\"stack\":\"s\"},\"delay\":0}"},
    {"queues.configure", "{\"queue\":\"q\",\"fifo\":true}"},
    {"queues.claim", "{\"queue\":\"q\",\"limit\":9}"},
    {"jobs.release", "{\"id\":2,\"token\":2}"},
    {"queues.list", "{}"},
    {"queues.drain", "{\"queue\":\"q\"}"},
    {"queues.resume", "{\"queue\":\"q\"}"},
    {"queues.delete", "{\"queue\":\"q\",\"force\":true}"},
};
static const step secrets[] = {
    {"graph_types.define",
     "{\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{\"type\":\"object\",\"properties\":{\"s\":{"
     "\"x-encrypted\":true}}},\"UEdge\":{\"type\":\"object\",\"properties\":{\"t\":{\"x-"
     "encrypted\":"
     "true}}}}}}"},
    {"graphs.create", "{\"name\":\"v\",\"graph_type\":\"v\",\"changes\":true}"},
    {"nodes.put_many",
     "{\"graph\":\"v\",\"items\":[{\"key\":\"a\",\"attributes\":{\"s\":{\"x\":1}}},{"
     "\"key\":\"a\",\"attributes\":{\"s\":{\"$redacted\":true}}}]}"},
    {"edges.put", "{\"graph\":\"v\",\"source\":\"a\",\"target\":\"a\",\"attributes\":{\"t\":1}}"},
    {"nodes.put", "{\"graph\":\"v\",\"key\":\"a\",\"attributes\":{\"s\":{\"$redacted\":true}}}"},
    {"nodes.patch", "{\"graph\":\"v\",\"key\":\"a\",\"attributes\":{\"s\":{\"y\":2}}}"},
    {"nodes.open_secret", "{\"graph\":\"v\",\"key\":\"a\",\"path\":\"attributes.s\"}"},
    {"edges.open_secret", "{\"graph\":\"v\",\"key\":\"[\\\"a\\\",\\\"U\\\",\\\"a\\\"]\",\"path\":"
                          "\"attributes.t\"}"},
    {"graphs.export", "{\"graph\":\"v\",\"format\":\"csv\",\"part\":\"nodes\"}"},
    {"graphs.replay", "{\"graph\":\"v\",\"to\":4,\"into\":\"w\"}"},
};
static const step secret_types[] = {
    {"indexes.create",
     "{\"graph_type\":\"v\",\"node_type\":\"S\",\"paths\":[\"attributes.n\"],\"name\":\"vn\"}"},
    {"graph_types.set_retention", "{\"name\":\"v\",\"rules\":{\"nodes\":[{\"type\":\"S\",\"older_"
                                  "than\":900000000000,\"filter\":{"
                                  "\"attributes.n\":1}}]}}"},
    {"graph_types.update",
     "{\"name\":\"v\",\"version\":2,\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{\"type\":"
     "\"object\",\"properties\":{\"s\":{\"x-encrypted\":true},\"m\":{\"x-encrypted\":true}}},"
     "\"UEdge\":{\"type\":\"object\",\"properties\":{\"t\":{\"x-encrypted\":true}}}}}}"},
    {"graph_types.migrate",
     "{\"name\":\"v\",\"limit\":9,\"on_failure\":\"skip\",\"patches\":{\"S\":[{"
     "\"op\":\"remove\",\"path\":\"/s\"},{\"op\":\"add\",\"path\":\"/n\","
     "\"value\":1},{\"op\":\"copy\",\"from\":\"/n\",\"path\":\"/m\"}]}}"},
};
static const step access_rows[] = {
    {"graphs.create", "{\"name\":\"access\",\"graph_type\":\"access\",\"changes\":true}"},
    {"nodes.put_many", "{\"graph\":\"access\",\"items\":[{\"key\":\"p\",\"type\":\"Principal\","
                       "\"attributes\":{\"kind\":"
                       "\"account\",\"status\":\"active\"}},{\"key\":\"a\",\"type\":\"Agent\"},{"
                       "\"key\":\"g\",\"type\":"
                       "\"Group\"},{\"key\":\"graph:x\",\"type\":\"Resource\"},{\"key\":\"*\","
                       "\"type\":\"Resource\"}]}"},
    {"edges.put_many",
     "{\"graph\":\"access\",\"items\":[{\"source\":\"p\",\"type\":\"BelongsTo\",\"target\":\"g\"},{"
     "\"source\":\"g\",\"type\":\"Grants\",\"target\":\"*\",\"attributes\":{\"scopes\":[\"x:*\"]}},"
     "{"
     "\"source\":\"p\",\"type\":\"Delegates\",\"target\":\"a\",\"attributes\":{\"scopes\":[\"*:"
     "read\"],"
     "\"max_depth\":0}}]}"},
};
static const step access_graph[] = {
    {"access.check", "{\"subject\":\"a\",\"scope\":\"x:read\",\"resource\":\"graph:x\"}"},
    {"access.check_many", "{\"items\":[{\"subject\":\"a\",\"scope\":\"x\"}]}"},
    {"transaction.begin", "{}"},
    {"edges.put",
     "{\"graph\":\"access\",\"source\":\"a\",\"type\":\"Denies\",\"target\":\"graph:x\","
     "\"attributes\":{\"scopes\":[\"x:read\"]}}"},
    {"access.explain", "{\"subject\":\"a\",\"scope\":\"x:read\",\"resource\":\"graph:x\"}"},
    {"edges.delete", "{\"graph\":\"access\",\"key\":\"[\\\"p\\\",\\\"BelongsTo\\\",\\\"g\\\"]\"}"},
    {"access.explain", "{\"subject\":\"a\",\"scope\":\"x:read\"}"},
    {"transaction.rollback", "{}"},
    {"access.explain", "{\"subject\":\"a\",\"scope\":\"x:read\",\"resource\":\"graph:x\"}"},
    {"access.list_objects", "{\"subject\":\"a\",\"scope\":\"x:read\",\"limit\":1}"},
    {"access.list_subjects", "{\"scope\":\"x:read\",\"resource\":\"graph:x\"}"},
    {"access.expand", "{\"scope\":\"x:read\"}"},
};
static const step audit[] = {
    {"audit.append",
     "{\"action\":\"a.b\",\"org_id\":\"o\",\"resource\":\"r:1\",\"detail\":{\"x\":[1]},"
     "\"personal\":{\"name\":\"n\"},\"subject\":\"s\",\"actor\":{\"type\":\"agent\","
     "\"id\":\"i\",\"reason\":\"because\"}}"},
    {"audit.append", "{\"action\":\"a.c\"}"},
    {"audit.prove", "{\"seq\":1,\"subject\":\"s\",\"name\":\"name\",\"text\":\"n\"}"},
    {"audit.list", "{\"filter\":{\"action\":\"a.b\",\"org_id\":\"o\"},\"order\":\"desc\"}"},
    {"audit.export", "{}"},
    {"audit.get", "{\"seq\":1}"},
    {"audit.verify", "{\"checkpoints\":[{\"seq\":1,\"hash\":"
                     "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"},
    {"audit.checkpoint", "{}"},
    {"audit.keep", "{\"file\":\"f\",\"seq\":1,\"hash\":"
                   "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\",\"created_at\":1}"},
    {"audit.checkpoints", "{\"file\":\"f\"}"},
    /* Inside, where the file is not rewritten. */
    {"transaction.begin", "{}"},
    {"audit.erase_subject", "{\"subject\":\"s\"}"},
    {"transaction.commit", "{}"},
};
#define UUID(last) "00000000-0000-7000-8000-0000000000" last
#define ANN        UUID("a0")
#define BOB        UUID("b0")
#define ORG        UUID("01")
static const step identity[] = {
    {"accounts.create", "{\"id\":\"" ANN "\",\"email\":\"Ann@b\xc3\xbc"
                        "cher.example\",\"name\":\"Ann\",\"metadata\":{\"a\":[1]},\"actor\":{"
                        "\"type\":\"system\",\"reason\":\"because\"}}"},
    {"accounts.create", "{\"id\":\"" BOB "\",\"email\":\"bob@example.org\"}"},
    {"accounts.find", "{\"email\":\"ANN@b\xc3\xbc"
                      "cher.example\"}"},
    {"accounts.update", "{\"id\":\"" BOB "\",\"email\":\"bob@example.com\",\"name\":\"B\","
                        "\"metadata\":{\"b\":1},\"actor\":{\"id\":\"" BOB "\"}}"},
    {"organizations.create",
     "{\"id\":\"" ORG "\",\"slug\":\"o\",\"name\":\"O\",\"actor\":{\"id\":\"" ANN "\"}}"},
    {"organizations.get", "{\"slug\":\"O\"}"},
    {"organizations.update",
     "{\"id\":\"" ORG "\",\"slug\":\"p\",\"metadata\":{\"c\":1},\"actor\":{\"id\":\"" ANN "\"}}"},
    {"members.add", "{\"org_id\":\"" ORG "\",\"account_id\":\"" BOB
                    "\",\"level\":\"viewer\",\"actor\":{\"id\":\"" ANN "\"}}"},
    {"members.set_level",
     "{\"org_id\":\"" ORG "\",\"account_id\":\"" BOB "\",\"level\":\"admin\"}"},
    {"members.list", "{\"limit\":1,\"filter\":{\"org_id\":\"" ORG "\",\"status\":\"active\"}}"},
    {"accounts.list", "{\"limit\":1,\"filter\":{\"status\":\"active\"}}"},
    {"members.suspend", "{\"org_id\":\"" ORG "\",\"account_id\":\"" BOB "\"}"},
    {"members.resume", "{\"org_id\":\"" ORG "\",\"account_id\":\"" BOB "\"}"},
    {"members.get", "{\"org_id\":\"" ORG "\",\"account_id\":\"" BOB "\"}"},
    {"organizations.transfer",
     "{\"id\":\"" ORG "\",\"to\":\"" BOB "\",\"actor\":{\"id\":\"" ANN "\"}}"},
    {"members.leave", "{\"org_id\":\"" ORG "\",\"actor\":{\"id\":\"" ANN "\"}}"},
    {"members.add", "{\"org_id\":\"" ORG "\",\"account_id\":\"" ANN "\"}"},
    {"members.remove", "{\"org_id\":\"" ORG "\",\"account_id\":\"" ANN "\"}"},
    {"organizations.suspend", "{\"id\":\"" ORG "\"}"},
    {"organizations.resume", "{\"id\":\"" ORG "\"}"},
    {"organizations.list", "{\"filter\":{\"owner_id\":\"" BOB "\"}}"},
    {"accounts.deactivate", "{\"id\":\"" ANN "\"}"},
    {"accounts.reactivate", "{\"id\":\"" ANN "\"}"},
    {"organizations.delete", "{\"id\":\"" ORG "\"}"},
    {"accounts.delete", "{\"id\":\"" ANN "\"}"},
    {"accounts.get", "{\"id\":\"" BOB "\"}"},
    {"identity.schemas", "{}"},
};
static const step access_writes[] = {
    {"access.put",
     "{\"graph\":\"acl\",\"key\":\"account:1\",\"type\":\"Principal\",\"attributes\":{\"kind\":"
     "\"service\"}}"},
    {"access.put", "{\"graph\":\"acl\",\"key\":\"r\",\"type\":\"Role\"}"},
    {"access.put", "{\"graph\":\"acl\",\"key\":\"g\",\"type\":\"Group\"}"},
    {"access.put",
     "{\"graph\":\"acl\",\"key\":\"q\",\"type\":\"Principal\",\"attributes\":{\"kind\":"
     "\"service\"}}"},
    {"access.grant", "{\"graph\":\"acl\",\"subject\":\"q\",\"scopes\":[\"x:*\",\"y:read\"]}"},
    {"access.assign", "{\"graph\":\"acl\",\"subject\":\"q\",\"role\":\"r\"}"},
    {"access.assign", "{\"graph\":\"acl\",\"subject\":\"q\",\"group\":\"g\"}"},
    {"access.deny",
     "{\"graph\":\"acl\",\"subject\":\"g\",\"scopes\":[\"x:write\"],\"resource\":\"doc:1\"}"},
    {"access.set_parent", "{\"graph\":\"acl\",\"resource\":\"doc:1\",\"parent\":\"folder:a\"}"},
    {"access.delegate", "{\"graph\":\"acl\",\"from\":\"q\",\"to\":\"bot\",\"scopes\":[\"x:read\"],"
                        "\"max_depth\":1,\"may_redelegate\":true}"},
    {"access.delegate",
     "{\"graph\":\"acl\",\"from\":\"bot\",\"to\":\"sub\",\"scopes\":[\"x:read\"]}"},
};
static const step access_endings[] = {
    {"access.revoke",
     "{\"graph\":\"acl\",\"kind\":\"grant\",\"subject\":\"q\",\"scopes\":[\"y:*\"]}"},
    {"access.revoke",
     "{\"graph\":\"acl\",\"kind\":\"delegation\",\"subject\":\"q\",\"target\":\"bot\"}"},
    {"access.revoke", "{\"graph\":\"acl\",\"kind\":\"group\",\"subject\":\"q\",\"target\":\"g\"}"},
    {"access.remove", "{\"graph\":\"acl\",\"key\":\"bot\"}"},
    {"access.sync", "{\"graph\":\"acl\"}"},
    {"access.sync", "{}"},
};
static const step upkeep[] = {
    {"db.info", "{}"},
    {"db.doctor", "{}"},
    {"db.maintain", "{}"},
    {"operations.list", "{}"},
};

/* ---- chapters that are more than calls --------------------------------------------------------- */

static void judge(const char *what, brant_status status, brant_status wanted) {
    /* After a failed call, those that build on it may not find what they need; the file itself never suffers. */
    const bool hurt = status == BRANT_INTERNAL || status == BRANT_CORRUPT || status == BRANT_IO;
    if (hurt || (failures == 0 && status != wanted))
        fail_msg("%s, allocation %ld: %s: %s: %s", chapter_name, allocation, what,
                 brant_status_name(status), status ? brant_last_error()->message : "it succeeded");
}

static void only_memory(const char *what, brant_status status) {
    judge(what, status, BRANT_OK);
    if (status != BRANT_OK && status != BRANT_NO_MEMORY)
        fail_msg("%s, allocation %ld: %s: %s: %s", chapter_name, allocation, what,
                 brant_status_name(status), brant_last_error()->message);
}

static void call(brant_db *db, const char *operation, const char *input, brant_status wanted) {
    char *answer = NULL;
    size_t length = 0;
    const brant_status status = brant_call(&answer, &length, db, TEXT(operation), TEXT(input));
    brant_free(answer);
    judge(operation, status, wanted);
}

/* A cursor, or none for want of memory. */
static brant_cursor *cursor_of(brant_db *db, const char *operation, const char *input) {
    brant_cursor *cursor = NULL;
    judge(operation, brant_call_open(&cursor, db, TEXT(operation), TEXT(input)), BRANT_OK);
    return cursor;
}

static void look(brant_cursor *cursor, int timeout_ms, const char *what) {
    char *items = NULL;
    size_t length = 0;
    if (cursor) only_memory(what, brant_cursor_next(&items, &length, cursor, timeout_ms));
    brant_free(items);
}

/* Somebody who is judged by what it holds. */
static void judge_actor(brant_db *db) {
    call(db, "access.grant",
         "{\"graph\":\"acl\",\"subject\":\"q\",\"scopes\":[\"z:read\"],\"actor\":{\"type\":"
         "\"service\","
         "\"id\":\"1\"}}",
         BRANT_DENIED);
    call(db, "access.assign",
         "{\"graph\":\"acl\",\"subject\":\"account:1\",\"group\":\"g\",\"actor\":{\"type\":"
         "\"service\","
         "\"id\":\"1\"}}",
         BRANT_DENIED);
    call(db, "access.assign",
         "{\"graph\":\"acl\",\"subject\":\"account:1\",\"role\":\"r\",\"actor\":{\"type\":"
         "\"service\","
         "\"id\":\"1\"}}",
         BRANT_OK);
    call(db, "access.remove",
         "{\"graph\":\"acl\",\"key\":\"g\",\"actor\":{\"type\":\"service\",\"id\":\"1\"}}",
         BRANT_DENIED);
}

/* What looks into an encrypted attribute is refused, and so is a type that would encrypt what an index is on. */
static void refuse(brant_db *db) {
    static const step looks[] = {
        {"nodes.count",
         "{\"graph\":\"v\",\"filter\":{\"$or\":[{\"type\":\"S\",\"attributes.s.x\":1}]}}"},
        {"nodes.list", "{\"graph\":\"v\",\"order_by\":\"attributes.s\"}"},
        {"indexes.create",
         "{\"graph_type\":\"v\",\"node_type\":\"S\",\"paths\":[\"attributes.s\"]}"},
        {"graph_types.migrate",
         "{\"name\":\"v\",\"patches\":{\"S\":[{\"op\":\"copy\",\"from\":\"/s\","
         "\"path\":\"/n\"}]}}"},
    };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        call(db, looks[i][0], looks[i][1], BRANT_INVALID);
    call(db, "graph_types.update",
         "{\"name\":\"v\",\"version\":3,\"module\":{\"$id\":\"v\",\"$defs\":{\"SNode\":{"
         "\"properties\":{\"n\":{\"x-encrypted\":true}}},\"UEdge\":true}}}",
         BRANT_CONSTRAINT);
}

static void listen_to_all(brant_db *db) {
    brant_cursor *cursor = cursor_of(db, "events.listen", "{\"channels\":[\"*\"]}");
    look(cursor, 0, "a listener's first look");
    call(db, "events.notify", "{\"channel\":\"x\",\"payload\":{\"y\":[1,2.5,null]}}", BRANT_OK);
    call(db, "nodes.put", "{\"graph\":\"g\",\"key\":\"e\",\"type\":\"A\"}", BRANT_OK);
    look(cursor, 0, "a listener's look");
    brant_cursor_free(cursor);
}

static void watch_lock(brant_db *db) {
    brant_cursor *cursor = cursor_of(db, "locks.watch", "{\"name\":\"w\"}");
    for (int i = 0; cursor && i < 2; i++) {
        char *answer = NULL;
        size_t length = 0;
        look(cursor, 0, "a look at the lock");
        only_memory("locks.acquire", brant_lock_acquire(&answer, &length, db,
                                                        TEXT("{\"name\":\"w\",\"owner\":\"o\"}")));
        brant_free(answer);
    }
    brant_cursor_free(cursor);
}

/* The wait queue: two who sleep, one who is woken, one who leaves while the user's transaction is open, an earlier deadline, and the end of a lease. */
static void sleep_and_wake(brant_db *db) {
    brant_cursor *cursors[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        cursors[i] = cursor_of(db, "queues.watch", "{\"queue\":\"waited\"}");
        look(cursors[i], 0, "a sleeper's look");
    }
    call(db, "queues.enqueue", "{\"queue\":\"waited\",\"delay\":60000}", BRANT_OK);
    call(db, "queues.enqueue", "{\"queue\":\"waited\"}", BRANT_OK);
    for (int i = 0; i < 2; i++)
        look(cursors[i], 0, "a woken one's look");
    call(db, "queues.claim", "{\"queue\":\"waited\",\"lease\":30000}", BRANT_OK);
    for (int i = 0; i < 2; i++)
        look(cursors[i], 0, "a look again");
    call(db, "transaction.begin", "{}", BRANT_OK);
    call(db, "queues.enqueue", "{\"queue\":\"waited\"}", BRANT_OK);
    brant_cursor_free(cursors[0]);
    call(db, "transaction.commit", "{}", BRANT_OK);
    if (failures > 0) { /* that may not have come off */
        char *answer = NULL;
        size_t length = 0;
        const brant_status status =
            brant_call(&answer, &length, db, TEXT("transaction.rollback"), TEXT("{}"));
        assert_true(status == BRANT_OK || status == BRANT_MISUSE || status == BRANT_NO_MEMORY);
        brant_free(answer);
    }
    brant_cursor_free(cursors[1]);
    call(db, "queues.delete", "{\"queue\":\"waited\",\"force\":true}", BRANT_OK);
}

static void subscribe(brant_db *db) {
    brant_cursor *cursor = cursor_of(
        db, "streams.subscribe", "{\"stream\":\"s\",\"consumer\":\"x\",\"keys\":[\"m\",\"n\"]}");
    look(cursor, 0, "a subscription's look");
    brant_cursor_free(cursor);
    cursor = cursor_of(db, "consumers.watch", "{\"stream\":\"u\",\"group\":\"g\"}");
    look(cursor, 0, "a look at the group");
    brant_cursor_free(cursor);
}

static void run_schedules(brant_db *db) {
    brant_cursor *cursor = cursor_of(db, "schedules.run", "{}");
    look(cursor, 5, "a run");
    brant_cursor_free(cursor);
    char *answer = NULL;
    size_t length = 0;
    only_memory("schedules.delete",
                brant_schedule_delete(&answer, &length, db, TEXT("{\"name\":\"e\"}")));
    brant_free(answer);
}

/* By the checkpoint of now. */
static void prune_audit(brant_db *db) {
    char *checkpoint = NULL, input[1024];
    size_t length = 0;
    only_memory("audit.checkpoint", brant_audit_checkpoint(&checkpoint, &length, db, "", 0));
    if (!checkpoint) return;
    snprintf(input, sizeof input, "{\"through\":2,\"checkpoint\":%s}", checkpoint);
    brant_free(checkpoint);
    call(db, "audit.prune", input, BRANT_OK);
    call(db, "audit.verify", "{}", BRANT_OK);
}

static void walk(brant_db *db) {
    brant_cursor *cursor = cursor_of(db, "nodes.walk", "{\"graph\":\"g\",\"keys\":[\"a\"]}");
    look(cursor, -1, "a walk");
    brant_cursor_free(cursor);
}

static void run_frame(brant_db *db, const frame *asked) {
    char *answer = NULL;
    size_t length = 0;
    judge("sql.run", brant_sql_run(&answer, &length, db, asked->bytes, asked->length), BRANT_OK);
    brant_free(answer);
}

/* SQL in frames: values by name in a batch, types, a script, a query in parts. */
static void run_sql(brant_db *db) {
    frame asked = request(BRANT_SQL_BATCH | BRANT_SQL_DESCRIBE, 0,
                          "SELECT :a AS a, $b AS b, key FROM nodes WHERE :a <> key", 2);
    for (int i = 0; i < 2; i++) {
        put_run(&asked, 2, 1);
        put_bytes(&asked, "a", 1);
        put_text(&asked, "text");
        put_bytes(&asked, "b", 1);
        put_blob(&asked, "bytes", 5);
    }
    run_frame(db, &asked);
    asked = request(BRANT_SQL_SCRIPT, 0, "SELECT ?; SELECT 1", 1);
    put_run(&asked, 1, 0);
    put_float(&asked, 0.5);
    run_frame(db, &asked);
    call(db, "transaction.begin", "{}", BRANT_OK);
    asked = request(0, 1, "SELECT ?, key FROM nodes UNION ALL SELECT 1, 2", 1);
    put_run(&asked, 1, 0);
    put_blob(&asked, "bytes", 5);
    run_frame(db, &asked);
    call(db, "transaction.commit", "{}", BRANT_OK);
}

/* ---- invitations and keys: what their tokens open -------- */

#define INVITER  UUID("c1")
#define INVITED  UUID("c2")
#define INVITING UUID("c3")

typedef struct made {
    char token[128]; /* "": it was not made */
    char id[40];
} made;

static void member(char *out, size_t size, const char *answer, const char *begin) {
    const char *at = answer ? strstr(answer, begin) : NULL;
    out[0] = '\0';
    if (at) snprintf(out, size, "%.*s", (int)strcspn(at + strlen(begin), "\""), at + strlen(begin));
}

static made make(brant_db *db, const char *operation, const char *input) {
    char *answer = NULL;
    size_t length = 0;
    made found;
    judge(operation, brant_call(&answer, &length, db, TEXT(operation), TEXT(input)), BRANT_OK);
    member(found.token, sizeof found.token, answer, "\"token\":\"");
    member(found.id, sizeof found.id, answer, "\"id\":\"");
    brant_free(answer);
    return found;
}

/* With a text of what was made, where it was. */
static void call_of(brant_db *db, const char *operation, const char *name, const char *text,
                    const char *more, brant_status wanted) {
    char input[512];
    if (!text[0]) return;
    snprintf(input, sizeof input, "{\"%s\":\"%s\"%s}", name, text, more);
    call(db, operation, input, wanted);
}

static void invite(brant_db *db) {
    call(db, "accounts.create", "{\"id\":\"" INVITER "\",\"email\":\"inviter@example.com\"}",
         BRANT_OK);
    call(db, "accounts.create", "{\"id\":\"" INVITED "\",\"email\":\"invited@example.com\"}",
         BRANT_OK);
    call(db, "organizations.create",
         "{\"id\":\"" INVITING "\",\"slug\":\"inviting\",\"name\":\"A\",\"owner_id\":\"" INVITER
         "\"}",
         BRANT_OK);
    const made first =
        make(db, "invitations.create",
             "{\"org_id\":\"" INVITING "\",\"email\":\"invited@example.com\",\"actor\":{"
             "\"id\":\"" INVITER "\",\"reason\":\"r\"}}");
    call_of(db, "invitations.get", "id", first.id, "", BRANT_OK);
    call_of(db, "invitations.reject", "token", first.token, "", BRANT_OK);
    const made second = make(db, "invitations.create",
                             "{\"org_id\":\"" INVITING "\",\"email\":\"invited@example.com\"}");
    call_of(db, "invitations.cancel", "id", second.id, "", BRANT_OK);
    const made third = make(db, "invitations.create",
                            "{\"org_id\":\"" INVITING "\",\"email\":\"invited@example.com\"}");
    call_of(db, "invitations.accept", "token", third.token, ",\"account_id\":\"" INVITED "\"",
            BRANT_OK);
    call(db, "invitations.list", "{\"filter\":{\"status\":\"accepted\"}}", BRANT_OK);
}

static void keep_keys(brant_db *db) {
    const made key =
        make(db, "api_keys.create",
             "{\"owner_id\":\"" INVITED "\",\"org_id\":\"" INVITING
             "\",\"name\":\"k\",\"scopes\":[\"nodes:write\",\"*:read\"],\"actor\":{\"id\":"
             "\"" INVITER "\"}}");
    call_of(db, "api_keys.verify", "token", key.token, "", BRANT_OK);
    call_of(db, "auth.authenticate", "token", key.token, "", BRANT_OK);
    call_of(db, "api_keys.get", "id", key.id, "", BRANT_OK);
    call_of(db, "api_keys.rotate", "id", key.id, ",\"overlap\":0", BRANT_OK);
    call_of(db, "api_keys.verify", "token", key.token, "", BRANT_AUTH);
    call_of(db, "api_keys.revoke", "id", key.id, "", BRANT_OK);
    call(db, "api_keys.import",
         "{\"owner_id\":\"" INVITED "\",\"name\":\"old\",\"scopes\":[\"a:b\"],\"hash\":"
         "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
         BRANT_OK);
    call(db, "api_keys.verify", "{\"token\":\"not of ours\"}", BRANT_AUTH);
    call(db, "api_keys.list", "{\"filter\":{\"active\":true}}", BRANT_OK);
}

/* A session whose scopes, resources and principal are all asked, one in it, and what it hears. */
static void hold_session(brant_db *db) {
    static const char who[] =
        "{\"id\":\"x\",\"scopes\":[\"nodes:*\",\"events:*\",\"graphs:read\",\"graphs:write\","
        "\"streams:*\"],"
        "\"resources\":{\"graph:g\":[\"read\",\"write\"]},\"principal\":\"p\"}";
    brant_db *session = NULL, *inner = NULL;
    call(db, "graph_types.define",
         "{\"name\":\"owned\",\"module\":{\"$defs\":{\"ANode\":{\"type\":\"object\"}}}}", BRANT_OK);
    call(db, "graphs.create",
         "{\"name\":\"his\",\"graph_type\":\"owned\",\"owner_id\":\"y\",\"changes\":true}",
         BRANT_OK);
    only_memory("session", brant_session_open(&session, db, TEXT(who)));
    if (!session) return;
    only_memory("a session in it",
                brant_session_open(&inner, session, TEXT("{\"id\":\"x\",\"scopes\":[]}")));
    call(session, "nodes.list", "{\"graph\":\"g\"}", BRANT_OK);
    call(session, "edges.list", "{\"graph\":\"g\"}", BRANT_OK);
    call(session, "nodes.list", "{\"graph\":\"his\"}", BRANT_NOT_FOUND);
    call(session, "graphs.list", "{}", BRANT_OK);
    call(session, "graphs.create", "{\"name\":\"mine\",\"graph_type\":\"owned\"}", BRANT_OK);
    call(session, "graphs.update", "{\"name\":\"mine\",\"owner_id\":null}", BRANT_OK);
    call(session, "streams.list", "{}", BRANT_OK);
    call(session, "queues.list", "{}", BRANT_DENIED);
    call(session, "types.owned.A.get", "{\"graph\":\"mine\",\"key\":\"k\"}", BRANT_NOT_FOUND);
    if (inner) call(inner, "nodes.list", "{\"graph\":\"g\"}", BRANT_DENIED);
    brant_cursor *cursor = cursor_of(session, "events.listen", "{\"channels\":[\"*\"]}");
    call(db, "nodes.put", "{\"graph\":\"his\",\"key\":\"k\",\"type\":\"A\"}", BRANT_OK);
    look(cursor, 0, "a session's look");
    brant_cursor_free(cursor);
    brant_db_free(session);
    brant_db_free(inner);
}

/* ---- the book ---------------------------------------------------------------------------------- */

/*
 * A chapter is played on the file as the chapters before it left it, by a handle of its own, once for each allocation that fails: what the others do is
 * not repeated for it. `opening`: what may fail begins with the opening of the handle, not after it.
 */
typedef struct chapter {
    const char *name;
    const step *steps;
    size_t count;
    void (*play)(brant_db *db);
    bool opening;
} chapter;

#define CALLS(steps) {#steps, steps, sizeof(steps) / sizeof *(steps), NULL, false}
#define PLAY(play)   {#play, NULL, 0, play, false}

static const chapter chapters[] = {
    {"a new file", NULL, 0, NULL, true},
    CALLS(rows),
    CALLS(limits),
    CALLS(schedules),
    CALLS(transaction),
    CALLS(indexes),
    CALLS(algorithms),
    CALLS(exchange),
    CALLS(changes),
    CALLS(calls),
    CALLS(history),
    CALLS(removal),
    CALLS(evolution),
    CALLS(streams),
    CALLS(stream_reads),
    CALLS(queues),
    CALLS(secrets),
    CALLS(secret_types),
    CALLS(access_rows),
    CALLS(access_graph),
    CALLS(audit),
    CALLS(identity),
    CALLS(access_writes),
    CALLS(access_endings),
    CALLS(upkeep),
    PLAY(prune_audit),
    PLAY(judge_actor),
    PLAY(refuse),
    PLAY(listen_to_all),
    PLAY(watch_lock),
    PLAY(sleep_and_wake),
    PLAY(subscribe),
    PLAY(run_schedules),
    PLAY(walk),
    PLAY(invite),
    PLAY(keep_keys),
    PLAY(hold_session),
    PLAY(run_sql),
    {"a file that is there", NULL, 0, NULL, true},
};
enum { CHAPTERS = sizeof chapters / sizeof *chapters };

/* The file before a chapter, and what its clock showed then. No bytes: there is no file yet. */
typedef struct page {
    char *bytes;
    size_t length;
    int64_t now;
} page;

/* A clock of which each look takes 3 ms: what is due, and which ids jobs get, is the same on a slow machine. */
static int64_t look_at_clock(void *context) {
    int64_t *now = context;
    return *now += 3;
}

static void play(const chapter *this, const char *path, int64_t *now, long n) {
    brant_db *db = NULL;
    brant_cursor *cursor = NULL;
    const brant_sources sources = {.now = look_at_clock, .context = now};
    chapter_name = this->name;
    allocation = n;
    failures = 0;
    countdown = this->opening ? n : -1;
    only_memory("open", brant_open_with(&db, TEXT(path), TEXT("{\"busy_timeout\":50}"), &sources));
    if (db) {
        only_memory("keyring_load",
                    brant_keyring_load(
                        db, TEXT("{\"keys\":[{\"version\":1,\"key\":"
                                 "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"},{\"purpose\":"
                                 "\"pepper\",\"version\":1,\"key\":"
                                 "\"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM\"},{\"purpose\":"
                                 "\"audit\",\"version\":1,\"key\":"
                                 "\"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\"}]}")));
        /* One who listens throughout: what is written is told to it. */
        cursor = cursor_of(db, "events.listen", "{\"channels\":[\"*\"]}");
        countdown = this->opening ? countdown : n;
        for (size_t i = 0; i < this->count; i++)
            call(db, this->steps[i][0], this->steps[i][1], BRANT_OK);
        if (this->play) this->play(db);
        look(cursor, 0, "the listener's look");
    }
    brant_cursor_free(cursor);
    brant_db_free(db);
    countdown = -1;
}

static void read_page(page *out, const char *path, int64_t now) {
    struct stat file;
    FILE *in = fopen(path, "rb");
    *out = (page){.now = now};
    if (!in) return;
    assert_int_equal(fstat(fileno(in), &file), 0);
    out->length = (size_t)file.st_size;
    out->bytes = malloc(out->length);
    assert_non_null(out->bytes);
    assert_int_equal(fread(out->bytes, 1, out->length, in), out->length);
    fclose(in);
}

static void write_page(const page *of, const char *path) {
    if (!of->bytes) return;
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(of->bytes, 1, of->length, out), of->length);
    assert_int_equal(fclose(out), 0);
}

static void must_be_a_good_file(const char *path) {
    brant_db *db = must_open(path, "");
    must_be_well(db);
    brant_db_free(db);
}

/* The whole life once, where nothing fails: the file before each chapter. A closed file is whole without its log. */
static void write_book(page pages[CHAPTERS], const char *path) {
    int64_t now = INT64_C(1800000000000);
    for (int i = 0; i < CHAPTERS; i++) {
        read_page(&pages[i], path, now);
        play(&chapters[i], path, &now, -1);
    }
    must_be_a_good_file(path);
    unlink(path);
}

static void test_every_allocation_fails_once(void **state) {
    (void)state;
    char *folder = make_folder_in_memory();
    char *path = strdup(in_folder(folder, "a.db"));
    page pages[CHAPTERS];
    const char *step_text = getenv("BRANT_MEMORY_STEP");
    /* 1: each; the default run takes some, from a different one each time */
    const long every = step_text ? atol(step_text) : 41;
    long tried = 0, all = 0;
    write_book(pages, path);
    for (int i = 0; i < CHAPTERS; i++) {
        long n = every > 1 ? (long)(getpid() + i) % every : 0;
        for (;; n += every) {
            int64_t now = pages[i].now;
            write_page(&pages[i], path);
            play(&chapters[i], path, &now, n);
            const bool failed = failures > 0;
            must_be_a_good_file(path);
            unlink(path);
            if (!failed) break;
            tried++;
        }
        all += n;
        free(pages[i].bytes);
    }
    print_message("%ld allocations failed of about %ld, every %ld-th\n", tried, all, every);
    assert_true(tried > all / every / 2 && all > 20000);
    free(path);
    remove_folder(folder);
}

/* ---- without any memory from some moment on --------------------------------------------------------- */

static int64_t count_of(brant_db *db, const char *pattern) {
    char query[128];
    snprintf(query, sizeof query, "SELECT count(*) FROM nodes WHERE key LIKE '%s'", pattern);
    return number(db, query);
}

/* What an operation has done is taken back without memory: nothing of it is committed with the transaction that it stands in, and the handle is of use again when there is memory. */
static void test_nothing_is_left_half_done(void **state) {
    static const struct {
        int levels; /* of the user's transaction */
        enum {
            WARM,
            STALE, /* another has changed the schema: what was prepared is to be prepared anew */
            COLD,  /* the handle was just opened */
        } kept;
    } rounds[] = {{0, WARM},  {1, WARM},  {2, WARM}, {7, WARM}, {0, STALE},
                  {1, STALE}, {7, STALE}, {0, COLD}, {1, COLD}, {7, COLD}};
    const char *path = in_folder(*state, "a.db");
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        const int levels = rounds[i].levels;
        brant_db *db = must_open(path, ""), *other = must_open(path, "");
        if (i == 0) {
            must(db, "graph_types.define", "{\"module\":{\"$id\":\"t\",\"$defs\":{}}}", NULL);
            must(db, "graphs.create",
                 "{\"name\":\"g\",\"graph_type\":\"t\",\"changes\":true}", NULL);
        }
        failures = 1;
        for (allocation = 0; failures > 0; allocation += rounds[i].kept == WARM ? 1 : 3) {
            if (rounds[i].kept == STALE)
                must(other, "sql.execute",
                     allocation % 2 ? "{\"sql\":\"CREATE TABLE extra (x)\"}"
                                    : "{\"sql\":\"DROP TABLE IF EXISTS extra\"}",
                     NULL);
            if (rounds[i].kept == COLD) {
                brant_db_free(db);
                db = must_open(path, "");
            }
            char input[256], *answer = NULL;
            size_t length = 0;
            bool committed = true;
            for (int level = 0; level < levels; level++)
                must(db, "transaction.begin", "{}", NULL);
            snprintf(input, sizeof input,
                     "{\"graph\":\"g\",\"items\":[{\"key\":\"%zu/%ld/a\"},{\"key\":\"%zu/%ld/"
                     "b\"}]}",
                     i, allocation, i, allocation);
            failures = 0;
            lasting = true;
            countdown = allocation;
            const brant_status status =
                brant_call(&answer, &length, db, TEXT("nodes.put_many"), TEXT(input));
            countdown = -1;
            lasting = false;
            brant_free(answer);
            assert_true(status == BRANT_OK || status == BRANT_NO_MEMORY);
            assert_int_equal(brant_last_error()->code, status);
            for (int level = 0; level < levels; level++) {
                const brant_status ended =
                    brant_call(&answer, &length, db, TEXT("transaction.commit"), TEXT("{}"));
                brant_free(answer);
                committed = committed && ended == BRANT_OK;
                if (ended == BRANT_OK) continue;
                assert_int_equal(ended, BRANT_MISUSE); /* all of it was taken back */
                assert_int_equal(status, BRANT_NO_MEMORY);
                must(db, "transaction.rollback", "{}", NULL);
            }
            /* Nobody waits for it, but where all of it failed at once: then until the next call. */
            if (levels > 0) assert_true(sqlite3_get_autocommit(db->sqlite));
            snprintf(input, sizeof input, "%zu/%ld/%%", i, allocation);
            if (count_of(db, input) != (status == BRANT_OK ? 2 : 0))
                fail_msg("%d levels, allocation %ld: %s, and %lld of 2 are there", levels,
                         allocation, brant_status_name(status), (long long)count_of(db, input));
        }
        assert_true(allocation > 20);
        must(other, "sql.execute", "{\"sql\":\"DROP TABLE IF EXISTS extra\"}", NULL);
        brant_db_free(other);
        brant_db_free(db);
    }
}

/* A level is taken back alone, though one allocation of that fails, and what was done around it is committed; unless SQLite rolls all of it back by itself. */
static void test_one_want_takes_back_one_level(void **state) {
    brant_db *db = must_open(in_folder(*state, "a.db"), "");
    must(db, "sql.execute", "{\"sql\":\"CREATE TABLE done (allocation, level)\"}", NULL);
    long kept = 0;
    failures = 1;
    for (allocation = 0; failures > 0; allocation++) {
        char input[128], query[128], *answer = NULL;
        size_t length = 0;
        for (int level = 0; level < 2; level++) {
            must(db, "transaction.begin", "{}", NULL);
            snprintf(input, sizeof input, "{\"sql\":\"INSERT INTO done VALUES (%ld, %d)\"}",
                     allocation, level);
            must(db, "sql.execute", input, NULL);
        }
        failures = 0;
        countdown = allocation;
        const brant_status status =
            brant_call(&answer, &length, db, TEXT("transaction.rollback"), TEXT("{}"));
        countdown = -1;
        brant_free(answer);
        assert_true(status == BRANT_OK || status == BRANT_NO_MEMORY);
        assert_false(brant__transaction_stuck(db));
        if (brant__depth(db) > 1) must(db, "transaction.rollback", "{}", NULL);
        if (brant__transaction_lost(db)) {
            must(db, "transaction.rollback", "{}", NULL);
            continue;
        }
        must(db, "transaction.commit", "{}", NULL);
        snprintf(query, sizeof query,
                 "SELECT count(*) * 10 + sum(level) FROM done WHERE allocation = %ld", allocation);
        assert_int_equal(number(db, query), 10);
        kept++;
    }
    assert_true(allocation > 5 && kept > allocation / 2);
    brant_db_free(db);
}

int main(int count, char **arguments) {
    if (!failing_allocator_install()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test_setup_teardown(test_nothing_is_left_half_done, set_up_folder,
                                        tear_down_folder),
        cmocka_unit_test_setup_teardown(test_one_want_takes_back_one_level, set_up_folder,
                                        tear_down_folder),
    };
    if (count > 1) cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
