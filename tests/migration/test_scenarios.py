"""A migrated deployment passes the identity and graph scenarios of the conformance suite: each runs on a copy of the migrated file, or hub, in place of an empty one."""

from __future__ import annotations

import json
from pathlib import Path

import brant.migration as migration
import former
import scenarios
from servers import Servers

FILES = [
    "identity_accounts", "identity_members", "identity_organizations", "identity_api_keys", "identity_authenticate", "identity_invitations",
    "graphs", "graph_types", "nodes", "edges", "writing", "typed_operations", "access_grants",
    "reference_call", "reference_secret", "reference_task", "hub_members", "hub_isolation", "hub_authenticate",
]  # fmt: skip
AUDIT_KEY = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
"""That of the scenarios' rings: the log goes on with the key that it was begun with."""
OF_EMPTY_FILES = {
    "access_grants: the first write makes the graph, with a change log",
    "access_grants: nothing is written that cannot be audited",
    "graph_types: define and get",
    "graph_types: modules that cannot work are refused with the place of the fault",
    "graphs: list",
    "hub_members: a membership is in the groups as soon as it is committed, and out of them",
    "identity_accounts: pages and filters",
    "identity_accounts: without a key for the audit log nothing changes",
    "identity_accounts: a rollback takes all of it back",
    "identity_api_keys: revoked is for ever",
    "identity_api_keys: they are listed by owner, organisation, type, scheme, and whether they are active",
    "identity_members: filters",
    "identity_members: every change is in the audit log",
    "identity_organizations: pages and filters",
    "writing: deleting marks, updating restores, purging removes",
}
"""These ask for all accounts, graphs, tenants or rows of the log, and know those of an empty file alone. Left out as whole files for the like: access_check and access_agents make a graph
"access", which is there; identity_tricks has another audit key."""


def test_scenarios(servers: Servers, made: former.Former, tmp_path: Path) -> None:
    ring = json.dumps({"keys": [{"purpose": "audit", "version": 1, "key": AUDIT_KEY}]})
    migration.export(str(tmp_path / "export"), migration.load(None), servers.postgres, servers.redis)
    for name, hub in (("one.db", False), ("hub", True)):
        migration.import_(str(tmp_path / "export"), str(tmp_path / name), hub=hub, ring=ring)
    results = scenarios.run(tmp_path / "one.db", tmp_path / "hub", FILES, tmp_path / "agent.log")
    passed = {name for name, fault in results.items() if fault is None}
    print(f"\nscenarios on what was migrated: {len(passed)} of {len(results)}, {len(results) - len(passed)} know an empty file alone")
    assert {name: fault for name, fault in results.items() if fault is not None and name not in OF_EMPTY_FILES} == {}
    assert len(passed) >= 75
