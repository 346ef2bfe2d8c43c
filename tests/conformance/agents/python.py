#!/usr/bin/env python3
"""The agent of the conformance suite in Python: each operation by the package's public method. ../README.md is the protocol."""

import base64
import dataclasses
import json
import platform
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bindings" / "python"))

import brant  # noqa: E402


class UnknownOperation(Exception):
    pass


class RolledBack(Exception):
    """What `run_in_transaction` leaves the construct by."""


class Handle:
    def __init__(self, db, hub=None):
        self.db = db
        self.hub = hub
        self.transactions = []
        self.ring = None

    def close(self):
        (self.hub or self.db).close()

    def keyring(self, ring=None):
        if ring is not None:
            self.ring = self.db.keyring(ring)
        elif self.ring is not None:
            self.ring.close()
        elif isinstance(self.db, brant.Session):
            self.db.keyring(keys=[])  # it has no ring that could be taken away: what it cannot do is tell by this

    def begin(self, mode="write"):
        self.transactions.append(self.db.transaction(mode).begin())
        return {"depth": len(self.transactions)}

    def end(self, how):
        transaction = self.transactions[-1] if self.transactions else self.db.transaction()
        getattr(transaction, how)()
        self.transactions.pop()
        return {"depth": len(self.transactions)}


# Name -> call with the handle and the registry's members as keywords; Python's own TypeError refuses an unknown one.
OPERATIONS = {
    "db.info": lambda h: h.db.info(),
    "db.doctor": lambda h: h.db.doctor(),
    "db.backup": lambda h, **a: h.db.backup(**a),
    "db.restore": lambda h, **a: h.db.restore(**a),
    "db.maintain": lambda h: h.db.maintain(),
    "db.erase": lambda h, **a: h.db.erase(**a),
    "transaction.begin": lambda h, **a: h.begin(**a),
    "transaction.commit": lambda h: h.end("commit"),
    "transaction.rollback": lambda h: h.end("rollback"),
    "sql.execute": lambda h, **a: execute(h.db, **a),
    "operations.list": lambda h, **a: {"items": operations(h, **a)},
    "db.metrics": lambda h: {"text": h.db.metrics()},
    "events.notify": lambda h, **a: {"id": h.db.notify(**payload(a))},
    "events.channels": lambda h, **a: page(h.db.channels.list(**a)),
    "events.set_retention": lambda h, **a: h.db.channels.set_retention(**spans(a, "age")),
    "events.listen": lambda h, channels: h.db.listen(*channels),
    "graph_types.define": lambda h, **a: h.db.graph_types.define(**a),
    "graph_types.get": lambda h, **a: h.db.graph_types.get(**a),
    "graph_types.list": lambda h, **a: h.db.graph_types.list(**a),
    "graph_types.delete": lambda h, **a: {"deleted": h.db.graph_types.delete(**a) is None},
    "graph_types.validate_node": lambda h, **a: h.db.graph_types.validate_node(**a),
    "graph_types.validate_edge": lambda h, **a: h.db.graph_types.validate_edge(**a),
    "graph_types.diff": lambda h, **a: h.db.graph_types.diff(**a),
    "graph_types.update": lambda h, **a: h.db.graph_types.update(**a),
    "graph_types.check": lambda h, **a: h.db.graph_types.check(**a),
    "graph_types.migrate": lambda h, **a: migrate(h, **a),
    "graph_types.migration": lambda h, **a: h.db.graph_types.migration(**a),
    "graph_types.set_retention": lambda h, **a: h.db.graph_types.set_retention(**a),
    "modules.types": lambda h, **a: brant.modules.types(**a),
    "modules.validate_node": lambda h, **a: brant.modules.validate_node(**a),
    "modules.validate_edge": lambda h, **a: brant.modules.validate_edge(**a),
    "modules.diff": lambda h, **a: brant.modules.diff(**{"from_" if name == "from" else name: value for name, value in a.items()}),
    "modules.cast": lambda h, **a: brant.modules.cast(**a),
    "modules.patch": lambda h, **a: {"document": brant.modules.patch(**a)},
    "indexes.create": lambda h, **a: h.db.indexes.create(**a),
    "indexes.list": lambda h, **a: {"items": h.db.indexes.list(**a)},
    "indexes.delete": lambda h, **a: {"deleted": h.db.indexes.delete(**a) is None},
    "graphs.create": lambda h, **a: h.db.graphs.create(**a),
    "graphs.get": lambda h, **a: h.db.graphs.get(**a),
    "graphs.list": lambda h, **a: h.db.graphs.list(**a),
    "graphs.update": lambda h, **a: h.db.graphs.update(**a),
    "graphs.delete": lambda h, **a: {"deleted": True, **plain(h.db.graphs.delete(**a))},
    "graphs.purge": lambda h, **a: h.db.graphs.purge(**a),
    "graphs.shortest_path": lambda h, graph, **a: h.db.graph(graph).shortest_path(**a),
    "graphs.shortest_paths": lambda h, graph, **a: h.db.graph(graph).shortest_paths(**a),
    "graphs.paths": lambda h, graph, **a: h.db.graph(graph).paths(**a),
    "graphs.count_walks": lambda h, graph, **a: {"count": h.db.graph(graph).count_walks(**a)},
    "graphs.topological_order": lambda h, graph, **a: h.db.graph(graph).topological_order(**a),
    "graphs.find_cycle": lambda h, graph, **a: h.db.graph(graph).find_cycle(**a),
    "graphs.components": lambda h, graph, **a: h.db.graph(graph).components(**a),
    "graphs.subgraph": lambda h, graph, **a: h.db.graph(graph).subgraph(**a),
    "graphs.degrees": lambda h, graph, **a: h.db.graph(graph).degrees(**a),
    "graphs.pagerank": lambda h, graph, **a: h.db.graph(graph).pagerank(**a),
    "graphs.export": lambda h, graph, **a: export(h.db.graph(graph), **a),
    "graphs.import": lambda h, graph, **a: h.db.graph(graph).import_(**a),
    "graphs.arrays": lambda h, graph, **a: h.db.graph(graph).arrays(**a),
    "graphs.changes": lambda h, graph, **a: h.db.graph(graph).changes(**a),
    "graphs.diff": lambda h, graph, **a: h.db.graph(graph).diff(**renamed(a)),
    "graphs.replay": lambda h, graph, **a: h.db.graph(graph).replay(**a),
    "nodes.insert": lambda h, graph, **a: h.db.graph(graph).nodes.insert(**a),
    "nodes.insert_many": lambda h, graph, **a: h.db.graph(graph).nodes.insert_many(**a),
    "nodes.patch": lambda h, graph, **a: h.db.graph(graph).nodes.patch(**a),
    "nodes.patch_many": lambda h, graph, **a: h.db.graph(graph).nodes.patch_many(**a),
    "nodes.delete_many": lambda h, graph, **a: h.db.graph(graph).nodes.delete_many(**a),
    "nodes.explain": lambda h, graph, **a: h.db.graph(graph).nodes.explain(**a),
    "nodes.search": lambda h, graph, **a: h.db.graph(graph).nodes.search(**a),
    "nodes.walk": lambda h, graph, **a: h.db.graph(graph).nodes.walk(**a),
    "edges.insert": lambda h, graph, **a: h.db.graph(graph).edges.insert(**a),
    "edges.insert_many": lambda h, graph, **a: h.db.graph(graph).edges.insert_many(**a),
    "edges.patch": lambda h, graph, **a: h.db.graph(graph).edges.patch(**a),
    "edges.patch_many": lambda h, graph, **a: h.db.graph(graph).edges.patch_many(**a),
    "edges.delete_many": lambda h, graph, **a: h.db.graph(graph).edges.delete_many(**a),
    "edges.explain": lambda h, graph, **a: h.db.graph(graph).edges.explain(**a),
    "edges.search": lambda h, graph, **a: h.db.graph(graph).edges.search(**a),
    "nodes.put": lambda h, graph, **a: h.db.graph(graph).nodes.put(**a),
    "nodes.put_many": lambda h, graph, **a: h.db.graph(graph).nodes.put_many(**a),
    "nodes.get": lambda h, graph, **a: h.db.graph(graph).nodes.get(**a),
    "nodes.get_many": lambda h, graph, **a: {"items": h.db.graph(graph).nodes.get_many(**a)},
    "nodes.open_secret": lambda h, graph, **a: opened(h.db.graph(graph).nodes.open_secret(**a)),
    "nodes.exists": lambda h, graph, **a: {"exists": h.db.graph(graph).nodes.exists(**a)},
    "nodes.count": lambda h, graph, **a: {"count": h.db.graph(graph).nodes.count(**a)},
    "nodes.list": lambda h, graph, **a: h.db.graph(graph).nodes.list(**a),
    "nodes.delete": lambda h, graph, **a: {"deleted": True, "edges": h.db.graph(graph).nodes.delete(**a)},
    "nodes.neighbors": lambda h, graph, **a: h.db.graph(graph).nodes.neighbors(**a),
    "nodes.closure": lambda h, graph, **a: h.db.graph(graph).nodes.closure(**a),
    "edges.put": lambda h, graph, **a: h.db.graph(graph).edges.put(**a),
    "edges.put_many": lambda h, graph, **a: h.db.graph(graph).edges.put_many(**a),
    "edges.get": lambda h, graph, **a: h.db.graph(graph).edges.get(**a),
    "edges.open_secret": lambda h, graph, **a: opened(h.db.graph(graph).edges.open_secret(**a)),
    "edges.exists": lambda h, graph, **a: {"exists": h.db.graph(graph).edges.exists(**a)},
    "edges.count": lambda h, graph, **a: {"count": h.db.graph(graph).edges.count(**a)},
    "edges.list": lambda h, graph, **a: h.db.graph(graph).edges.list(**a),
    "edges.delete": lambda h, graph, **a: {"deleted": h.db.graph(graph).edges.delete(**a) is None},
    "queues.configure": lambda h, queue, **a: h.db.queue(queue).configure(**policy(a)),
    "queues.get": lambda h, queue: h.db.queue(queue).get(),
    "queues.list": lambda h, **a: page(h.db.queues.list(**a)),
    "queues.pause": lambda h, queue: h.db.queue(queue).pause(),
    "queues.resume": lambda h, queue: h.db.queue(queue).resume(),
    "queues.drain": lambda h, queue: h.db.queue(queue).drain(),
    "queues.delete": lambda h, queue, **a: {"deleted": h.db.queue(queue).delete(**a)},
    "queues.enqueue": lambda h, queue, **a: h.db.queue(queue).enqueue(**job(a)),
    "queues.enqueue_many": lambda h, queue, items: h.db.queue(queue).enqueue_many(map(job, items)),
    "queues.claim": lambda h, queue, **a: claimed(h.db.queue(queue).claim(**spans(a, "lease")), "ack" in a),
    "queues.stats": lambda h, queue=None: {"items": h.db.queues.stats()} if queue is None else h.db.queue(queue).stats(),
    "queues.prune": lambda h, queue, **a: {"pruned": h.db.queue(queue).prune(**spans(a, "older_than"))},
    "queues.watch": lambda h, queue: h.db.queue(queue).watch(),
    "jobs.get": lambda h, id: h.db.jobs.get(id),
    "jobs.list": lambda h, **a: h.db.jobs.list(**a),
    "jobs.ack": lambda h, **a: nothing(h.db.jobs.ack(**a)),
    "jobs.ack_many": lambda h, items: h.db.jobs.ack_many(items),
    "jobs.fail": lambda h, **a: h.db.jobs.fail(**spans(a, "delay")),
    "jobs.snooze": lambda h, **a: h.db.jobs.snooze(**spans(a, "delay")),
    "jobs.release": lambda h, **a: h.db.jobs.release(**a),
    "jobs.heartbeat": lambda h, **a: only(h.db.jobs.heartbeat(**spans(a, "lease")), "lease_until", "cancel_requested"),
    "jobs.heartbeat_many": lambda h, items, **a: {"items": [beat(one) for one in h.db.jobs.heartbeat_many(items, **spans(a, "lease"))]},
    "jobs.cancel": lambda h, id: {"state": h.db.jobs.cancel(id)},
    "jobs.requeue": lambda h, **a: {"state": h.db.jobs.requeue(**payload(a))},
    "jobs.requeue_many": lambda h, queue, **a: {"requeued": h.db.queue(queue).requeue(**a)},
    "jobs.delete": lambda h, id: nothing(h.db.jobs.delete(id)),
    "jobs.update": lambda h, **a: h.db.jobs.update(**payload(a)),
    "jobs.watch": lambda h, id: h.db.jobs.watch(id),
    "jobs.cancels": lambda h, **a: h.db.jobs.cancels(**a),
    "streams.configure": lambda h, stream, **a: h.db.stream(stream).configure(**spans(a, "max_age", "compact_after")),
    "streams.get": lambda h, stream: h.db.stream(stream).get(),
    "streams.list": lambda h, **a: page(h.db.streams.list(**a)),
    "streams.delete": lambda h, stream, **a: {"deleted": h.db.stream(stream).delete(**a)},
    "streams.publish": lambda h, stream, **a: {"offset": h.db.stream(stream).publish(**payload(a))},
    "streams.publish_many": lambda h, stream, items: h.db.stream(stream).publish_many(map(payload, items)),
    "streams.read": lambda h, stream, **a: h.db.stream(stream).read(**a),
    "streams.latest": lambda h, stream, **a: h.db.stream(stream).latest(**a),
    "streams.subscribe": lambda h, stream, **a: h.db.stream(stream).subscribe(save="manual", **renamed(a)),
    "streams.trim": lambda h, stream, **a: {"trimmed": h.db.stream(stream).trim(**spans(a, "max_age"))},
    "streams.compact": lambda h, stream: {"removed": h.db.stream(stream).compact()},
    "streams.stats": lambda h, stream=None: {"items": h.db.streams.stats()} if stream is None else h.db.stream(stream).stats(),
    "consumers.commit": lambda h, stream, **a: {"offset": h.db.stream(stream).consumers.commit(**a)},
    "consumers.seek": lambda h, stream, **a: {"offset": h.db.stream(stream).consumers.seek(**a)},
    "consumers.get": lambda h, stream, **a: h.db.stream(stream).consumers.get(**a),
    "consumers.list": lambda h, stream: {"items": h.db.stream(stream).consumers.list()},
    "consumers.delete": lambda h, stream, **a: nothing(h.db.stream(stream).consumers.delete(**a)),
    "consumers.claim": lambda h, **a: group_claim(h, **renamed(spans(a, "lease"))),
    "consumers.ack": lambda h, stream, group, items: h.db.stream(stream).group(group).ack(items),
    "consumers.extend": lambda h, stream, group, **a: h.db.stream(stream).group(group).extend(**{**renamed(spans(a, "lease"), items="events")}),
    "consumers.release": lambda h, stream, group, items: h.db.stream(stream).group(group).release(items),
    "consumers.watch": lambda h, stream, group, **a: h.db.stream(stream).group(group, **renamed(a)).watch(),
    "locks.acquire": lambda h, **a: h.db.locks.acquire(**spans(a, "ttl")),
    "locks.refresh": lambda h, **a: {"expires_at": h.db.locks.refresh(**spans(a, "ttl"))},
    "locks.release": lambda h, **a: nothing(h.db.locks.release(**a)),
    "locks.get": lambda h, name: h.db.locks.get(name),
    "locks.list": lambda h, **a: page(h.db.locks.list(**a)),
    "locks.break": lambda h, name: {"token": h.db.locks.break_(name)},
    "locks.watch": lambda h, name: h.db.locks.watch(name),
    "rate_limits.take": lambda h, **a: rate(h, "take", **spans(a, "period")),
    "rate_limits.peek": lambda h, **a: rate(h, "peek", **spans(a, "period")),
    "rate_limits.reset": lambda h, name: {"reset": h.db.rate_limits.reset(name)},
    "rate_limits.list": lambda h, **a: page(h.db.rate_limits.list(**a)),
    "schedules.set": lambda h, options=None, **a: h.db.schedules.set(**payload(a), **job(options or {})),
    "schedules.get": lambda h, name: h.db.schedules.get(name),
    "schedules.list": lambda h, **a: page(h.db.schedules.list(**a)),
    "schedules.delete": lambda h, name: nothing(h.db.schedules.delete(name)),
    "schedules.pause": lambda h, name: h.db.schedules.pause(name),
    "schedules.resume": lambda h, name: h.db.schedules.resume(name),
    "schedules.trigger": lambda h, name: {"id": h.db.schedules.trigger(name)},
    "schedules.next": lambda h, **a: {"items": h.db.schedules.next(**a)},
    "schedules.tick": lambda h, **a: h.db.schedules.tick(**a),
    "schedules.run": lambda h, **a: h.db.schedules.run(**spans(a, "ttl")),
    "keyring.info": lambda h: h.db.keyring_info(),
    "keyring.generate": lambda h, **a: brant.generate_key(**a).reveal(),
    "keyring.derive": lambda h, **a: brant.derive_key(**a).reveal(),
    "envelopes.seal": lambda h, **a: h.db.envelopes.seal(**a),
    "envelopes.open": lambda h, **a: opened(h.db.envelopes.open(**a)),
    "envelopes.rewrap": lambda h, **a: h.db.envelopes.rewrap(**a),
    "secrets.rotate": lambda h, **a: rotate(h, **a),
    "secrets.status": lambda h, **a: h.db.secrets.status(**a),
    "accounts.create": lambda h, **a: h.db.accounts.create(**a),
    "accounts.get": lambda h, **a: h.db.accounts.get(**a),
    "accounts.find": lambda h, **a: h.db.accounts.find(**a),
    "accounts.update": lambda h, **a: h.db.accounts.update(**a),
    "accounts.deactivate": lambda h, **a: h.db.accounts.deactivate(**a),
    "accounts.reactivate": lambda h, **a: h.db.accounts.reactivate(**a),
    "accounts.list": lambda h, **a: h.db.accounts.list(**filtered(a)),
    "accounts.delete": lambda h, **a: {"deleted": True, **plain(h.db.accounts.delete(**a))},
    "organizations.create": lambda h, **a: h.db.organizations.create(**a),
    "organizations.get": lambda h, **a: h.db.organizations.get(**a),
    "organizations.update": lambda h, **a: h.db.organizations.update(**a),
    "organizations.transfer": lambda h, **a: h.db.organizations.transfer(**a),
    "organizations.suspend": lambda h, **a: h.db.organizations.suspend(**a),
    "organizations.resume": lambda h, **a: h.db.organizations.resume(**a),
    "organizations.delete": lambda h, **a: h.db.organizations.delete(**a),
    "organizations.list": lambda h, **a: h.db.organizations.list(**filtered(a)),
    "members.add": lambda h, **a: h.db.members.add(**a),
    "members.get": lambda h, **a: h.db.members.get(**a),
    "members.set_level": lambda h, **a: h.db.members.set_level(**a),
    "members.suspend": lambda h, **a: h.db.members.suspend(**a),
    "members.resume": lambda h, **a: h.db.members.resume(**a),
    "members.list": lambda h, **a: h.db.members.list(**filtered(a)),
    "members.remove": lambda h, **a: {"removed": h.db.members.remove(**a) is None},
    "members.leave": lambda h, **a: {"removed": h.db.members.leave(**a) is None},
    "invitations.create": lambda h, **a: shown(h.db.invitations.create(**spans(a, "ttl"))),
    "invitations.get": lambda h, **a: h.db.invitations.get(**a),
    "invitations.accept": lambda h, **a: h.db.invitations.accept(**a),
    "invitations.reject": lambda h, **a: h.db.invitations.reject(**a),
    "invitations.cancel": lambda h, **a: h.db.invitations.cancel(**a),
    "invitations.list": lambda h, **a: h.db.invitations.list(**filtered(a)),
    "api_keys.create": lambda h, **a: shown(h.db.api_keys.create(**a)),
    "api_keys.rotate": lambda h, **a: shown(h.db.api_keys.rotate(**spans(a, "overlap"))),
    "api_keys.import": lambda h, **a: h.db.api_keys.import_(**a),
    "api_keys.verify": lambda h, token: {"valid": True, **plain(h.db.api_keys.verify(token))},
    "auth.authenticate": lambda h, token: h.db.authenticate(token),
    "identity.schemas": lambda h: {"tables": brant.identity_schemas()},
    "api_keys.get": lambda h, **a: h.db.api_keys.get(**a),
    "api_keys.revoke": lambda h, **a: h.db.api_keys.revoke(**a),
    "api_keys.list": lambda h, **a: h.db.api_keys.list(**filtered(a)),
    "audit.append": lambda h, **a: h.db.audit.append(**a),
    "audit.get": lambda h, **a: h.db.audit.get(**a),
    "audit.checkpoint": lambda h, **a: h.db.audit.checkpoint(**a),
    "audit.export": lambda h, **a: h.db.audit.export(**a),
    "audit.prune": lambda h, **a: h.db.audit.prune(**a),
    "audit.erase_subject": lambda h, **a: h.db.audit.erase_subject(**a),
    "audit.list": lambda h, **a: h.db.audit.list(**filtered(a)),
    "audit.verify": lambda h, **a: h.db.audit.verify(**renamed(a)),
    "audit.keep": lambda h, replace=None, actor=None, **a: {"kept": h.db.audit.keep(a, replace=replace, actor=actor)},
    "audit.checkpoints": lambda h, **a: {"items": h.db.audit.checkpoints(**a)},
    "audit.prove": lambda h, **a: {"proven": h.db.audit.prove(**a)},
    "access.check": lambda h, **a: access(h, a).check(**a),
    "access.check_many": lambda h, **a: decisions(access(h, a).check_many(**a)),
    "access.remove": lambda h, **a: {"removed": True, **plain(access(h, a).remove(**a))},
    "access.delegate": lambda h, **a: access(h, a).delegate(**renamed(a)),
    "access.explain": lambda h, **a: access(h, a).explain(**a),
    "access.list_objects": lambda h, **a: access(h, a).list_objects(**a),
    "access.list_subjects": lambda h, **a: access(h, a).list_subjects(**a),
    "access.expand": lambda h, **a: access(h, a).expand(**a),
    "access.put": lambda h, **a: access(h, a).put(**a),
    "access.set_parent": lambda h, **a: access(h, a).set_parent(**a),
    "access.grant": lambda h, **a: access(h, a).grant(**a),
    "access.deny": lambda h, **a: access(h, a).deny(**a),
    "access.assign": lambda h, **a: access(h, a).assign(**a),
    "access.revoke": lambda h, **a: access(h, a).revoke(**a),
    "access.seed": lambda h, **a: access(h, a).seed(**a),
    "access.sync": lambda h, **a: access(h, a).sync(**a),
    "tenants.list": lambda h, **a: brant.Tenants(h.db).list(**filtered(a)),
    "tenants.get": lambda h, **a: brant.Tenants(h.db).get(**a),
    "tenants.migrate": lambda h, **a: brant.Tenants(h.db).migrate(**a),
    "tenants.maintain": lambda h, **a: brant.Tenants(h.db).maintain(**a),
    "tenants.apply": lambda h, **a: brant.Tenants(h.db).apply(**a),
    "tenants.backup": lambda h, **a: brant.Tenants(h.db).backup(**a),
    "tenants.restore": lambda h, **a: brant.Tenants(h.db).restore(**a),
    "tenants.delegate": lambda h, **a: brant.Tenants(h.db).delegate(**renamed(a)),
    "tenants.revoke_delegation": lambda h, **a: brant.Tenants(h.db).revoke_delegation(**a),
    "tenants.delegations": lambda h, **a: brant.Tenants(h.db).delegations(**filtered(a)),
    "tenants.stats": lambda h: brant.Tenants(h.db).stats(),
    "calls.publish": lambda h, **a: {"offset": h.db.calls.publish(**a)},
    "calls.project": lambda h, **a: h.db.calls.project(**a),
}


