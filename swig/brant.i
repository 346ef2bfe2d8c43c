/*
 * brant.i: the one interface that every language's raw module is generated from. A language's file has typemaps, one for each
 * parameter shape of the public headers, and no logic. The raw module keeps the C names.
 */
%module(threads="1") cbrant

%{
#include "brant.h"
%}

/* What blocks, reads much or writes releases the interpreter's lock; the rest is shorter than the release. */
%feature("nothread", "1");
%feature("nothread", "0") brant_open;
%feature("nothread", "0") brant_close;
%feature("nothread", "0") brant_cursor_next;
%feature("nothread", "0") brant_cursor_close;
%feature("nothread", "0") brant_call;
%feature("nothread", "0") brant_call_open;
%feature("nothread", "0") brant_transaction_begin;
%feature("nothread", "0") brant_transaction_commit;
%feature("nothread", "0") brant_sql_execute;
%feature("nothread", "0") brant_sql_run;
%feature("nothread", "0") brant_db_doctor;
%feature("nothread", "0") brant_db_backup;
%feature("nothread", "0") brant_db_restore;
%feature("nothread", "0") brant_db_maintain;
%feature("nothread", "0") brant_graph_type_define;
%feature("nothread", "0") brant_graph_type_delete;
%feature("nothread", "0") brant_graph_type_check;
%feature("nothread", "0") brant_graph_type_diff;
%feature("nothread", "0") brant_graph_type_migrate;
%feature("nothread", "0") brant_graph_type_update;
%feature("nothread", "0") brant_module_cast;
%feature("nothread", "0") brant_module_diff;
%feature("nothread", "0") brant_module_patch;
%feature("nothread", "0") brant_module_types;
%feature("nothread", "0") brant_module_validate_edge;
%feature("nothread", "0") brant_module_validate_node;
%feature("nothread", "0") brant_graph_create;
%feature("nothread", "0") brant_graph_update;
%feature("nothread", "0") brant_graph_delete;
%feature("nothread", "0") brant_node_put;
%feature("nothread", "0") brant_node_put_many;
%feature("nothread", "0") brant_node_list;
%feature("nothread", "0") brant_node_get_many;
%feature("nothread", "0") brant_node_delete;
%feature("nothread", "0") brant_node_closure;
%feature("nothread", "0") brant_edge_put;
%feature("nothread", "0") brant_edge_put_many;
%feature("nothread", "0") brant_edge_list;
%feature("nothread", "0") brant_edge_delete;
%feature("nothread", "0") brant_graph_type_set_retention;
%feature("nothread", "0") brant_graph_purge;
%feature("nothread", "0") brant_graph_shortest_path;
%feature("nothread", "0") brant_graph_shortest_paths;
%feature("nothread", "0") brant_graph_paths;
%feature("nothread", "0") brant_graph_count_walks;
%feature("nothread", "0") brant_graph_topological_order;
%feature("nothread", "0") brant_graph_find_cycle;
%feature("nothread", "0") brant_graph_components;
%feature("nothread", "0") brant_graph_subgraph;
%feature("nothread", "0") brant_graph_degrees;
%feature("nothread", "0") brant_graph_pagerank;
%feature("nothread", "0") brant_graph_export;
%feature("nothread", "0") brant_graph_import;
%feature("nothread", "0") brant_graph_arrays;
%feature("nothread", "0") brant_index_create;
%feature("nothread", "0") brant_index_delete;
%feature("nothread", "0") brant_db_erase;
%feature("nothread", "0") brant_node_insert;
%feature("nothread", "0") brant_node_open_secret;
%feature("nothread", "0") brant_node_insert_many;
%feature("nothread", "0") brant_node_patch;
%feature("nothread", "0") brant_node_patch_many;
%feature("nothread", "0") brant_node_delete_many;
%feature("nothread", "0") brant_node_search;
%feature("nothread", "0") brant_node_walk;
%feature("nothread", "0") brant_node_count;
%feature("nothread", "0") brant_node_neighbors;
%feature("nothread", "0") brant_edge_insert;
%feature("nothread", "0") brant_edge_open_secret;
%feature("nothread", "0") brant_edge_insert_many;
%feature("nothread", "0") brant_edge_patch;
%feature("nothread", "0") brant_edge_patch_many;
%feature("nothread", "0") brant_edge_delete_many;
%feature("nothread", "0") brant_edge_search;
%feature("nothread", "0") brant_edge_count;
%feature("nothread", "0") brant_event_notify;
%feature("nothread", "0") brant_event_listen;
%feature("nothread", "0") brant_lock_acquire;
%feature("nothread", "0") brant_lock_refresh;
%feature("nothread", "0") brant_lock_release;
%feature("nothread", "0") brant_lock_break;
%feature("nothread", "0") brant_lock_get;
%feature("nothread", "0") brant_lock_list;
%feature("nothread", "0") brant_lock_watch;
%feature("nothread", "0") brant_rate_limit_take;
%feature("nothread", "0") brant_rate_limit_peek;
%feature("nothread", "0") brant_rate_limit_reset;
%feature("nothread", "0") brant_rate_limit_list;
%feature("nothread", "0") brant_audit_append;
%feature("nothread", "0") brant_audit_checkpoint;
%feature("nothread", "0") brant_audit_checkpoints;
%feature("nothread", "0") brant_audit_erase_subject;
%feature("nothread", "0") brant_audit_export;
%feature("nothread", "0") brant_audit_get;
%feature("nothread", "0") brant_audit_keep;
%feature("nothread", "0") brant_audit_list;
%feature("nothread", "0") brant_audit_prove;
%feature("nothread", "0") brant_audit_prune;
%feature("nothread", "0") brant_audit_verify;
%feature("nothread", "0") brant_call_project;
%feature("nothread", "0") brant_call_publish;
%feature("nothread", "0") brant_consumer_ack;
%feature("nothread", "0") brant_consumer_claim;
%feature("nothread", "0") brant_consumer_commit;
%feature("nothread", "0") brant_consumer_delete;
%feature("nothread", "0") brant_consumer_extend;
%feature("nothread", "0") brant_consumer_get;
%feature("nothread", "0") brant_consumer_list;
%feature("nothread", "0") brant_consumer_release;
%feature("nothread", "0") brant_consumer_seek;
%feature("nothread", "0") brant_consumer_watch;
%feature("nothread", "0") brant_db_metrics;
%feature("nothread", "0") brant_envelope_open;
%feature("nothread", "0") brant_envelope_rewrap;
%feature("nothread", "0") brant_envelope_seal;
%feature("nothread", "0") brant_event_channels;
%feature("nothread", "0") brant_event_set_retention;
%feature("nothread", "0") brant_graph_changes;
%feature("nothread", "0") brant_graph_diff;
%feature("nothread", "0") brant_graph_replay;
%feature("nothread", "0") brant_job_ack;
%feature("nothread", "0") brant_job_ack_many;
%feature("nothread", "0") brant_job_cancel;
%feature("nothread", "0") brant_job_cancels;
%feature("nothread", "0") brant_job_delete;
%feature("nothread", "0") brant_job_fail;
%feature("nothread", "0") brant_job_get;
%feature("nothread", "0") brant_job_heartbeat;
%feature("nothread", "0") brant_job_heartbeat_many;
%feature("nothread", "0") brant_job_list;
%feature("nothread", "0") brant_job_release;
%feature("nothread", "0") brant_job_requeue;
%feature("nothread", "0") brant_job_requeue_many;
%feature("nothread", "0") brant_job_snooze;
%feature("nothread", "0") brant_job_update;
%feature("nothread", "0") brant_job_watch;
%feature("nothread", "0") brant_keyring_derive;
%feature("nothread", "0") brant_keyring_load;
%feature("nothread", "0") brant_queue_claim;
%feature("nothread", "0") brant_queue_configure;
%feature("nothread", "0") brant_queue_delete;
%feature("nothread", "0") brant_queue_drain;
%feature("nothread", "0") brant_queue_enqueue;
%feature("nothread", "0") brant_queue_enqueue_many;
%feature("nothread", "0") brant_queue_get;
%feature("nothread", "0") brant_queue_list;
%feature("nothread", "0") brant_queue_pause;
%feature("nothread", "0") brant_queue_prune;
%feature("nothread", "0") brant_queue_resume;
%feature("nothread", "0") brant_queue_stats;
%feature("nothread", "0") brant_queue_watch;
%feature("nothread", "0") brant_schedule_delete;
%feature("nothread", "0") brant_schedule_get;
%feature("nothread", "0") brant_schedule_list;
%feature("nothread", "0") brant_schedule_next;
%feature("nothread", "0") brant_schedule_pause;
%feature("nothread", "0") brant_schedule_resume;
%feature("nothread", "0") brant_schedule_run;
%feature("nothread", "0") brant_schedule_set;
%feature("nothread", "0") brant_schedule_tick;
%feature("nothread", "0") brant_schedule_trigger;
%feature("nothread", "0") brant_secret_rotate;
%feature("nothread", "0") brant_secret_status;
%feature("nothread", "0") brant_stream_compact;
%feature("nothread", "0") brant_stream_configure;
%feature("nothread", "0") brant_stream_delete;
%feature("nothread", "0") brant_stream_get;
%feature("nothread", "0") brant_stream_latest;
%feature("nothread", "0") brant_stream_list;
%feature("nothread", "0") brant_stream_stats;
%feature("nothread", "0") brant_stream_subscribe;
%feature("nothread", "0") brant_stream_trim;
%feature("nothread", "0") brant_stream_publish;
%feature("nothread", "0") brant_stream_publish_many;
%feature("nothread", "0") brant_stream_read;
%feature("nothread", "0") brant_access_assign;
%feature("nothread", "0") brant_access_check;
%feature("nothread", "0") brant_access_check_many;
%feature("nothread", "0") brant_access_delegate;
%feature("nothread", "0") brant_access_deny;
%feature("nothread", "0") brant_access_expand;
%feature("nothread", "0") brant_access_explain;
%feature("nothread", "0") brant_access_grant;
%feature("nothread", "0") brant_access_list_objects;
%feature("nothread", "0") brant_access_list_subjects;
%feature("nothread", "0") brant_access_put;
%feature("nothread", "0") brant_access_remove;
%feature("nothread", "0") brant_access_revoke;
%feature("nothread", "0") brant_access_seed;
%feature("nothread", "0") brant_access_set_parent;
%feature("nothread", "0") brant_access_sync;
%feature("nothread", "0") brant_account_create;
%feature("nothread", "0") brant_account_deactivate;
%feature("nothread", "0") brant_account_delete;
%feature("nothread", "0") brant_account_find;
%feature("nothread", "0") brant_account_get;
%feature("nothread", "0") brant_account_list;
%feature("nothread", "0") brant_account_reactivate;
%feature("nothread", "0") brant_account_update;
%feature("nothread", "0") brant_api_key_create;
%feature("nothread", "0") brant_api_key_get;
%feature("nothread", "0") brant_api_key_import;
%feature("nothread", "0") brant_api_key_list;
%feature("nothread", "0") brant_api_key_revoke;
%feature("nothread", "0") brant_api_key_rotate;
%feature("nothread", "0") brant_api_key_verify;
%feature("nothread", "0") brant_auth_authenticate;
%feature("nothread", "0") brant_hub_acquire;
%feature("nothread", "0") brant_hub_authenticate;
%feature("nothread", "0") brant_hub_close;
%feature("nothread", "0") brant_hub_keyring_load;
%feature("nothread", "0") brant_hub_keyring_unload;
%feature("nothread", "0") brant_hub_open;
%feature("nothread", "0") brant_hub_release;
%feature("nothread", "0") brant_invitation_accept;
%feature("nothread", "0") brant_invitation_cancel;
%feature("nothread", "0") brant_invitation_create;
%feature("nothread", "0") brant_invitation_get;
%feature("nothread", "0") brant_invitation_list;
%feature("nothread", "0") brant_invitation_reject;
%feature("nothread", "0") brant_member_add;
%feature("nothread", "0") brant_member_get;
%feature("nothread", "0") brant_member_leave;
%feature("nothread", "0") brant_member_list;
%feature("nothread", "0") brant_member_remove;
%feature("nothread", "0") brant_member_resume;
%feature("nothread", "0") brant_member_set_level;
%feature("nothread", "0") brant_member_suspend;
%feature("nothread", "0") brant_organization_create;
%feature("nothread", "0") brant_organization_delete;
%feature("nothread", "0") brant_organization_get;
%feature("nothread", "0") brant_organization_list;
%feature("nothread", "0") brant_organization_resume;
%feature("nothread", "0") brant_organization_suspend;
%feature("nothread", "0") brant_organization_transfer;
%feature("nothread", "0") brant_organization_update;
%feature("nothread", "0") brant_session_open;
%feature("nothread", "0") brant_tenant_apply;
%feature("nothread", "0") brant_tenant_backup;
%feature("nothread", "0") brant_tenant_delegate;
%feature("nothread", "0") brant_tenant_delegations;
%feature("nothread", "0") brant_tenant_get;
%feature("nothread", "0") brant_tenant_list;
%feature("nothread", "0") brant_tenant_maintain;
%feature("nothread", "0") brant_tenant_migrate;
%feature("nothread", "0") brant_tenant_restore;
%feature("nothread", "0") brant_tenant_revoke_delegation;
%feature("nothread", "0") brant_tenant_stats;

