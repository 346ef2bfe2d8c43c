"""The call protocol: its events on a stream, and the graphs of calls that are projected from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from . import _native
from ._common import given
from .records import Gap, known, known_list

if TYPE_CHECKING:
    from .database import Database


@dataclass(slots=True)
class ProjectionFault:
    """An event or an edge that was passed over, and why."""

    message: str
    offset: int | None = None
    key: str | None = None


@dataclass(slots=True)
class Projected:
    """How many events were `projected`, up to which offset, and whether there are more; how many `failed`, and some of those as `faults`. `gap`:
    events that retention removed before."""

    projected: int
    offset: int
    more: bool
    failed: int = 0
    faults: list[ProjectionFault] = field(default_factory=list)
    gap: Gap | None = None


class Calls:
    """The call protocol, as ``db.calls``."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.Calls of {self._database!r}>"

    def publish(self, event: str, request_id: str, **members: Any) -> int:
        """Publish an event ("call.requested", "call.responded", "call.completed", "call.aborted", "call.error") on the stream "call-protocol",
        in the running transaction; returns its offset. Validation: it does not have what such an event must."""
        answer = self._database._call(_native.brant_call_publish, {"event": event, "request_id": request_id, **members})
        return cast(int, answer["offset"])

    def project(
        self, graph: str, *, stream: str | None = None, consumer: str | None = None, limit: int | None = None
    ) -> Projected:  # fmt: skip
        """Bring a graph of type "call" up to date, by up to `limit` (1000) events: the effect and the offset in one transaction, so each event
        counts once, wherever it is broken off."""
        members = given(graph=graph, stream=stream, consumer=consumer, limit=limit)
        answer = self._database._call(_native.brant_call_project, members)
        projected = known(Projected, answer)
        projected.faults = known_list(ProjectionFault, answer.get("faults", []))
        gap = answer.get("gap")
        projected.gap = None if gap is None else Gap(gap["from"], gap["to"])
        return projected