def nothing(answer):
    return {}


def page(answer):
    """Of lists that go on after a name."""
    return {"items": answer.items, **({} if answer.cursor is None else {"next": answer.cursor})}


def only(record, *names):
    return {name: getattr(record, name) for name in names}


def spans(arguments, *names):
    """Python takes seconds."""
    return {name: value / 1000 if name in names and number(value) else value for name, value in arguments.items()}


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def renamed(arguments, **names):
    names["from"] = "from_"
    return {names.get(name, name): value for name, value in arguments.items()}


def payload(arguments):
    """Python takes bytes."""
    if "payload_base64" not in arguments:
        return arguments
    if "payload" in arguments:
        raise TypeError("payload and payload_base64 exclude each other")
    others = {name: value for name, value in arguments.items() if name != "payload_base64"}
    return {**others, "payload": unbase64(arguments["payload_base64"])}


def unbase64(text):
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise TypeError(f"payload_base64: {error}") from None


def job(arguments):
    made = spans(payload(arguments), "delay", "expires_in", "result_ttl")
    if isinstance(made.get("unique"), dict):
        made["unique"] = spans(made["unique"], "window")
    return made


def policy(arguments):
    made = spans(arguments, "lease", "result_ttl", "dead_ttl", "cancelled_ttl")
    if isinstance(made.get("backoff"), dict):
        made["backoff"] = spans(made["backoff"], "base", "max")
    if isinstance(made.get("rate_limit"), dict):
        made["rate_limit"] = spans(made["rate_limit"], "period")
    return made


