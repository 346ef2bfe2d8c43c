"""Who may do what: an access graph of principals, agents, groups, roles and resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from . import _native
from ._clock import Moment, moment
from ._common import PAGE, given, paged, texts
from .errors import BrantError, failure
from .identity import Actor, Level, acting
from .records import Edge, Json, Node, Page, known, known_list

if TYPE_CHECKING:
    from .database import Database

NodeType = Literal["Principal", "Agent", "Group", "Role", "Resource"]


class Question(TypedDict, total=False):
    """One of `Access.check_many`: subject, scope, and the resource ("*")."""

    subject: str
    scope: str
    resource: str


@dataclass(slots=True)
class Decision:
    """An answer, true where it is allowed, of the graph as of `revision`."""

    allowed: bool
    revision: int

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(slots=True)
class Decisions:
    """The answers to many questions, in order, of one `revision` of the graph: a bool each, or the error (Invalid, Limit) of that one."""

    items: list[bool | BrantError]
    revision: int

    def __iter__(self) -> Iterator[bool | BrantError]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> bool | BrantError:
        return self.items[index]


@dataclass(slots=True)
class KeyPage(Page[str]):
    """A page of keys, of the graph as of `revision`."""

    revision: int


@dataclass(slots=True)
class Step:
    """An edge on the way to an answer."""

    kind: Literal["BelongsTo", "HasRole", "Grants", "Denies", "Delegates"]
    source: str
    target: str
    key: str
    scopes: list[str] | None = None


@dataclass(slots=True)
class Tried:
    """A chain of delegations that gave nothing, from the agent on, and why."""

    chain: list[str]
    why: str


@dataclass(slots=True)
class Explanation:
    """An answer, true where it is allowed, and the reason: the `path` that gives it, what it is `denied_by`, the chains that were `tried`."""

    allowed: bool
    reason: str
    revision: int
    path: list[Step] | None = None
    denied_by: Step | None = None
    tried: list[Tried] | None = None

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(slots=True)
class Holder:
    """Who stands behind an edge; groups and roles have members, once: `again` where one comes a second time."""

    key: str
    type: NodeType
    active: bool | None = None
    members: list[Holder] | None = None
    again: bool | None = None


@dataclass(slots=True)
class Held:
    """An edge that grants or denies, and who it reaches."""

    edge: Step
    from_: Holder


@dataclass(slots=True)
class Expansion:
    """All edges that grant and deny a scope on a resource."""

    resource: str
    scope: str
    grants: list[Held]
    denies: list[Held]
    truncated: bool
    revision: int


@dataclass(slots=True)
class Written:
    """The edge that a call wrote, and the graph's `revision` then, for `at_least`."""

    edge: Edge[Json]
    revision: int


@dataclass(slots=True)
class Removed:
    """How many edges went with a node."""

    edges: int
    revision: int


@dataclass(slots=True)
class Moved:
    """Whether something changed."""

    changed: bool
    revision: int


@dataclass(slots=True)
class Revoked:
    """`revoked` 1, or 0 where there was no such thing."""

    revoked: int
    revision: int

    def __bool__(self) -> bool:
        return self.revoked > 0


@dataclass(slots=True)
class Seeded:
    """How many operations and roles there are, and how many nodes and edges were written."""

    operations: int
    roles: int
    changed: int
    revision: int


@dataclass(slots=True)
class Synced:
    """What became different among what is derived from members."""

    added: int
    removed: int
    changed: int
    revision: int


class MemberFields(TypedDict, total=False):
    """A member, for `Access.sync`; `status` "active" where it is left out."""

    account_id: str
    level: Level
    status: Literal["active", "suspended"]


def _holder(members: Json) -> Holder:
    found = known(Holder, members)
    if found.members is not None:
        found.members = [_holder(one) for one in members["members"]]
    return found


def _held(members: Json) -> Held:
    return Held(known(Step, members["edge"]), _holder(members["from"]))


