/*
 * operation/table.h: each operation's names, once.
 *
 * X(public C function, handler, registry name, kind, transaction): the spec of the same registry name stands in core/operations/<namespace>.json.
 * `transaction`: SELF where the handler keeps its own, OWN where the call wraps it in one of its kind, PURE where there is none and no handle
 * is needed: call->db may be NULL.
 */
#ifndef BRANT__OPERATION_TABLE_H
#define BRANT__OPERATION_TABLE_H

#define BRANT__OPERATION_LIST(X)                                                                   \
    X(brant_access_assign, brant__access_assign, "access.assign", MUTATION, OWN)                   \
    X(brant_access_check, brant__access_check, "access.check", QUERY, OWN)                         \
    X(brant_access_check_many, brant__access_check_many, "access.check_many", QUERY, OWN)          \
    X(brant_access_delegate, brant__access_delegate, "access.delegate", MUTATION, OWN)             \
    X(brant_access_deny, brant__access_deny, "access.deny", MUTATION, OWN)                         \
    X(brant_access_expand, brant__access_expand, "access.expand", QUERY, OWN)                      \
    X(brant_access_explain, brant__access_explain, "access.explain", QUERY, OWN)                   \
    X(brant_access_grant, brant__access_grant, "access.grant", MUTATION, OWN)                      \
    X(brant_access_list_objects, brant__access_list_objects, "access.list_objects", QUERY, OWN)    \
    X(brant_access_list_subjects, brant__access_list_subjects, "access.list_subjects", QUERY, OWN) \
    X(brant_access_put, brant__access_put, "access.put", MUTATION, OWN)                            \
    X(brant_access_remove, brant__access_remove, "access.remove", MUTATION, OWN)                   \
    X(brant_access_revoke, brant__access_revoke, "access.revoke", MUTATION, OWN)                   \
    X(brant_access_seed, brant__access_seed, "access.seed", MUTATION, OWN)                         \
    X(brant_access_set_parent, brant__access_set_parent, "access.set_parent", MUTATION, OWN)       \
    X(brant_access_sync, brant__access_sync, "access.sync", MUTATION, OWN)                         \
    X(brant_account_create, brant__accounts_create, "accounts.create", MUTATION, OWN)              \
    X(brant_account_deactivate, brant__accounts_deactivate, "accounts.deactivate", MUTATION, OWN)  \
    X(brant_account_delete, brant__accounts_delete, "accounts.delete", MUTATION, OWN)              \
    X(brant_account_find, brant__accounts_find, "accounts.find", QUERY, OWN)                       \
    X(brant_account_get, brant__accounts_get, "accounts.get", QUERY, OWN)                          \
    X(brant_account_list, brant__accounts_list, "accounts.list", QUERY, OWN)                       \
    X(brant_account_reactivate, brant__accounts_reactivate, "accounts.reactivate", MUTATION, OWN)  \
    X(brant_account_update, brant__accounts_update, "accounts.update", MUTATION, OWN)              \
    X(brant_api_key_create, brant__api_keys_create, "api_keys.create", MUTATION, OWN)              \
    X(brant_api_key_get, brant__api_keys_get, "api_keys.get", QUERY, OWN)                          \
    X(brant_api_key_import, brant__api_keys_import, "api_keys.import", MUTATION, OWN)              \
    X(brant_api_key_list, brant__api_keys_list, "api_keys.list", QUERY, OWN)                       \
    X(brant_api_key_revoke, brant__api_keys_revoke, "api_keys.revoke", MUTATION, OWN)              \
    X(brant_api_key_rotate, brant__api_keys_rotate, "api_keys.rotate", MUTATION, OWN)              \
    X(brant_api_key_verify, brant__api_keys_verify, "api_keys.verify", QUERY, SELF)                \
    X(brant_audit_append, brant__audit_append_operation, "audit.append", MUTATION, OWN)            \
    X(brant_audit_checkpoint, brant__audit_checkpoint, "audit.checkpoint", QUERY, OWN)             \
    X(brant_audit_checkpoints, brant__audit_checkpoints, "audit.checkpoints", QUERY, OWN)          \
    X(brant_audit_erase_subject, brant__audit_erase_subject, "audit.erase_subject", MUTATION,      \
      SELF)                                                                                        \
    X(brant_audit_export, brant__audit_export, "audit.export", QUERY, OWN)                         \
    X(brant_audit_get, brant__audit_get, "audit.get", QUERY, OWN)                                  \
    X(brant_audit_keep, brant__audit_keep, "audit.keep", MUTATION, OWN)                            \
    X(brant_audit_list, brant__audit_list, "audit.list", QUERY, OWN)                               \
    X(brant_audit_prove, brant__audit_prove, "audit.prove", QUERY, OWN)                            \
    X(brant_audit_prune, brant__audit_prune, "audit.prune", MUTATION, OWN)                         \
    X(brant_audit_verify, brant__audit_verify, "audit.verify", QUERY, OWN)                         \
    X(brant_auth_authenticate, brant__auth_authenticate, "auth.authenticate", QUERY, SELF)         \
    X(brant_call_project, brant__call_project, "calls.project", MUTATION, OWN)                     \
    X(brant_call_publish, brant__call_publish, "calls.publish", MUTATION, OWN)                     \
    X(brant_consumer_ack, brant__consumers_ack, "consumers.ack", MUTATION, OWN)                    \
    X(brant_consumer_claim, brant__consumers_claim, "consumers.claim", MUTATION, OWN)              \
    X(brant_consumer_commit, brant__consumers_commit, "consumers.commit", MUTATION, OWN)           \
    X(brant_consumer_delete, brant__consumers_delete, "consumers.delete", MUTATION, OWN)           \
    X(brant_consumer_extend, brant__consumers_extend, "consumers.extend", MUTATION, OWN)           \
    X(brant_consumer_get, brant__consumers_get, "consumers.get", QUERY, OWN)                       \
    X(brant_consumer_list, brant__consumers_list, "consumers.list", QUERY, OWN)                    \
    X(brant_consumer_release, brant__consumers_release, "consumers.release", MUTATION, OWN)        \
    X(brant_consumer_seek, brant__consumers_seek, "consumers.seek", MUTATION, OWN)                 \
    X(brant_db_backup, brant__db_backup, "db.backup", QUERY, SELF)                                 \
    X(brant_db_doctor, brant__db_doctor, "db.doctor", QUERY, OWN)                                  \
    X(brant_db_erase, brant__db_erase, "db.erase", MUTATION, SELF)                                 \
    X(brant_db_info, brant__db_info, "db.info", QUERY, OWN)                                        \
    X(brant_db_maintain, brant__db_maintain, "db.maintain", MUTATION, SELF)                        \
    X(brant_db_metrics, brant__db_metrics, "db.metrics", QUERY, OWN)                               \
    X(brant_db_restore, brant__event_restore, "db.restore", MUTATION, SELF)                        \
    X(brant_edge_count, brant__edge_count, "edges.count", QUERY, OWN)                              \
    X(brant_edge_delete, brant__edge_delete, "edges.delete", MUTATION, OWN)                        \
    X(brant_edge_delete_many, brant__edge_delete_many, "edges.delete_many", MUTATION, OWN)         \
    X(brant_edge_exists, brant__edge_exists, "edges.exists", QUERY, OWN)                           \
    X(brant_edge_explain, brant__edge_explain, "edges.explain", QUERY, OWN)                        \
    X(brant_edge_get, brant__edge_get, "edges.get", QUERY, OWN)                                    \
    X(brant_edge_insert, brant__edge_insert, "edges.insert", MUTATION, OWN)                        \
    X(brant_edge_insert_many, brant__edge_insert_many, "edges.insert_many", MUTATION, OWN)         \
    X(brant_edge_list, brant__edge_list, "edges.list", QUERY, OWN)                                 \
    X(brant_edge_open_secret, brant__edge_open_secret, "edges.open_secret", QUERY, OWN)            \
    X(brant_edge_patch, brant__edge_patch, "edges.patch", MUTATION, OWN)                           \
    X(brant_edge_patch_many, brant__edge_patch_many, "edges.patch_many", MUTATION, OWN)            \
    X(brant_edge_put, brant__edge_put, "edges.put", MUTATION, OWN)                                 \
    X(brant_edge_put_many, brant__edge_put_many, "edges.put_many", MUTATION, OWN)                  \
    X(brant_edge_search, brant__edge_search, "edges.search", QUERY, OWN)                           \
    X(brant_envelope_open, brant__envelopes_open, "envelopes.open", QUERY, SELF)                   \
    X(brant_envelope_rewrap, brant__envelopes_rewrap, "envelopes.rewrap", QUERY, SELF)             \
    X(brant_envelope_seal, brant__envelopes_seal, "envelopes.seal", QUERY, SELF)                   \
    X(brant_event_channels, brant__event_channels, "events.channels", QUERY, OWN)                  \
    X(brant_event_notify, brant__event_notify, "events.notify", MUTATION, OWN)                     \
    X(brant_event_set_retention, brant__event_set_retention, "events.set_retention", MUTATION,     \
      OWN)                                                                                         \
    X(brant_graph_type_check, brant__graph_type_check, "graph_types.check", QUERY, OWN)            \
    X(brant_graph_type_define, brant__graph_type_define, "graph_types.define", MUTATION, OWN)      \
    X(brant_graph_type_delete, brant__graph_type_delete, "graph_types.delete", MUTATION, OWN)      \
    X(brant_graph_type_diff, brant__graph_type_diff, "graph_types.diff", QUERY, OWN)               \
    X(brant_graph_type_get, brant__graph_type_get, "graph_types.get", QUERY, OWN)                  \
    X(brant_graph_type_list, brant__graph_type_list, "graph_types.list", QUERY, OWN)               \
    X(brant_graph_type_migrate, brant__graph_type_migrate, "graph_types.migrate", MUTATION, SELF)  \
    X(brant_graph_type_migration, brant__graph_type_migration, "graph_types.migration", QUERY,     \
      OWN)                                                                                         \
    X(brant_graph_type_set_retention, brant__graph_type_set_retention,                             \
      "graph_types.set_retention", MUTATION, OWN)                                                  \
    X(brant_graph_type_update, brant__graph_type_update, "graph_types.update", MUTATION, OWN)      \
    X(brant_graph_type_validate_edge, brant__graph_type_validate_edge,                             \
      "graph_types.validate_edge", QUERY, OWN)                                                     \
    X(brant_graph_type_validate_node, brant__graph_type_validate_node,                             \
      "graph_types.validate_node", QUERY, OWN)                                                     \
    X(brant_graph_components, brant__graph_components, "graphs.components", QUERY, OWN)            \
    X(brant_graph_count_walks, brant__graph_count_walks, "graphs.count_walks", QUERY, OWN)         \
    X(brant_graph_arrays, brant__graph_arrays, "graphs.arrays", QUERY, OWN)                        \
    X(brant_graph_changes, brant__graph_changes, "graphs.changes", QUERY, OWN)                     \
    X(brant_graph_create, brant__graph_create, "graphs.create", MUTATION, OWN)                     \
    X(brant_graph_degrees, brant__graph_degrees, "graphs.degrees", QUERY, OWN)                     \
    X(brant_graph_diff, brant__graph_diff, "graphs.diff", QUERY, OWN)                              \
    X(brant_graph_delete, brant__graph_delete, "graphs.delete", MUTATION, OWN)                     \
    X(brant_graph_find_cycle, brant__graph_find_cycle, "graphs.find_cycle", QUERY, OWN)            \
    X(brant_graph_export, brant__graph_export, "graphs.export", QUERY, OWN)                        \
    X(brant_graph_get, brant__graph_get, "graphs.get", QUERY, OWN)                                 \
    X(brant_graph_import, brant__graph_import, "graphs.import", MUTATION, SELF)                    \
    X(brant_graph_list, brant__graph_list, "graphs.list", QUERY, OWN)                              \
    X(brant_graph_pagerank, brant__graph_pagerank, "graphs.pagerank", QUERY, OWN)                  \
    X(brant_graph_paths, brant__graph_paths, "graphs.paths", QUERY, OWN)                           \
    X(brant_graph_purge, brant__graph_purge, "graphs.purge", MUTATION, OWN)                        \
    X(brant_graph_replay, brant__graph_replay, "graphs.replay", MUTATION, OWN)                     \
    X(brant_graph_shortest_path, brant__graph_shortest_path, "graphs.shortest_path", QUERY, OWN)   \
    X(brant_graph_shortest_paths, brant__graph_shortest_paths, "graphs.shortest_paths", QUERY,     \
      OWN)                                                                                         \
    X(brant_graph_subgraph, brant__graph_subgraph, "graphs.subgraph", QUERY, OWN)                  \
    X(brant_graph_topological_order, brant__graph_topological_order, "graphs.topological_order",   \
      QUERY, OWN)                                                                                  \
    X(brant_graph_update, brant__graph_update, "graphs.update", MUTATION, OWN)                     \
    X(brant_identity_schemas, brant__identity_schemas, "identity.schemas", QUERY, PURE)            \
    X(brant_index_create, brant__index_create, "indexes.create", MUTATION, OWN)                    \
    X(brant_index_delete, brant__index_delete, "indexes.delete", MUTATION, OWN)                    \
    X(brant_index_list, brant__index_list, "indexes.list", QUERY, OWN)                             \
    X(brant_invitation_accept, brant__invitations_accept, "invitations.accept", MUTATION, OWN)     \
    X(brant_invitation_cancel, brant__invitations_cancel, "invitations.cancel", MUTATION, OWN)     \
    X(brant_invitation_create, brant__invitations_create, "invitations.create", MUTATION, OWN)     \
    X(brant_invitation_get, brant__invitations_get, "invitations.get", QUERY, OWN)                 \
    X(brant_invitation_list, brant__invitations_list, "invitations.list", QUERY, OWN)              \
    X(brant_invitation_reject, brant__invitations_reject, "invitations.reject", MUTATION, OWN)     \
    X(brant_job_ack, brant__job_ack, "jobs.ack", MUTATION, OWN)                                    \
    X(brant_job_ack_many, brant__job_ack_many, "jobs.ack_many", MUTATION, OWN)                     \
    X(brant_job_cancel, brant__job_cancel, "jobs.cancel", MUTATION, OWN)                           \
    X(brant_job_delete, brant__job_delete, "jobs.delete", MUTATION, OWN)                           \
    X(brant_job_fail, brant__job_fail, "jobs.fail", MUTATION, OWN)                                 \
    X(brant_job_get, brant__job_get, "jobs.get", QUERY, OWN)                                       \
    X(brant_job_heartbeat, brant__job_heartbeat, "jobs.heartbeat", MUTATION, OWN)                  \
    X(brant_job_heartbeat_many, brant__job_heartbeat_many, "jobs.heartbeat_many", MUTATION, OWN)   \
    X(brant_job_list, brant__job_list, "jobs.list", QUERY, OWN)                                    \
    X(brant_job_release, brant__job_release, "jobs.release", MUTATION, OWN)                        \
    X(brant_job_requeue, brant__job_requeue, "jobs.requeue", MUTATION, OWN)                        \
    X(brant_job_requeue_many, brant__job_requeue_many, "jobs.requeue_many", MUTATION, OWN)         \
    X(brant_job_snooze, brant__job_snooze, "jobs.snooze", MUTATION, OWN)                           \
    X(brant_job_update, brant__job_update, "jobs.update", MUTATION, OWN)                           \
    X(brant_keyring_derive, brant__keyring_derive, "keyring.derive", QUERY, PURE)                  \
    X(brant_keyring_generate, brant__keyring_generate, "keyring.generate", QUERY, PURE)            \
    X(brant_keyring_info, brant__keyring_info, "keyring.info", QUERY, SELF)                        \
    X(brant_lock_acquire, brant__locks_acquire, "locks.acquire", MUTATION, OWN)                    \
    X(brant_lock_break, brant__locks_break, "locks.break", MUTATION, OWN)                          \
    X(brant_lock_get, brant__locks_get, "locks.get", QUERY, OWN)                                   \
    X(brant_lock_list, brant__locks_list, "locks.list", QUERY, OWN)                                \
    X(brant_lock_refresh, brant__locks_refresh, "locks.refresh", MUTATION, OWN)                    \
    X(brant_lock_release, brant__locks_release, "locks.release", MUTATION, OWN)                    \
    X(brant_member_add, brant__members_add, "members.add", MUTATION, OWN)                          \
    X(brant_member_get, brant__members_get, "members.get", QUERY, OWN)                             \
    X(brant_member_leave, brant__members_leave, "members.leave", MUTATION, OWN)                    \
    X(brant_member_list, brant__members_list, "members.list", QUERY, OWN)                          \
    X(brant_member_remove, brant__members_remove, "members.remove", MUTATION, OWN)                 \
    X(brant_member_resume, brant__members_resume, "members.resume", MUTATION, OWN)                 \
    X(brant_member_set_level, brant__members_set_level, "members.set_level", MUTATION, OWN)        \
    X(brant_member_suspend, brant__members_suspend, "members.suspend", MUTATION, OWN)              \
    X(brant_module_cast, brant__module_cast, "modules.cast", QUERY, PURE)                          \
    X(brant_module_diff, brant__modules_diff, "modules.diff", QUERY, PURE)                         \
    X(brant_module_patch, brant__module_patch, "modules.patch", QUERY, PURE)                       \
    X(brant_module_types, brant__module_types, "modules.types", QUERY, PURE)                       \
    X(brant_module_validate_edge, brant__module_validate_edge, "modules.validate_edge", QUERY,     \
      PURE)                                                                                        \
    X(brant_module_validate_node, brant__module_validate_node, "modules.validate_node", QUERY,     \
      PURE)                                                                                        \
    X(brant_node_closure, brant__node_closure, "nodes.closure", QUERY, OWN)                        \
    X(brant_node_count, brant__node_count, "nodes.count", QUERY, OWN)                              \
    X(brant_node_delete, brant__node_delete, "nodes.delete", MUTATION, OWN)                        \
    X(brant_node_delete_many, brant__node_delete_many, "nodes.delete_many", MUTATION, OWN)         \
    X(brant_node_exists, brant__node_exists, "nodes.exists", QUERY, OWN)                           \
    X(brant_node_explain, brant__node_explain, "nodes.explain", QUERY, OWN)                        \
    X(brant_node_get, brant__node_get, "nodes.get", QUERY, OWN)                                    \
    X(brant_node_get_many, brant__node_get_many, "nodes.get_many", QUERY, OWN)                     \
    X(brant_node_insert, brant__node_insert, "nodes.insert", MUTATION, OWN)                        \
    X(brant_node_insert_many, brant__node_insert_many, "nodes.insert_many", MUTATION, OWN)         \
    X(brant_node_list, brant__node_list, "nodes.list", QUERY, OWN)                                 \
    X(brant_node_neighbors, brant__node_neighbors, "nodes.neighbors", QUERY, OWN)                  \
    X(brant_node_open_secret, brant__node_open_secret, "nodes.open_secret", QUERY, OWN)            \
    X(brant_node_patch, brant__node_patch, "nodes.patch", MUTATION, OWN)                           \
    X(brant_node_patch_many, brant__node_patch_many, "nodes.patch_many", MUTATION, OWN)            \
    X(brant_node_put, brant__node_put, "nodes.put", MUTATION, OWN)                                 \
    X(brant_node_put_many, brant__node_put_many, "nodes.put_many", MUTATION, OWN)                  \
    X(brant_node_search, brant__node_search, "nodes.search", QUERY, OWN)                           \
    X(brant_organization_create, brant__organizations_create, "organizations.create", MUTATION,    \
      OWN)                                                                                         \
    X(brant_organization_delete, brant__organizations_delete, "organizations.delete", MUTATION,    \
      OWN)                                                                                         \
    X(brant_organization_get, brant__organizations_get, "organizations.get", QUERY, OWN)           \
    X(brant_organization_list, brant__organizations_list, "organizations.list", QUERY, OWN)        \
    X(brant_organization_resume, brant__organizations_resume, "organizations.resume", MUTATION,    \
      OWN)                                                                                         \
    X(brant_organization_suspend, brant__organizations_suspend, "organizations.suspend", MUTATION, \
      OWN)                                                                                         \
    X(brant_organization_transfer, brant__organizations_transfer, "organizations.transfer",        \
      MUTATION, OWN)                                                                               \
    X(brant_organization_update, brant__organizations_update, "organizations.update", MUTATION,    \
      OWN)                                                                                         \
    X(brant_queue_claim, brant__queue_claim, "queues.claim", MUTATION, OWN)                        \
    X(brant_queue_configure, brant__queue_configure, "queues.configure", MUTATION, OWN)            \
    X(brant_queue_delete, brant__queue_delete, "queues.delete", MUTATION, OWN)                     \
    X(brant_queue_drain, brant__queue_drain, "queues.drain", MUTATION, OWN)                        \
    X(brant_queue_enqueue, brant__queue_enqueue, "queues.enqueue", MUTATION, OWN)                  \
    X(brant_queue_enqueue_many, brant__queue_enqueue_many, "queues.enqueue_many", MUTATION, OWN)   \
    X(brant_queue_get, brant__queue_get_one, "queues.get", QUERY, OWN)                             \
    X(brant_queue_list, brant__queue_list, "queues.list", QUERY, OWN)                              \
    X(brant_queue_pause, brant__queue_pause, "queues.pause", MUTATION, OWN)                        \
    X(brant_queue_prune, brant__queue_prune, "queues.prune", MUTATION, OWN)                        \
    X(brant_queue_resume, brant__queue_resume, "queues.resume", MUTATION, OWN)                     \
    X(brant_queue_stats, brant__queue_stats_show, "queues.stats", QUERY, OWN)                      \
    X(brant_rate_limit_list, brant__rate_limits_list, "rate_limits.list", QUERY, OWN)              \
    X(brant_rate_limit_peek, brant__rate_limits_peek, "rate_limits.peek", QUERY, OWN)              \
    X(brant_rate_limit_reset, brant__rate_limits_reset, "rate_limits.reset", MUTATION, OWN)        \
    X(brant_rate_limit_take, brant__rate_limits_take, "rate_limits.take", MUTATION, OWN)           \
    X(brant_schedule_delete, brant__schedules_delete, "schedules.delete", MUTATION, OWN)           \
    X(brant_schedule_get, brant__schedules_get, "schedules.get", QUERY, OWN)                       \
    X(brant_schedule_list, brant__schedules_list, "schedules.list", QUERY, OWN)                    \
    X(brant_schedule_next, brant__schedules_next, "schedules.next", QUERY, PURE)                   \
    X(brant_schedule_pause, brant__schedules_pause, "schedules.pause", MUTATION, OWN)              \
    X(brant_schedule_resume, brant__schedules_resume, "schedules.resume", MUTATION, OWN)           \
    X(brant_schedule_set, brant__schedules_set, "schedules.set", MUTATION, OWN)                    \
    X(brant_schedule_tick, brant__schedules_tick, "schedules.tick", MUTATION, OWN)                 \
    X(brant_schedule_trigger, brant__schedules_trigger, "schedules.trigger", MUTATION, OWN)        \
    X(brant_secret_rotate, brant__secret_rotate, "secrets.rotate", MUTATION, SELF)                 \
    X(brant_secret_status, brant__secret_status, "secrets.status", QUERY, OWN)                     \
    X(brant_sql_execute, brant__sql_execute, "sql.execute", MUTATION, SELF)                        \
    X(brant_stream_compact, brant__streams_compact, "streams.compact", MUTATION, OWN)              \
    X(brant_stream_configure, brant__streams_configure, "streams.configure", MUTATION, OWN)        \
    X(brant_stream_delete, brant__streams_delete, "streams.delete", MUTATION, OWN)                 \
    X(brant_stream_get, brant__streams_get, "streams.get", QUERY, OWN)                             \
    X(brant_stream_latest, brant__streams_latest, "streams.latest", QUERY, OWN)                    \
    X(brant_stream_list, brant__streams_list, "streams.list", QUERY, OWN)                          \
    X(brant_stream_publish, brant__streams_publish, "streams.publish", MUTATION, OWN)              \
    X(brant_stream_publish_many, brant__streams_publish_many, "streams.publish_many", MUTATION,    \
      OWN)                                                                                         \
    X(brant_stream_read, brant__streams_read, "streams.read", QUERY, OWN)                          \
    X(brant_stream_stats, brant__streams_stats, "streams.stats", QUERY, OWN)                       \
    X(brant_stream_trim, brant__streams_trim, "streams.trim", MUTATION, OWN)                       \
    X(brant_tenant_apply, brant__tenants_apply, "tenants.apply", MUTATION, SELF)                   \
    X(brant_tenant_backup, brant__tenants_backup, "tenants.backup", QUERY, SELF)                   \
    X(brant_tenant_delegate, brant__tenants_delegate, "tenants.delegate", MUTATION, SELF)          \
    X(brant_tenant_delegations, brant__tenants_delegations, "tenants.delegations", QUERY, OWN)     \
    X(brant_tenant_get, brant__tenants_get, "tenants.get", QUERY, OWN)                             \
    X(brant_tenant_list, brant__tenants_list, "tenants.list", QUERY, OWN)                          \
    X(brant_tenant_maintain, brant__tenants_maintain, "tenants.maintain", MUTATION, SELF)          \
    X(brant_tenant_migrate, brant__tenants_migrate, "tenants.migrate", MUTATION, SELF)             \
    X(brant_tenant_restore, brant__tenants_restore, "tenants.restore", MUTATION, SELF)             \
    X(brant_tenant_revoke_delegation, brant__tenants_revoke_delegation,                            \
      "tenants.revoke_delegation", MUTATION, SELF)                                                 \
    X(brant_tenant_stats, brant__tenants_stats, "tenants.stats", QUERY, OWN)                       \
    X(brant_transaction_begin, brant__transaction_begin, "transaction.begin", MUTATION, SELF)      \
    X(brant_transaction_commit, brant__transaction_commit, "transaction.commit", MUTATION, SELF)   \
    X(brant_transaction_rollback, brant__transaction_rollback, "transaction.rollback", MUTATION,   \
      SELF)