def claimed(jobs, acked):
    return {"items": list(jobs), **({"acked": jobs.acked, "stale": jobs.stale} if acked else {})}


def beat(record):
    if record.stale:
        return {"id": record.id, "stale": True}
    return {"id": record.id, "lease_until": record.lease_until, **({"cancel_requested": True} if record.cancel_requested else {})}


def group_claim(h, stream, group, member, limit=None, **a):
    events = h.db.stream(stream).group(group, member, **a).claim(limit)
    gaps = [event.gap for event in events if event.gap]
    items = [event for event in events if not event.gap]
    return {"items": items, **({"gap": {"from": gaps[0].first, "to": gaps[0].last}} if gaps else {})}


def rate(h, verb, name, kind, limit, period, burst=None, cost=None):
    return getattr(h.db.rate_limit(name, limit=limit, period=period, kind=kind, burst=burst), verb)(cost)


def migrate(h, background=False, limit=1, **a):
    return {"job": h.db.graph_types.migrate_later(**a)} if background else h.db.graph_types.migrate(limit=limit, **a)


def rotate(h, background=False, limit=1, **a):
    return {"job": h.db.secrets.rotate_later(**a)} if background else h.db.secrets.rotate(limit=limit, **a)


def filtered(arguments):
    """The columns of a list's filter are arguments of their own."""
    columns = arguments.pop("filter", {})
    return {**arguments, **columns}


