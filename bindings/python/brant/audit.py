"""The audit log of a file: who did what, in a chain of keyed hashes that shows whether somebody changed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from . import _native
from ._clock import Moment, deadline, moment
from ._common import LEFT, PAGE, given
from .identity import Actor, acting, chosen
from .records import Json, known, known_list

if TYPE_CHECKING:
    from .database import Database


@dataclass(slots=True)
class AuditRow:
    """A row; `hash` is of it and of the row before, in base64url."""

    seq: int
    id: str
    org_id: str | None
    actor_type: Literal["account", "api_key", "agent", "service", "system"]
    actor_id: str | None
    action: str
    resource: str | None
    detail: Json
    metadata: Json
    created_at: int
    key_version: int
    hash: str


@dataclass(slots=True)
class AuditRows:
    """Some rows, and the `next` that the next call goes on from, as its `after`, or `before` in descending order; None: there are no more."""

    items: list[AuditRow]
    next: int | None = None

    def __iter__(self) -> Iterator[AuditRow]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(slots=True)
class Appended:
    """A row that was added."""

    seq: int
    hash: str


class _Made(TypedDict, total=False):
    file: str
    created_at: int
    key_version: int
    mac: str


class CheckpointFields(_Made):
    """A checkpoint as a dict: `Checkpoint`, ``dataclasses.asdict`` of one, or seq and hash alone."""

    seq: int
    hash: str


@dataclass(slots=True)
class Checkpoint:
    """Where the log ended when it was made. Keep it where nobody who can write the file can: it shows rows that were cut off, and a file that was rolled back."""

    file: str
    seq: int
    hash: str
    created_at: int
    key_version: int | None = None
    mac: str | None = None


Checkpoints = list[Checkpoint]
AnyCheckpoint = Checkpoint | CheckpointFields | Mapping[str, Any]


def _fields(checkpoint: AnyCheckpoint) -> Json:
    if isinstance(checkpoint, Checkpoint):
        return {name: value for name in Checkpoint.__slots__ if (value := getattr(checkpoint, name)) is not None}
    return dict(checkpoint)


@dataclass(slots=True)
class AuditProblem:
    """What is wrong, and at which row."""

    seq: int
    problem: str


@dataclass(slots=True)
class AuditReport:
    """Whether the log is what was written: true where it is. `next`: the `from_` to go on with, where a limit ended it."""

    ok: bool
    rows: int
    first: int | None
    last: int | None
    hash: str | None
    problems: list[AuditProblem]
    truncated: bool = False
    next: int | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(slots=True)
class Exported:
    """Rows as lines of JSON, of the file with this id; `next`: the `after` to go on with."""

    file: str
    text: str
    rows: int
    next: int | None = None


@dataclass(slots=True)
class Pruned:
    """How many rows a call removed, up to `through`; not `done`: call again."""

    pruned: int
    through: int
    done: bool


@dataclass(slots=True)
class SubjectErased:
    """`erased`: there was a salt. `scrubbed`: no byte of it is left in the file; if not, call again."""

    erased: bool
    scrubbed: bool


class Audit:
    """The audit log of a file, as ``db.audit``; iterate it for all rows. Needs a key ring with an active key of purpose "audit" (NotFound).

    Each verifies by its keyed hashes: whoever can write the file but has not the key can hide nothing. What identity and access change is recorded by itself, in the same
    transaction; `append` records what your program does.
    """

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Audit of {self._database!r}>"

    def __iter__(self) -> Iterator[AuditRow]:
        after: int | None = None
        while True:
            page = self.list(after=after, limit=PAGE)
            yield from page.items
            after = page.next
            if after is None:
                return

    def append(
        self,
        action: str,
        *,
        resource: str | None = None,
        org_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
        personal: Mapping[str, str] | None = None,
        subject: str | None = None,
        actor: Actor | None = None,
    ) -> Appended:
        """Add a row, in the running transaction. `personal` texts about a `subject` are stored as hashes, salted per subject: see `prove` and `erase_subject`. Invalid: an action
        of the library's own namespaces; Conflict, Corrupt: the log is not what it was."""
        members = given(action=action, resource=resource, org_id=org_id, detail=detail, personal=personal, subject=subject)
        return known(Appended, self._database._call(_native.brant_audit_append, members | acting(actor)))

    def get(self, seq: int) -> AuditRow:
        """NotFound."""
        return known(AuditRow, self._database._call(_native.brant_audit_get, {"seq": seq}))

    def list(
        self,
        *,
        action: str | None = None,
        actor_id: str | None = LEFT,
        resource: str | None = LEFT,
        org_id: str | None = LEFT,
        after: int | None = None,
        before: int | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        order: Literal["asc", "desc"] | None = None,
        limit: int | None = None,
    ) -> AuditRows:
        """Rows (100) by seq, after and before one, of a time; None as a filter's value: those that have none."""
        members = given(after=after, before=before, since=moment(since), until=moment(until), order=order, limit=limit)
        filter = given(action=action) | chosen(actor_id=actor_id, resource=resource, org_id=org_id)
        if filter:
            members["filter"] = filter
        answer = self._database._call(_native.brant_audit_list, members)
        return AuditRows(known_list(AuditRow, answer["items"]), answer.get("next"))

    def verify(
        self,
        checkpoint: AnyCheckpoint | None = None,
        *,
        checkpoints: Iterable[AnyCheckpoint] | None = None,
        from_: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> AuditReport:
        """Read the rows, all or `limit` of them, and tell whether the log is what was written: edits, deletions, insertions, reordering, rows of another log; with a checkpoint
        also a cut tail and a file that was rolled back. NotFound: the ring lacks keys."""
        members: Json = {"from": from_, "limit": limit}
        if checkpoint is not None:
            members["checkpoint"] = _fields(checkpoint)
        if checkpoints is not None:
            members["checkpoints"] = [_fields(one) for one in checkpoints]
        answer = self._database._call(_native.brant_audit_verify, given(**members), deadline(timeout))
        report = known(AuditReport, answer)
        report.problems = known_list(AuditProblem, answer["problems"])
        return report

    def checkpoint(self) -> Checkpoint:
        """Where the log ends now."""
        return known(Checkpoint, self._database._call(_native.brant_audit_checkpoint, {}))

    def keep(self, checkpoint: AnyCheckpoint, *, replace: bool | None = None, actor: Actor | None = None) -> bool:
        """Remember the checkpoint of another file in this one; False: it was known. Conflict: a later one is kept, or another row, so that file was rolled back; `replace` forgets
        what was kept of it."""
        members = _fields(checkpoint) | given(replace=replace) | acting(actor)
        return cast(bool, self._database._call(_native.brant_audit_keep, members)["kept"])

    def checkpoints(self, file: str) -> Checkpoints:
        """Those that are kept of a file, by its id."""
        return known_list(Checkpoint, self._database._call(_native.brant_audit_checkpoints, {"file": file})["items"])

    def export(self, *, after: int | None = None, limit: int | None = None) -> Exported:
        """Rows (1000) as lines of JSON."""
        return known(Exported, self._database._call(_native.brant_audit_export, given(after=after, limit=limit)))

    def prune(self, through: int, checkpoint: AnyCheckpoint, *, actor: Actor | None = None) -> Pruned:
        """Remove the rows up to `through`, at most 100 000 a call: those of which `checkpoint` proves that there is a copy elsewhere. Invalid: it is from before; Conflict: the log has not
        its row; Corrupt: a row is not what was written, and nothing goes."""
        members = {"through": through, "checkpoint": _fields(checkpoint)} | acting(actor)
        return known(Pruned, self._database._call(_native.brant_audit_prune, members))

    def prove(self, seq: int, subject: str, name: str, text: str) -> bool:
        """Is this the text whose hash is under `name` in the row's personal data? NotFound: no such row, or the subject was erased."""
        members = {"seq": seq, "subject": subject, "name": name, "text": text}
        return cast(bool, self._database._call(_native.brant_audit_prove, members)["proven"])

    def erase_subject(self, subject: str, *, actor: Actor | None = None) -> SubjectErased:
        """Forget a subject's salt: its hashes mean nothing then, and the log still verifies."""
        return known(SubjectErased, self._database._call(_native.brant_audit_erase_subject, {"subject": subject} | acting(actor)))
