package brant

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"

	"github.com/brant-db/brant-go/internal/cbrant"
)

// operation is one operation of the registry, as this package runs it.
type operation struct {
	name string
	raw  cbrant.Operation // nil: by name (Call)
	way  way
}

// way says which connection an operation outside a transaction runs on.
type way int

const (
	read     way = iota // a reader
	write               // the writer, together with others' writes
	alone               // the writer, by itself
	readElse            // a reader; the writer when the reader may not, or knows no such thing
	apart               // a reader; where there is none, a connection beside, since it takes long
)

var (
	transactionBegin    = &operation{"transaction.begin", cbrant.Brant_transaction_begin, alone}
	transactionCommit   = &operation{"transaction.commit", cbrant.Brant_transaction_commit, alone}
	transactionRollback = &operation{"transaction.rollback", cbrant.Brant_transaction_rollback, alone}

	dbInfo     = &operation{"db.info", cbrant.Brant_db_info, read}
	dbDoctor   = &operation{"db.doctor", cbrant.Brant_db_doctor, apart}
	dbBackup   = &operation{"db.backup", cbrant.Brant_db_backup, apart}
	dbRestore  = &operation{"db.restore", cbrant.Brant_db_restore, alone}
	dbMaintain = &operation{"db.maintain", cbrant.Brant_db_maintain, alone}
	sqlExecute = &operation{"sql.execute", cbrant.Brant_sql_run, alone} // in frames
	sqlQuery   = &operation{"sql.execute", cbrant.Brant_sql_run, readElse}

	graphTypesDefine       = &operation{"graph_types.define", cbrant.Brant_graph_type_define, alone}
	graphTypesGet          = &operation{"graph_types.get", cbrant.Brant_graph_type_get, read}
	graphTypesList         = &operation{"graph_types.list", cbrant.Brant_graph_type_list, read}
	graphTypesDelete       = &operation{"graph_types.delete", cbrant.Brant_graph_type_delete, alone}
	graphTypesValidateNode = &operation{"graph_types.validate_node", cbrant.Brant_graph_type_validate_node, read}
	graphTypesValidateEdge = &operation{"graph_types.validate_edge", cbrant.Brant_graph_type_validate_edge, read}

	graphsCreate = &operation{"graphs.create", cbrant.Brant_graph_create, write}
	graphsGet    = &operation{"graphs.get", cbrant.Brant_graph_get, read}
	graphsList   = &operation{"graphs.list", cbrant.Brant_graph_list, read}
	graphsUpdate = &operation{"graphs.update", cbrant.Brant_graph_update, write}
	graphsDelete = &operation{"graphs.delete", cbrant.Brant_graph_delete, alone}

	nodesPut       = &operation{"nodes.put", cbrant.Brant_node_put, write}
	nodesPutMany   = &operation{"nodes.put_many", cbrant.Brant_node_put_many, write}
	nodesGet       = &operation{"nodes.get", cbrant.Brant_node_get, read}
	nodesGetMany   = &operation{"nodes.get_many", cbrant.Brant_node_get_many, read}
	nodesExists    = &operation{"nodes.exists", cbrant.Brant_node_exists, read}
	nodesCount     = &operation{"nodes.count", cbrant.Brant_node_count, read}
	nodesList      = &operation{"nodes.list", cbrant.Brant_node_list, read}
	nodesDelete    = &operation{"nodes.delete", cbrant.Brant_node_delete, write}
	nodesNeighbors = &operation{"nodes.neighbors", cbrant.Brant_node_neighbors, read}
	nodesClosure   = &operation{"nodes.closure", cbrant.Brant_node_closure, read}

	edgesPut     = &operation{"edges.put", cbrant.Brant_edge_put, write}
	edgesPutMany = &operation{"edges.put_many", cbrant.Brant_edge_put_many, write}
	edgesGet     = &operation{"edges.get", cbrant.Brant_edge_get, read}
	edgesExists  = &operation{"edges.exists", cbrant.Brant_edge_exists, read}
	edgesCount   = &operation{"edges.count", cbrant.Brant_edge_count, read}
	edgesList    = &operation{"edges.list", cbrant.Brant_edge_list, read}
	edgesDelete  = &operation{"edges.delete", cbrant.Brant_edge_delete, write}

	dbErase = &operation{"db.erase", cbrant.Brant_db_erase, alone}

	graphTypesUpdate       = &operation{"graph_types.update", cbrant.Brant_graph_type_update, alone}
	graphTypesDiff         = &operation{"graph_types.diff", cbrant.Brant_graph_type_diff, read}
	graphTypesCheck        = &operation{"graph_types.check", cbrant.Brant_graph_type_check, read}
	graphTypesMigrate      = &operation{"graph_types.migrate", cbrant.Brant_graph_type_migrate, alone}
	graphTypesMigration    = &operation{"graph_types.migration", cbrant.Brant_graph_type_migration, read}
	graphTypesSetRetention = &operation{"graph_types.set_retention", cbrant.Brant_graph_type_set_retention, alone}

	graphsPurge            = &operation{"graphs.purge", cbrant.Brant_graph_purge, alone}
	graphsShortestPath     = &operation{"graphs.shortest_path", cbrant.Brant_graph_shortest_path, read}
	graphsShortestPaths    = &operation{"graphs.shortest_paths", cbrant.Brant_graph_shortest_paths, read}
	graphsPaths            = &operation{"graphs.paths", cbrant.Brant_graph_paths, read}
	graphsCountWalks       = &operation{"graphs.count_walks", cbrant.Brant_graph_count_walks, read}
	graphsTopologicalOrder = &operation{"graphs.topological_order", cbrant.Brant_graph_topological_order, read}
	graphsFindCycle        = &operation{"graphs.find_cycle", cbrant.Brant_graph_find_cycle, read}
	graphsComponents       = &operation{"graphs.components", cbrant.Brant_graph_components, read}
	graphsSubgraph         = &operation{"graphs.subgraph", cbrant.Brant_graph_subgraph, read}
	graphsDegrees          = &operation{"graphs.degrees", cbrant.Brant_graph_degrees, read}
	graphsPageRank         = &operation{"graphs.pagerank", cbrant.Brant_graph_pagerank, read}
	graphsExport           = &operation{"graphs.export", cbrant.Brant_graph_export, read}
	graphsImport           = &operation{"graphs.import", cbrant.Brant_graph_import, alone}
	graphsArrays           = &operation{"graphs.arrays", cbrant.Brant_graph_arrays, read}

	indexesCreate = &operation{"indexes.create", cbrant.Brant_index_create, alone}
	indexesList   = &operation{"indexes.list", cbrant.Brant_index_list, read}
	indexesDelete = &operation{"indexes.delete", cbrant.Brant_index_delete, alone}

	nodesInsert     = &operation{"nodes.insert", cbrant.Brant_node_insert, write}
	nodesInsertMany = &operation{"nodes.insert_many", cbrant.Brant_node_insert_many, write}
	nodesPatch      = &operation{"nodes.patch", cbrant.Brant_node_patch, write}
	nodesPatchMany  = &operation{"nodes.patch_many", cbrant.Brant_node_patch_many, write}
	nodesDeleteMany = &operation{"nodes.delete_many", cbrant.Brant_node_delete_many, alone}
	nodesExplain    = &operation{"nodes.explain", cbrant.Brant_node_explain, read}
	nodesSearch     = &operation{"nodes.search", cbrant.Brant_node_search, read}

	edgesInsert     = &operation{"edges.insert", cbrant.Brant_edge_insert, write}
	edgesInsertMany = &operation{"edges.insert_many", cbrant.Brant_edge_insert_many, write}
	edgesPatch      = &operation{"edges.patch", cbrant.Brant_edge_patch, write}
	edgesPatchMany  = &operation{"edges.patch_many", cbrant.Brant_edge_patch_many, write}
	edgesDeleteMany = &operation{"edges.delete_many", cbrant.Brant_edge_delete_many, alone}
	edgesExplain    = &operation{"edges.explain", cbrant.Brant_edge_explain, read}
	edgesSearch     = &operation{"edges.search", cbrant.Brant_edge_search, read}

	operationsList = &operation{"operations.list", cbrant.Brant_operation_list, read}

	eventsNotify = &operation{"events.notify", cbrant.Brant_event_notify, write}

	queuesClaim       = &operation{"queues.claim", cbrant.Brant_queue_claim, write}
	queuesConfigure   = &operation{"queues.configure", cbrant.Brant_queue_configure, alone}
	queuesDelete      = &operation{"queues.delete", cbrant.Brant_queue_delete, alone}
	queuesDrain       = &operation{"queues.drain", cbrant.Brant_queue_drain, write}
	queuesEnqueue     = &operation{"queues.enqueue", cbrant.Brant_queue_enqueue, write}
	queuesEnqueueMany = &operation{"queues.enqueue_many", cbrant.Brant_queue_enqueue_many, write}
	queuesGet         = &operation{"queues.get", cbrant.Brant_queue_get, read}
	queuesList        = &operation{"queues.list", cbrant.Brant_queue_list, read}
	queuesPause       = &operation{"queues.pause", cbrant.Brant_queue_pause, write}
	queuesPrune       = &operation{"queues.prune", cbrant.Brant_queue_prune, alone}
	queuesResume      = &operation{"queues.resume", cbrant.Brant_queue_resume, write}
	queuesStats       = &operation{"queues.stats", cbrant.Brant_queue_stats, read}

	jobsAck           = &operation{"jobs.ack", cbrant.Brant_job_ack, write}
	jobsAckMany       = &operation{"jobs.ack_many", cbrant.Brant_job_ack_many, write}
	jobsCancel        = &operation{"jobs.cancel", cbrant.Brant_job_cancel, write}
	jobsDelete        = &operation{"jobs.delete", cbrant.Brant_job_delete, write}
	jobsFail          = &operation{"jobs.fail", cbrant.Brant_job_fail, write}
	jobsGet           = &operation{"jobs.get", cbrant.Brant_job_get, read}
	jobsHeartbeat     = &operation{"jobs.heartbeat", cbrant.Brant_job_heartbeat, write}
	jobsHeartbeatMany = &operation{"jobs.heartbeat_many", cbrant.Brant_job_heartbeat_many, write}
	jobsList          = &operation{"jobs.list", cbrant.Brant_job_list, read}
	jobsRelease       = &operation{"jobs.release", cbrant.Brant_job_release, write}
	jobsRequeue       = &operation{"jobs.requeue", cbrant.Brant_job_requeue, write}
	jobsRequeueMany   = &operation{"jobs.requeue_many", cbrant.Brant_job_requeue_many, alone}
	jobsSnooze        = &operation{"jobs.snooze", cbrant.Brant_job_snooze, write}
	jobsUpdate        = &operation{"jobs.update", cbrant.Brant_job_update, write}

	streamsCompact     = &operation{"streams.compact", cbrant.Brant_stream_compact, alone}
	streamsConfigure   = &operation{"streams.configure", cbrant.Brant_stream_configure, alone}
	streamsDelete      = &operation{"streams.delete", cbrant.Brant_stream_delete, alone}
	streamsGet         = &operation{"streams.get", cbrant.Brant_stream_get, read}
	streamsLatest      = &operation{"streams.latest", cbrant.Brant_stream_latest, read}
	streamsList        = &operation{"streams.list", cbrant.Brant_stream_list, read}
	streamsPublish     = &operation{"streams.publish", cbrant.Brant_stream_publish, write}
	streamsPublishMany = &operation{"streams.publish_many", cbrant.Brant_stream_publish_many, write}
	streamsRead        = &operation{"streams.read", cbrant.Brant_stream_read, read}
	streamsStats       = &operation{"streams.stats", cbrant.Brant_stream_stats, read}
	streamsTrim        = &operation{"streams.trim", cbrant.Brant_stream_trim, alone}

	consumersAck     = &operation{"consumers.ack", cbrant.Brant_consumer_ack, write}
	consumersClaim   = &operation{"consumers.claim", cbrant.Brant_consumer_claim, write}
	consumersCommit  = &operation{"consumers.commit", cbrant.Brant_consumer_commit, write}
	consumersDelete  = &operation{"consumers.delete", cbrant.Brant_consumer_delete, write}
	consumersExtend  = &operation{"consumers.extend", cbrant.Brant_consumer_extend, write}
	consumersGet     = &operation{"consumers.get", cbrant.Brant_consumer_get, read}
	consumersList    = &operation{"consumers.list", cbrant.Brant_consumer_list, read}
	consumersRelease = &operation{"consumers.release", cbrant.Brant_consumer_release, write}
	consumersSeek    = &operation{"consumers.seek", cbrant.Brant_consumer_seek, write}

	locksAcquire = &operation{"locks.acquire", cbrant.Brant_lock_acquire, write}
	locksBreak   = &operation{"locks.break", cbrant.Brant_lock_break, write}
	locksGet     = &operation{"locks.get", cbrant.Brant_lock_get, read}
	locksList    = &operation{"locks.list", cbrant.Brant_lock_list, read}
	locksRefresh = &operation{"locks.refresh", cbrant.Brant_lock_refresh, write}
	locksRelease = &operation{"locks.release", cbrant.Brant_lock_release, write}

	rateLimitsList  = &operation{"rate_limits.list", cbrant.Brant_rate_limit_list, read}
	rateLimitsPeek  = &operation{"rate_limits.peek", cbrant.Brant_rate_limit_peek, read}
	rateLimitsReset = &operation{"rate_limits.reset", cbrant.Brant_rate_limit_reset, write}
	rateLimitsTake  = &operation{"rate_limits.take", cbrant.Brant_rate_limit_take, write}

	schedulesDelete  = &operation{"schedules.delete", cbrant.Brant_schedule_delete, write}
	schedulesGet     = &operation{"schedules.get", cbrant.Brant_schedule_get, read}
	schedulesList    = &operation{"schedules.list", cbrant.Brant_schedule_list, read}
	schedulesNext    = &operation{"schedules.next", cbrant.Brant_schedule_next, read}
	schedulesPause   = &operation{"schedules.pause", cbrant.Brant_schedule_pause, write}
	schedulesResume  = &operation{"schedules.resume", cbrant.Brant_schedule_resume, write}
	schedulesSet     = &operation{"schedules.set", cbrant.Brant_schedule_set, write}
	schedulesTick    = &operation{"schedules.tick", cbrant.Brant_schedule_tick, write}
	schedulesTrigger = &operation{"schedules.trigger", cbrant.Brant_schedule_trigger, write}

	callsProject = &operation{"calls.project", cbrant.Brant_call_project, alone}
	callsPublish = &operation{"calls.publish", cbrant.Brant_call_publish, write}

	eventsChannels     = &operation{"events.channels", cbrant.Brant_event_channels, read}
	eventsSetRetention = &operation{"events.set_retention", cbrant.Brant_event_set_retention, write}

	graphsChanges = &operation{"graphs.changes", cbrant.Brant_graph_changes, read}
	graphsDiff    = &operation{"graphs.diff", cbrant.Brant_graph_diff, read}
	graphsReplay  = &operation{"graphs.replay", cbrant.Brant_graph_replay, alone}

	dbMetrics = &operation{"db.metrics", cbrant.Brant_db_metrics, read}

	keyringInfo = &operation{"keyring.info", cbrant.Brant_keyring_info, read}

	envelopesOpen   = &operation{"envelopes.open", cbrant.Brant_envelope_open, read}
	envelopesRewrap = &operation{"envelopes.rewrap", cbrant.Brant_envelope_rewrap, read}
	envelopesSeal   = &operation{"envelopes.seal", cbrant.Brant_envelope_seal, read}

	nodesOpenSecret = &operation{"nodes.open_secret", cbrant.Brant_node_open_secret, read}
	edgesOpenSecret = &operation{"edges.open_secret", cbrant.Brant_edge_open_secret, read}
	secretsRotate   = &operation{"secrets.rotate", cbrant.Brant_secret_rotate, alone}
	secretsStatus   = &operation{"secrets.status", cbrant.Brant_secret_status, read}

	tenantsApply            = &operation{"tenants.apply", cbrant.Brant_tenant_apply, apart}
	tenantsBackup           = &operation{"tenants.backup", cbrant.Brant_tenant_backup, apart}
	tenantsDelegate         = &operation{"tenants.delegate", cbrant.Brant_tenant_delegate, apart}
	tenantsDelegations      = &operation{"tenants.delegations", cbrant.Brant_tenant_delegations, read}
	tenantsGet              = &operation{"tenants.get", cbrant.Brant_tenant_get, read}
	tenantsList             = &operation{"tenants.list", cbrant.Brant_tenant_list, read}
	tenantsMaintain         = &operation{"tenants.maintain", cbrant.Brant_tenant_maintain, apart}
	tenantsMigrate          = &operation{"tenants.migrate", cbrant.Brant_tenant_migrate, apart}
	tenantsRestore          = &operation{"tenants.restore", cbrant.Brant_tenant_restore, apart}
	tenantsRevokeDelegation = &operation{"tenants.revoke_delegation", cbrant.Brant_tenant_revoke_delegation, apart}
	tenantsStats            = &operation{"tenants.stats", cbrant.Brant_tenant_stats, read}

	accountsCreate     = &operation{"accounts.create", cbrant.Brant_account_create, write}
	accountsDeactivate = &operation{"accounts.deactivate", cbrant.Brant_account_deactivate, write}
	accountsDelete     = &operation{"accounts.delete", cbrant.Brant_account_delete, write}
	accountsFind       = &operation{"accounts.find", cbrant.Brant_account_find, read}
	accountsGet        = &operation{"accounts.get", cbrant.Brant_account_get, read}
	accountsList       = &operation{"accounts.list", cbrant.Brant_account_list, read}
	accountsReactivate = &operation{"accounts.reactivate", cbrant.Brant_account_reactivate, write}
	accountsUpdate     = &operation{"accounts.update", cbrant.Brant_account_update, write}

	organizationsCreate   = &operation{"organizations.create", cbrant.Brant_organization_create, write}
	organizationsDelete   = &operation{"organizations.delete", cbrant.Brant_organization_delete, alone}
	organizationsGet      = &operation{"organizations.get", cbrant.Brant_organization_get, read}
	organizationsList     = &operation{"organizations.list", cbrant.Brant_organization_list, read}
	organizationsResume   = &operation{"organizations.resume", cbrant.Brant_organization_resume, write}
	organizationsSuspend  = &operation{"organizations.suspend", cbrant.Brant_organization_suspend, write}
	organizationsTransfer = &operation{"organizations.transfer", cbrant.Brant_organization_transfer, write}
	organizationsUpdate   = &operation{"organizations.update", cbrant.Brant_organization_update, write}

	membersAdd      = &operation{"members.add", cbrant.Brant_member_add, write}
	membersGet      = &operation{"members.get", cbrant.Brant_member_get, read}
	membersLeave    = &operation{"members.leave", cbrant.Brant_member_leave, write}
	membersList     = &operation{"members.list", cbrant.Brant_member_list, read}
	membersRemove   = &operation{"members.remove", cbrant.Brant_member_remove, write}
	membersResume   = &operation{"members.resume", cbrant.Brant_member_resume, write}
	membersSetLevel = &operation{"members.set_level", cbrant.Brant_member_set_level, write}
	membersSuspend  = &operation{"members.suspend", cbrant.Brant_member_suspend, write}

	invitationsAccept = &operation{"invitations.accept", cbrant.Brant_invitation_accept, write}
	invitationsCancel = &operation{"invitations.cancel", cbrant.Brant_invitation_cancel, write}
	invitationsCreate = &operation{"invitations.create", cbrant.Brant_invitation_create, write}
	invitationsGet    = &operation{"invitations.get", cbrant.Brant_invitation_get, read}
	invitationsList   = &operation{"invitations.list", cbrant.Brant_invitation_list, read}
	invitationsReject = &operation{"invitations.reject", cbrant.Brant_invitation_reject, write}

	apiKeysCreate = &operation{"api_keys.create", cbrant.Brant_api_key_create, write}
	apiKeysGet    = &operation{"api_keys.get", cbrant.Brant_api_key_get, read}
	apiKeysImport = &operation{"api_keys.import", cbrant.Brant_api_key_import, write}
	apiKeysList   = &operation{"api_keys.list", cbrant.Brant_api_key_list, read}
	apiKeysRevoke = &operation{"api_keys.revoke", cbrant.Brant_api_key_revoke, write}
	apiKeysRotate = &operation{"api_keys.rotate", cbrant.Brant_api_key_rotate, write}
	apiKeysVerify = &operation{"api_keys.verify", cbrant.Brant_api_key_verify, read}

	authAuthenticate = &operation{"auth.authenticate", cbrant.Brant_auth_authenticate, read}

	auditAppend       = &operation{"audit.append", cbrant.Brant_audit_append, write}
	auditCheckpoint   = &operation{"audit.checkpoint", cbrant.Brant_audit_checkpoint, read}
	auditCheckpoints  = &operation{"audit.checkpoints", cbrant.Brant_audit_checkpoints, read}
	auditEraseSubject = &operation{"audit.erase_subject", cbrant.Brant_audit_erase_subject, alone}
	auditExport       = &operation{"audit.export", cbrant.Brant_audit_export, apart}
	auditGet          = &operation{"audit.get", cbrant.Brant_audit_get, read}
	auditKeep         = &operation{"audit.keep", cbrant.Brant_audit_keep, write}
	auditList         = &operation{"audit.list", cbrant.Brant_audit_list, read}
	auditProve        = &operation{"audit.prove", cbrant.Brant_audit_prove, read}
	auditPrune        = &operation{"audit.prune", cbrant.Brant_audit_prune, alone}
	auditVerify       = &operation{"audit.verify", cbrant.Brant_audit_verify, apart}

	accessAssign       = &operation{"access.assign", cbrant.Brant_access_assign, write}
	accessCheck        = &operation{"access.check", cbrant.Brant_access_check, read}
	accessCheckMany    = &operation{"access.check_many", cbrant.Brant_access_check_many, read}
	accessDelegate     = &operation{"access.delegate", cbrant.Brant_access_delegate, write}
	accessDeny         = &operation{"access.deny", cbrant.Brant_access_deny, write}
	accessExpand       = &operation{"access.expand", cbrant.Brant_access_expand, read}
	accessExplain      = &operation{"access.explain", cbrant.Brant_access_explain, read}
	accessGrant        = &operation{"access.grant", cbrant.Brant_access_grant, write}
	accessListObjects  = &operation{"access.list_objects", cbrant.Brant_access_list_objects, read}
	accessListSubjects = &operation{"access.list_subjects", cbrant.Brant_access_list_subjects, read}
	accessPut          = &operation{"access.put", cbrant.Brant_access_put, write}
	accessRemove       = &operation{"access.remove", cbrant.Brant_access_remove, write}
	accessRevoke       = &operation{"access.revoke", cbrant.Brant_access_revoke, write}
	accessSeed         = &operation{"access.seed", cbrant.Brant_access_seed, alone}
	accessSetParent    = &operation{"access.set_parent", cbrant.Brant_access_set_parent, write}
	accessSync         = &operation{"access.sync", cbrant.Brant_access_sync, alone}
)