def shown(made):
    """What was made with a token, which its record hides."""
    return {**{name: value for name, value in plain(made).items() if value is not None}, "token": made.token.reveal()}


def access(handle, arguments):
    graph = arguments.pop("graph", None)
    return handle.db.access if graph is None else handle.db.access_graph(graph)


def decisions(found):
    items = [{"allowed": one} if isinstance(one, bool) else {"error": {"code": one.code, "message": str(one)}} for one in found]
    return {"items": items, "revision": found.revision}


def opened(secret):
    return {"value": secret.reveal(), "key_version": secret.key_version}


def operations(handle, namespace=None, graph_type=None):
    if graph_type is None:
        return handle.db.operations(namespace)
    return [spec for spec in handle.db.types[graph_type].operations() if namespace in (None, spec["namespace"])]


def export(graph, **arguments):
    if "limit" in arguments or "cursor" in arguments:
        return graph.export_page(**arguments)
    return {"text": graph.export(**arguments), "cursor": None}


def execute(db, sql=None, params=(), **more):
    """What `execute` does not say is for drivers, who call the operation by its model."""
    if sql is not None and not more:
        return db.execute(sql, blobs(params))
    if sql is not None:
        more["sql"] = sql
    if params != ():
        more["params"] = params
    return db.call("sql.execute", more)


