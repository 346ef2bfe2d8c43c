"""The organizations of a hub as files: what they are, upkeep of all of them, and delegations from one to another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import _native
from ._clock import Moment, deadline, moment
from ._common import PAGE, given, paged, texts
from .audit import Checkpoint
from .errors import BrantError, failure
from .identity import Actor, Rows, acting
from .records import Copied, Json, Page, known
from .results import Maintained, maintained

R = TypeVar("R")


@dataclass(slots=True)
class Tenant:
    """An organization and its file: `status` of the organization; `state` of the file, "none" before its first use; `format` where this hub has it open, and in `open` handles."""

    org_id: str
    slug: str
    status: Literal["active", "suspended", "deleting"]
    state: Literal["none", "made", "deleting"]
    file: str | None
    size: int
    format: int | None
    open: int


@dataclass(slots=True)
class TenantMigrated:
    """What became of a tenant's file: its format before and now, or the error; true where it is well."""

    org_id: str
    ok: bool
    from_: int | None = None
    to: int | None = None
    error: BrantError | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class TenantSynced:
    """What became different among what a tenant's access graph derives from its members."""

    added: int
    removed: int
    changed: int


@dataclass(slots=True)
class TenantMaintained:
    """What the upkeep of a tenant's file did, with its access graph, if it has one, `synced` to its members, and the checkpoint of its audit log that is kept in the system's, or the error; true
    where it is well."""

    org_id: str
    ok: bool
    result: Maintained | None = None
    synced: TenantSynced | None = None
    checkpoint: Checkpoint | None = None
    error: BrantError | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class TenantApplied:
    """What an operation answered for a tenant's file, or the error; true where it is well."""

    org_id: str
    ok: bool
    result: Any = None
    error: BrantError | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class TenantsMaintained(Page[TenantMaintained]):
    """Some tenants, and how many organizations' deletion was `finished`."""

    finished: int


@dataclass(slots=True)
class Delegation:
    """What agent `to` of organization `to_org` may for `from_`, a principal or agent of `from_org`. Only an "active" one gives anything."""

    id: str
    from_org: str
    from_: str
    to_org: str
    to: str
    terms: Json
    state: Literal["pending", "active", "revoking", "revoked"]
    created_at: int
    updated_at: int


@dataclass(slots=True)
class HubStats:
    """Files that this hub has `open`, `idle` ones and `pinned` ones, of `max_open`; since it was opened how many were `opened`, `made`, and `evicted` to make room."""

    open: int
    idle: int
    pinned: int
    max_open: int
    opened: int
    made: int
    evicted: int


def _done(kind: type[R], item: Json) -> R:
    return known(kind, {**item, "error": failure(item["error"])} if "error" in item else item)


def _maintained(item: Json) -> TenantMaintained:
    found = _done(TenantMaintained, item)
    if "result" in item:
        found.result = maintained(item["result"])
    if "synced" in item:
        found.synced = known(TenantSynced, item["synced"])
    if "checkpoint" in item:
        found.checkpoint = known(Checkpoint, item["checkpoint"])
    return found