// runner is a DB or a Tx: what runs operations.
type runner interface {
	run(ctx context.Context, op *operation, out *cbrant.Result, input string) error
	// on gives the connection that reads are on to a short call that is no operation.
	on(ctx context.Context, call func(*connection) error) error
}

// do runs an operation and decodes its answer. It frees the input.
func do[T any](ctx context.Context, r runner, op *operation, in *input) (T, error) {
	var answer T
	return answer, doInto(ctx, r, op, in, &answer)
}

func doInto(ctx context.Context, r runner, op *operation, in *input, answer any) error {
	defer in.free()
	if in.err != nil {
		return in.err
	}
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := r.run(ctx, op, out, in.done()); err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	if err := decode(out.Bytes(), answer); err != nil {
		return unreadable(err)
	}
	return nil
}

// OperationType says what kind of thing an operation is.
type OperationType string

// The types of operations.
const (
	Query        OperationType = "query"
	Mutation     OperationType = "mutation"
	Subscription OperationType = "subscription"
)

// Operation describes one operation of brant as data; schemas are JSON Schema 2020-12. For a subscription the output schema is that of
// one item.
type Operation struct {
	Name           string          `json:"name"`
	Namespace      string          `json:"namespace"`
	Type           OperationType   `json:"type"`
	Title          string          `json:"title"`
	Description    string          `json:"description"`
	InputSchema    json.RawMessage `json:"input_schema"`
	OutputSchema   json.RawMessage `json:"output_schema"`
	RequiredScopes []string        `json:"required_scopes"`
	Errors         []string        `json:"errors"`
	Files          string          `json:"files,omitempty"` // "read" or "write": of a path on this machine
}