/* Subscriptions whose functions do all by themselves: X(public C function, registry name). */
#define BRANT__SUBSCRIPTION_LIST(X) X(brant_event_listen, "events.listen")

/*
 * And those whose input is read and checked like that of a query: X(public C function, opener, registry name, transaction). `transaction`: OWN where it is opened in a
 * read transaction, SELF where the opener keeps its own, since it writes.
 */
#define BRANT__CURSOR_LIST(X)                                                                      \
    X(brant_consumer_watch, brant__consumers_watch, "consumers.watch", SELF)                       \
    X(brant_job_cancels, brant__job_cancels, "jobs.cancels", OWN)                                  \
    X(brant_job_watch, brant__job_watch, "jobs.watch", OWN)                                        \
    X(brant_lock_watch, brant__locks_watch, "locks.watch", OWN)                                    \
    X(brant_node_walk, brant__node_walk, "nodes.walk", OWN)                                        \
    X(brant_queue_watch, brant__queue_watch, "queues.watch", OWN)                                  \
    X(brant_schedule_run, brant__schedules_run, "schedules.run", OWN)                              \
    X(brant_stream_subscribe, brant__streams_subscribe, "streams.subscribe", SELF)

enum { BRANT__QUERY, BRANT__MUTATION, BRANT__SUBSCRIPTION };

#endif