/* For C hosts only: function pointers do not cross. The error record is read inside the failing call (the status typemap). */
%ignore brant_open_with;
%ignore brant_allocator_set;
%ignore brant_sources;
%ignore brant_allocator;
%ignore brant_last_error;
%ignore brant_error;
%ignore brant_free;
/* Finalisers call these; a language never does by hand. */
%ignore brant_db_free;
%ignore brant_hub_free;
%ignore brant_cursor_free;
%ignore brant_validator_free;

#define BRANT_API

#if defined(SWIGPYTHON)
%include "python.i"
#elif defined(SWIGJAVASCRIPT)
%include "node.i"
#elif defined(SWIGGO)
%include "go.i"
#endif

%include "brant/base.h"
%include "brant/store.h"
%include "brant/graph.h"
%include "brant/identity.h"
%include "brant/traversal.h"
%include "brant/module.h"
%include "brant/audit.h"
%include "brant/call.h"
%include "brant/crypto.h"
%include "brant/event.h"
%include "brant/exchange.h"
%include "brant/queue.h"
%include "brant/lock.h"
%include "brant/access.h"
%include "brant/hub.h"
%include "brant/schedule.h"
%include "brant/secret.h"
%include "brant/session.h"
%include "brant/stream.h"
%include "brant/operation.h"
%include "brant/validator.h"