// Operations lists every operation by name, or those of the given namespaces ("nodes", "events").
func Operations(namespaces ...string) ([]Operation, error) {
	all, err := registry()
	if err != nil {
		return nil, err
	}
	chosen := make([]Operation, 0, len(all))
	for _, op := range all {
		wanted := len(namespaces) == 0
		for _, namespace := range namespaces {
			wanted = wanted || op.Namespace == namespace
		}
		if wanted {
			chosen = append(chosen, op)
		}
	}
	return chosen, nil
}

// Operations lists the operations of the types of a graph type, by name: types.<graph type>.<type>.<verb>, for Call. Their input schemas
// have the types' own schemas. ErrNotFound: no such graph type.
func (g GraphTypes) Operations(ctx context.Context, name string) ([]Operation, error) {
	answer, err := do[struct {
		Items []Operation `json:"items"`
	}](ctx, g.r, operationsList, newInput().text("graph_type", name))
	return answer.Items, err
}

var registry = sync.OnceValues(func() ([]Operation, error) {
	out := results.Get().(*cbrant.Result)
	defer freeResult(out)
	if err := cbrant.Brant_operation_list(out, 0, noInput); err != nil {
		return nil, fromC(err)
	}
	var answer struct {
		Items []Operation `json:"items"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, unreadable(err)
	}
	return answer.Items, nil
})

// mutations are the names of the registry's mutations.
var mutations = sync.OnceValues(func() (map[string]bool, error) {
	all, err := registry()
	names := make(map[string]bool, len(all))
	for i := range all {
		if all[i].Type == Mutation {
			names[all[i].Name] = true
		}
	}
	return names, err
})

const typed = "types."

// byName is what Call runs for a name of the registry, or of nothing: then the core says so.
func byName(name string) (*operation, error) {
	if strings.HasPrefix(name, "transaction.") {
		return nil, failf(ErrMisuse, "%s belongs to Tx, View and Begin", name)
	}
	op := &operation{name: name, way: read}
	if strings.HasPrefix(name, typed) {
		switch name[strings.LastIndexByte(name, '.')+1:] {
		case "delete", "insert", "patch", "put":
			op.way = write
		}
		return op, nil
	}
	writes, err := mutations()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "tenants.") {
		op.way = apart
	} else if writes[name] || name == dbInfo.name { // what db.info says of the mode is the connection's
		op.way = alone
	}
	return op, nil
}

// Version is the version of the C library, "0.1.0".
func Version() string { return cbrant.Brant_version() }

// Subscribe opens a subscription by its name in the registry ("events.listen", "streams.subscribe") for those who hand it on: its items are the core's JSON. input is anything
// that encoding/json writes as an object, or JSON text as json.RawMessage. Listen, Stream.Subscribe and the like are made for programs.
func (db *DB) Subscribe(ctx context.Context, name string, input any) (*Watch[json.RawMessage], error) {
	text, ok := input.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(input); err != nil {
			return nil, &Error{Code: ErrInvalid, Message: "the value cannot be written as JSON: " + err.Error(), Detail: noDetail, cause: err}
		}
	}
	open := func(cursor *uintptr, handle uintptr, json string) error {
		return cbrant.Brant_call_open(cursor, handle, name, json)
	}
	defer runtime.KeepAlive(db)
	s, err := db.engine.root().events.subscribe(ctx, db.engine, open, string(text))
	if err != nil {
		return nil, err
	}
	w := &Watch[json.RawMessage]{db: db, subscription: s}
	runtime.AddCleanup(w, (*subscription).close, s)
	return w, nil
}