class Access:
    """An access graph, as ``db.access`` (the graph "access") or ``db.access_graph(name)``.

    A principal may what a grant on the resource, on what that is part of, or on "*" gives to it or to a group or role that it reaches; an explicit denial wins. An agent may what was delegated to it, by
    a chain of delegations from a principal that has the right now. Scopes are "<namespace>:<action>", "*" for either. Limit: too deep to be told.

    Writing makes the graph where it is missing, is recorded in the audit log (so it needs a key ring), and answers a `revision`, which is `at_least` of a check that must see it (Conflict:
    it is of an older state). Nobody gives more than they hold (Denied).
    """

    __slots__ = ("_database", "_graph")

    def __init__(self, database: Database, graph: str | None = None) -> None:
        self._database = database
        self._graph = {} if graph is None else {"graph": graph}

    def __repr__(self) -> str:
        return f"<brant.Access {self._graph.get('graph', 'access')!r} of {self._database!r}>"

    def _call(self, function: _native.Operation, members: Json) -> Any:
        return self._database._call(function, members | self._graph)

    # ---- reading ----------------------------------------------------------------------------------------------------------

    def check(self, subject: str, scope: str, resource: str | None = None, *, at_least: int | None = None) -> Decision:
        """May it? Without a resource: everywhere. NotFound: no such access graph; Invalid: the scope is none."""
        members = given(subject=subject, scope=scope, resource=resource, at_least=at_least)
        return known(Decision, self._call(_native.brant_access_check, members))

    def check_many(self, items: Iterable[Question | Mapping[str, str]], *, at_least: int | None = None) -> Decisions:
        """The answers to many, of one state."""
        members = given(items=[dict(item) for item in items], at_least=at_least)
        answer = self._call(_native.brant_access_check_many, members)
        decided = [failure(item["error"]) if "error" in item else item["allowed"] for item in answer["items"]]
        return Decisions(decided, answer["revision"])

    def explain(self, subject: str, scope: str, resource: str | None = None, *, at_least: int | None = None) -> Explanation:
        """As `check`, with the path that gives it, or why not."""
        answer = self._call(_native.brant_access_explain, given(subject=subject, scope=scope, resource=resource, at_least=at_least))
        found = known(Explanation, answer)
        if found.path is not None:
            found.path = known_list(Step, answer["path"])
        if found.denied_by is not None:
            found.denied_by = known(Step, answer["denied_by"])
        if found.tried is not None:
            found.tried = known_list(Tried, answer["tried"])
        return found

    def list_objects(
        self,
        subject: str,
        scope: str,
        *,
        kind: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        at_least: int | None = None,
    ) -> KeyPage:
        """A page (100) of the resources that `check` allows, by key; "*" among them where it is allowed everywhere. `kind` "graph": "graph:..." only."""
        members = given(subject=subject, scope=scope, kind=kind, limit=limit, cursor=cursor, at_least=at_least)
        answer = self._call(_native.brant_access_list_objects, members)
        return KeyPage(answer["items"], answer["cursor"], answer["revision"])

    def objects(self, subject: str, scope: str, *, kind: str | None = None) -> Iterator[str]:
        """All of `list_objects`, page by page."""
        return paged(lambda cursor: self.list_objects(subject, scope, kind=kind, limit=PAGE, cursor=cursor))

    def list_subjects(
        self,
        scope: str,
        resource: str | None = None,
        *,
        kind: Literal["Principal", "Agent", "Group", "Role"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        at_least: int | None = None,
    ) -> KeyPage:
        """A page (100) of the subjects that `check` allows, by key."""
        members = given(scope=scope, resource=resource, kind=kind, limit=limit, cursor=cursor, at_least=at_least)
        answer = self._call(_native.brant_access_list_subjects, members)
        return KeyPage(answer["items"], answer["cursor"], answer["revision"])

    def subjects(
        self, scope: str, resource: str | None = None, *, kind: Literal["Principal", "Agent", "Group", "Role"] | None = None
    ) -> Iterator[str]:  # fmt: skip
        """All of `list_subjects`, page by page."""
        return paged(lambda cursor: self.list_subjects(scope, resource, kind=kind, limit=PAGE, cursor=cursor))

    def expand(self, scope: str, resource: str | None = None, *, limit: int | None = None, at_least: int | None = None) -> Expansion:
        """The edges that grant and deny a scope on a resource, and who stands behind them, `limit` (1000) nodes at most."""
        answer = self._call(_native.brant_access_expand, given(scope=scope, resource=resource, limit=limit, at_least=at_least))
        found = known(Expansion, answer)
        found.grants = [_held(one) for one in answer["grants"]]
        found.denies = [_held(one) for one in answer["denies"]]
        return found

    # ---- writing ----------------------------------------------------------------------------------------------------------

    def put(self, key: str, type: NodeType, attributes: Mapping[str, Any] | None = None, *, actor: Actor | None = None) -> Node[Json]:
        """Make a node, or give it its attributes anew: ``put("account:7", "Principal", {"status": "suspended"})`` ends all that goes through it at once. Validation; Constraint: it
        is of another type; Denied: it is the library's."""
        return known(Node, self._call(_native.brant_access_put, given(key=key, type=type, attributes=attributes) | acting(actor)))

    def remove(self, key: str, *, actor: Actor | None = None) -> Removed:
        """A node, with all its edges. NotFound; Denied: it is the library's."""
        return known(Removed, self._call(_native.brant_access_remove, {"key": key} | acting(actor)))

    def set_parent(self, resource: str, parent: str | None, *, actor: Actor | None = None) -> Moved:
        """Have a resource be part of another (None: of none): what holds there holds here. Constraint: it would be part of itself."""
        return known(Moved, self._call(_native.brant_access_set_parent, {"resource": resource, "parent": parent} | acting(actor)))

    def _edge(self, function: _native.Operation, members: Json, actor: Actor | None) -> Written:
        answer = self._call(function, members | acting(actor))
        return Written(known(Edge, answer["edge"]), answer["revision"])

    def grant(
        self, subject: str, scopes: Iterable[str], resource: str | None = None, *, expires_at: Moment | None = None, actor: Actor | None = None
    ) -> Written:  # fmt: skip
        """Give a principal, group or role scopes, on a resource or everywhere; again: more of them. NotFound: no such subject; Conflict: what is there ends at another time."""
        members = given(subject=subject, scopes=texts(scopes), resource=resource, expires_at=moment(expires_at))
        return self._edge(_native.brant_access_grant, members, actor)

    def deny(
        self, subject: str, scopes: Iterable[str], resource: str | None = None, *, expires_at: Moment | None = None, actor: Actor | None = None
    ) -> Written:  # fmt: skip
        """Deny what these scopes overlap, whoever grants it. As `grant`; also agents."""
        members = given(subject=subject, scopes=texts(scopes), resource=resource, expires_at=moment(expires_at))
        return self._edge(_native.brant_access_deny, members, actor)

    def assign(
        self, subject: str, *, role: str | None = None, group: str | None = None, expires_at: Moment | None = None, actor: Actor | None = None
    ) -> Written:  # fmt: skip
        """Give a principal or group a role, or take it into a group. NotFound; Constraint: of other types; Denied: a group of an organization's members."""
        members = given(subject=subject, role=role, group=group, expires_at=moment(expires_at))
        return self._edge(_native.brant_access_assign, members, actor)

    def revoke(
        self,
        kind: Literal["grant", "deny", "role", "group", "delegation"],
        subject: str,
        target: str | None = None,
        *,
        scopes: Iterable[str] | None = None,
        actor: Actor | None = None,
    ) -> Revoked:
        """Take back what goes from `subject` to `target`: a resource ("*"), a role, a group, the agent of a delegation; only these `scopes` of it, if given. NotFound: no such
        subject; Constraint: a scope is a part of a wider one that is there."""
        members = given(kind=kind, subject=subject, target=target, scopes=None if scopes is None else texts(scopes))
        return known(Revoked, self._call(_native.brant_access_revoke, members | acting(actor)))

    def delegate(
        self,
        from_: str,
        to: str,
        scopes: Iterable[str],
        *,
        expires_at: Moment | None = None,
        max_depth: int | None = None,
        may_redelegate: bool | None = None,
        actor: Actor | None = None,
    ) -> Written:
        """Have an agent act for a principal, or for another agent, with these scopes, as far as that one has the right itself at the time. `max_depth` (0) delegations may follow, with
        `may_redelegate`. Again: these terms in place of the former. Denied: it cannot give that."""
        members = given(
            to=to, scopes=texts(scopes), expires_at=moment(expires_at), max_depth=max_depth, may_redelegate=may_redelegate
        )  # fmt: skip
        return self._edge(_native.brant_access_delegate, {"from": from_} | members, actor)

    def seed(self, *, actor: Actor | None = None) -> Seeded:
        """Write what is so by definition: a resource for each operation of the library, and the roles "role:viewer" to "role:owner". Call it after each release; again it changes
        nothing, and what was given at run time stays."""
        return known(Seeded, self._call(_native.brant_access_seed, acting(actor)))

    def sync(
        self,
        org_id: str | None = None,
        members: Iterable[MemberFields | Mapping[str, str]] | None = None,
        *,
        actor: Actor | None = None,
    ) -> Synced:
        """Derive anew who is in the groups of organizations' members: of one organization, or all; in a tenant's file from `members`, all that there are."""
        input = given(org_id=org_id, members=None if members is None else [dict(one) for one in members])
        return known(Synced, self._call(_native.brant_access_sync, input | acting(actor)))