def blobs(value):
    """Parameters of SQL with their blobs as bytes."""
    if isinstance(value, list):
        return [blobs(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["$base64"]:
            return base64.b64decode(value["$base64"])
        return {name: blobs(item) for name, item in value.items()}
    return value


LEFT_OUT = {"worked", "streams", "module", "undirected", "offset", "edge_keys", "types", "edge_type_of", "weights", "node_attributes", "edge_attributes"}


# Records of queues, streams, locks and schedules: a member that is None is left out.
SPARSE = (
    brant.JobInfo, brant.JobError, brant.Outcome, brant.QueueStats, brant.StreamInfo, brant.ConsumerInfo, brant.StreamStats, brant.Acquired,
    brant.ScheduleInfo, brant.Ticked, brant.Fired, brant.GroupEvent, brant.JobPage, brant.Events, brant.Channel, brant.Projected, brant.ProjectionFault,
    brant.RateLimitInfo, brant.Bucket, brant.Rotated, brant.KeyCount, brant.AuditRows, brant.AuditReport, brant.Exported, brant.Explanation,
    brant.Step, brant.Holder, brant.Checkpoint, brant.TenantMigrated,
    brant.TenantMaintained, brant.TenantApplied,
)  # fmt: skip
JOB = "id", "token", "queue", "attempt", "max_attempts", "priority", "key", "progress", "schedule", "created_at", "lease_until", "payload"
NAMES = {brant.TenantMigrated: {"from_": "from"}, brant.Events: {"events": "items"}, brant.Gap: {"first": "from", "last": "to"}}


def sparse(value, names):
    """A record's members without those that are None; bytes as base64."""
    members = {}
    for name in names:
        member = getattr(value, name)
        if name == "payload" and isinstance(member, bytes):
            members["payload_base64"] = base64.b64encode(member).decode()
        elif member is not None or name == "payload":
            members[NAMES.get(type(value), {}).get(name, name)] = plain(member)
    return members


def plain(value):
    """The package's records as the registry's members."""
    if isinstance(value, brant.Event):
        return {"gap": plain(value.gap)} if value.gap else sparse(value, ("offset", "key", "payload", "created_at"))
    if isinstance(value, brant.Gap):
        return {"from": value.first, "to": value.last}
    if isinstance(value, brant.Job):
        return sparse(value, JOB)
    if isinstance(value, brant.Enqueued):
        return only(value, "id", "state", "duplicate", "action")
    if isinstance(value, SPARSE):
        return sparse(value, [field.name for field in dataclasses.fields(value)])
    if isinstance(value, brant.Token):
        return value.reveal()
    if isinstance(value, brant.Result):
        rows = [[plain(item) for item in row] for row in value.rows]
        return {"columns": list(value.columns), "rows": rows, "changes": value.changes, "last_insert_rowid": value.lastrowid}
    if isinstance(value, brant.Notification):
        if value.gap:
            return {"channel": value.channel, "gap": {"from": value.gap.first, "to": value.gap.last}}
        return sparse(value, ("id", "channel", "payload", "created_at"))
    if dataclasses.is_dataclass(value):
        # A member that is not there is None in a record; those of Python's own words end in _.
        members = {field.name.rstrip("_"): plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {name: member for name, member in members.items() if name not in LEFT_OUT or member is not None}
    if isinstance(value, brant.BrantError):
        return {"code": value.code, "message": str(value)}
    if isinstance(value, bytes):
        return {"$base64": base64.b64encode(value).decode()}
    if isinstance(value, float) and abs(value) == float("inf"):
        return {"$number": "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


class Agent:
    def __init__(self):
        self.objects = {}
        self.writing = threading.Lock()

    def operation(self, handle, name, arguments):
        if name.startswith("types."):
            return handle.db.call(name, arguments)
        if name not in OPERATIONS:
            raise UnknownOperation(name)
        return OPERATIONS[name](handle, **arguments)

    def run_in_transaction(self, handle, mode="write", operations=(), rollback=False):
        answers = []
        try:
            with handle.db.transaction(mode):
                for operation in operations:
                    answers.append(plain(self.operation(handle, operation["name"], operation.get("arguments", {}))))
                if rollback:
                    raise RolledBack
        except RolledBack:
            return {"rolled_back": True}
        return answers

    def run(self, target, name, arguments, save_as):
        if name == "environment":
            return {"language": "python", "runtime": platform.python_version(), "brant": brant.version()}
        if name == "reset":
            for thing in self.objects.values():
                thing.close()
            self.objects.clear()
            return None
        if name == "open":
            options = dict(arguments.get("options", {}))
            if isinstance(options.get("busy_timeout"), int):
                options["busy_timeout"] /= 1000
            self.objects[target] = Handle(brant.open(arguments["path"], **options))
            return {}
        if name == "hub.open":
            options = dict(arguments.get("options", {}))
            if isinstance(options.get("busy_timeout"), int):
                options["busy_timeout"] /= 1000
            hub = brant.open_hub(arguments["path"], **options)
            self.objects[target] = Handle(hub.system, hub)
            return {}
        thing = self.objects.get(target)
        if thing is None:
            raise UnknownOperation(f"{name} of {target!r}, which was not opened")
        if name == "cursor.next":
            if isinstance(thing, brant.Walk):
                batch = thing.take()
                return [] if batch is None else [batch]
            timeout = arguments.get("timeout", 0)
            items = thing.take(None if timeout < 0 else timeout / 1000)
            if isinstance(thing, brant.QueueWatch):
                return [{"queue": thing.queue, "ready": True} for _ in items]
            if isinstance(thing, brant.LockWatch):
                return [{"free": True} for _ in items]
            if isinstance(thing, brant.GroupWatch):
                return [{"ready": True} for _ in items]
            return items
        if name == "cursor.close":
            return thing.close()
        if name == "close":
            return thing.close()
        if name == "hub.acquire":
            self.objects[save_as or "tenant"] = Handle(thing.hub.tenant(**arguments))
            return None
        if name == "hub.authenticate":
            caller = thing.hub.authenticate(**arguments)
            self.objects[save_as or "tenant"] = Handle(caller.db)
            members = "identity", "key", "account", "organization", "level", "scopes", "denies"
            return {member: getattr(caller, member) for member in members}
        if name == "hub.release":
            return thing.close()
        if name == "keyring":
            return thing.keyring(**arguments)
        if name == "session":
            self.objects[save_as or "session"] = Handle(thing.db.session(**arguments))
            return None
        if name == "interrupt":
            return thing.db.interrupt()
        if name == "call_text":
            text = base64.b64decode(arguments["base64"]) if "base64" in arguments else arguments["text"]
            return json.loads(thing.db.call_json(arguments["name"], text))
        if name == "run_in_transaction":
            return self.run_in_transaction(thing, **arguments)
        answer = self.operation(thing, name, arguments)
        if isinstance(answer, (brant.Cursor, brant.Walk)):
            self.objects[save_as] = answer
            return {}
        return answer

    def answer(self, request):
        reply = {"id": request["id"]}
        try:
            result = self.run(request.get("object"), request["name"], request.get("arguments", {}), request.get("as"))
            reply["result"] = plain(result)
        except UnknownOperation as error:
            reply["error"] = {"code": "UNKNOWN_OPERATION", "message": str(error), "detail": {}}
        except brant.BrantError as error:
            reply["error"] = {"code": error.code, "message": str(error), "detail": error.detail}
        except TypeError as error:
            # An argument that is missing or unknown: what other languages hear as INVALID is a TypeError in Python.
            reply["error"] = {"code": "INVALID", "message": str(error), "detail": {}}
        line = json.dumps(reply) + "\n"
        with self.writing:
            sys.stdout.write(line)
            sys.stdout.flush()

    def serve(self):
        for line in sys.stdin:
            request = json.loads(line)
            if request.get("background"):
                threading.Thread(target=self.answer, args=(request,), daemon=True).start()
            else:
                self.answer(request)
        self.run(None, "reset", {}, None)


if __name__ == "__main__":
    Agent().serve()