class Tenants(Rows):
    """The tenants of a hub, as ``hub.tenants``; iterate it for all, in order of `org_id`.

    What goes over all of them takes a page (100) of them at a time: call again with the cursor. A tenant that fails does not stop the others. Misuse: inside a transaction;
    the handle is not of a hub's system file.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Tenant]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def list(
        self, *, status: Literal["active", "suspended", "deleting"] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Page[Tenant]:  # fmt: skip
        """A page (100)."""
        return self._page(Tenant, _native.brant_tenant_list, given(status=status), limit, cursor)

    def get(self, org_id: str) -> Tenant:
        """NotFound."""
        return self._one(Tenant, _native.brant_tenant_get, {"org_id": org_id})

    def _each(self, make: Callable[[Json], R], function: _native.Operation, members: Json, timeout: float | None) -> tuple[Page[R], Json]:
        answer = self._database._call(function, members, deadline(timeout))
        return Page([make(item) for item in answer["items"]], answer["cursor"]), answer

    def migrate(self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None) -> Page[TenantMigrated]:
        """Bring their files to this version's format, which otherwise happens when one is opened."""
        members = given(limit=limit, cursor=cursor)
        return self._each(lambda item: _done(TenantMigrated, item), _native.brant_tenant_migrate, members, timeout)[0]

    def maintain(self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None) -> TenantsMaintained:
        """As `Database.maintain` for each, whose audit checkpoint is then kept in the system's file. Without a cursor it first finishes what a crash left half done. The system's
        own upkeep is ``hub.system.maintain()``."""
        page, answer = self._each(_maintained, _native.brant_tenant_maintain, given(limit=limit, cursor=cursor), timeout)
        return TenantsMaintained(page.items, page.cursor, answer["finished"])

    def apply(
        self,
        operation: Literal["graph_types.define", "graph_types.update", "graph_types.delete"],
        input: Mapping[str, Any],
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Page[TenantApplied]:
        """One change of graph types in all files, each in a transaction of its own: what succeeded stays. Invalid: another operation."""
        members = {"operation": operation, "input": dict(input)} | given(limit=limit, cursor=cursor)
        return self._each(lambda item: _done(TenantApplied, item), _native.brant_tenant_apply, members, timeout)[0]

    def backup(self, org_id: str, path: str | os.PathLike[str], overwrite: bool = False, *, timeout: float | None = None) -> Copied:
        """As `Database.backup`. Invalid: the path is in the hub's folder."""
        members = {"org_id": org_id, "path": os.fspath(path), "overwrite": overwrite}
        return known(Copied, self._database._call(_native.brant_tenant_backup, members, deadline(timeout)))

    def restore(self, org_id: str, path: str | os.PathLike[str], *, timeout: float | None = None) -> Copied:
        """As `Database.restore`, from a backup of this organization's file, or one that was never in a hub; a missing file is made. Conflict: it is another's."""
        members = {"org_id": org_id, "path": os.fspath(path)}
        return known(Copied, self._database._call(_native.brant_tenant_restore, members, deadline(timeout)))

    def delegate(
        self,
        from_org: str,
        from_: str,
        to_org: str,
        to: str,
        scopes: Iterable[str],
        *,
        expires_at: Moment | None = None,
        max_depth: int | None = None,
        may_redelegate: bool | None = None,
        actor: Actor | None = None,
    ) -> Delegation:
        """Have agent `to` of one organization act for a principal or agent of another, on the terms of `Access.delegate`: in the access graph of `from_org` it is the agent
        "foreign:<to_org>:<to>". Needs a key ring. Conflict: there is one; Denied: `from_` does not hold it, the actor may not, an organization is suspended; NotFound."""
        members = given(scopes=texts(scopes), expires_at=moment(expires_at), max_depth=max_depth, may_redelegate=may_redelegate)
        members |= {"from_org": from_org, "from": from_, "to_org": to_org, "to": to}
        return self._one(Delegation, _native.brant_tenant_delegate, members | acting(actor))

    def revoke_delegation(self, id: str, *, actor: Actor | None = None) -> Delegation:
        """It gives nothing from now on. Again: the same answer. NotFound; Denied."""
        return self._one(Delegation, _native.brant_tenant_revoke_delegation, {"id": id} | acting(actor))

    def delegations(
        self,
        *,
        from_org: str | None = None,
        to_org: str | None = None,
        state: Literal["pending", "active", "revoking", "revoked"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Delegation]:
        """A page (100), in the order in which they were made."""
        return self._page(Delegation, _native.brant_tenant_delegations, given(from_org=from_org, to_org=to_org, state=state), limit, cursor)

    def stats(self) -> HubStats:
        """What this hub has open."""
        return self._one(HubStats, _native.brant_tenant_stats, {})
