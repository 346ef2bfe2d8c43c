"""What calls answer about modules and how they change: differences, casts, checks, migrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .records import Json, ModuleWarning, Violation, known, known_list


@dataclass(slots=True)
class ModuleNodeType:
    """A node type as a module says it; `encrypted`: JSON pointers of the attributes that are, where an envelope is read."""

    name: str
    schema: Any
    encrypted: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ModuleEdgeType:
    """An edge type as a module says it; `source` and `target` None: any; `max_out`, `max_in` None: no limit."""

    name: str
    schema: Any
    source: list[str] | None = None
    target: list[str] | None = None
    max_out: int | None = None
    max_in: int | None = None
    encrypted: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ModuleTypes:
    """What a module defines."""

    id: str | None
    config: Json
    node_types: list[ModuleNodeType]
    edge_types: list[ModuleEdgeType]
    warnings: list[ModuleWarning]


@dataclass(slots=True)
class ModuleEdit:
    """One difference between two modules: `op` is "add", "remove" or "replace", at the JSON `pointer` in the module."""

    op: str
    pointer: str
    entry: str | None
    class_: str
    reason: str


@dataclass(slots=True)
class ModuleDiff:
    """What a changed module does to stored data: `class_` is "identical", "additive", "upcast" or "breaking", the worst of its edits'."""

    class_: str
    edits: list[ModuleEdit]


@dataclass(slots=True)
class Cast:
    """Attributes brought to a module's schema as far as that goes; `edits` are the RFC 6902 operations that did it."""

    attributes: Json
    changed: bool
    edits: list[Json]
    valid: bool
    violations: list[Violation]

    def __bool__(self) -> bool:
        return self.valid


@dataclass(slots=True)
class Failure:
    """A stored node or edge that does not satisfy its type."""

    graph: str
    key: str
    violations: list[Violation]


@dataclass(slots=True)
class Checked:
    """How many rows a check looked at, and how they are."""

    checked: int
    valid: int
    castable: int
    failing: int


@dataclass(slots=True)
class TypeCheck:
    """What a change would do to the stored rows, of which this looked at some; `cursor` goes on, None at the end."""

    class_: str
    nodes: Checked
    edges: Checked
    failures: list[Failure]
    cursor: str | None


@dataclass(slots=True)
class Migrated:
    """What the batches of a migration did: so far, when it is given to `progress`. The first 100 rows that failed are `failures`."""

    done: bool
    migrated: int
    unchanged: int
    failed: int
    remaining: int
    failures: list[Failure]


@dataclass(slots=True)
class Migration:
    """Where a graph type's newest migration is."""

    from_version: int
    to_version: int
    migrated: int
    failed: int
    remaining: int
    done: bool
    started_at: int
    updated_at: int


@dataclass(slots=True)
class Retention:
    """The retention rules of a graph type."""

    name: str
    rules: Json | None


def failures(items: list[Json]) -> list[Failure]:
    return [Failure(item["graph"], item["key"], known_list(Violation, item["violations"])) for item in items]


def module_types(members: Json) -> ModuleTypes:
    return ModuleTypes(
        members.get("id"),
        members["config"],
        known_list(ModuleNodeType, members["node_types"]),
        known_list(ModuleEdgeType, members["edge_types"]),
        known_list(ModuleWarning, members.get("warnings", [])),
    )


def module_diff(members: Json) -> ModuleDiff:
    return ModuleDiff(members["class"], known_list(ModuleEdit, members["edits"]))


def cast_attributes(members: Json) -> Cast:
    answer = known(Cast, members)
    answer.violations = known_list(Violation, members["violations"])
    return answer


def type_check(members: Json) -> TypeCheck:
    nodes, edges = known(Checked, members["nodes"]), known(Checked, members["edges"])
    return TypeCheck(members["class"], nodes, edges, failures(members["failures"]), members["cursor"])


def migrated(members: Json) -> Migrated:
    answer = known(Migrated, members)
    answer.failures = failures(members["failures"])
    return answer
