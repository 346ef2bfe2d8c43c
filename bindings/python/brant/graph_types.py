"""The graph types of a file: definition, validation, evolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _native
from ._batches import run_batches
from ._clock import deadline
from ._common import LEFT, PAGE, given, paged
from .evolution import Migrated, Migration, ModuleDiff, Retention, TypeCheck, migrated, module_diff, type_check
from .records import GraphType, Json, Page, ValidationReport, graph_type, known, validation

if TYPE_CHECKING:
    from .database import Database


class GraphTypes:
    """The graph types of a file, as ``db.graph_types``; iterate it for all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.GraphTypes of {self._database!r}>"

    def __iter__(self) -> Iterator[GraphType]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def define(
        self,
        module: Mapping[str, Any],
        *,
        name: str | None = None,
        scope: Literal["user", "tenant", "system"] | None = None,
        version: int | None = None,
        metadata: Json | None = None,
    ) -> GraphType:
        """Define a graph type by a module: ``{"$id": name, "$defs": {"Config": .., "PackageNode": schema, "DependsEdge": schema}}``.

        The same module under the same name and version is answered as it is stored. Validation: the module cannot work, the detail says
        where. Exists: another module has the name. Denied: scope "system" without the system flag.
        """
        members = given(module=module, name=name, scope=scope, version=version, metadata=metadata)
        return graph_type(self._database._call(_native.brant_graph_type_define, members))

    def get(self, name: str) -> GraphType:
        """The graph type with its `module`. NotFound."""
        return graph_type(self._database._call(_native.brant_graph_type_get, {"name": name}))

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Page[GraphType]:
        """A page (100) of graph types, by name."""
        answer = self._database._call(_native.brant_graph_type_list, given(limit=limit, cursor=cursor))
        return Page([graph_type(item) for item in answer["items"]], answer["cursor"])

    def delete(self, name: str) -> None:
        """NotFound. Constraint: graphs use it. Denied: built in, or scope "system"."""
        self._database._call(_native.brant_graph_type_delete, {"name": name})

    def validate_node(self, graph_type: str, type: str, attributes: Any) -> ValidationReport:
        """Would these attributes do? Writes nothing; true where they would."""
        members = {"graph_type": graph_type, "type": type, "attributes": attributes}
        return validation(self._database._call(_native.brant_graph_type_validate_node, members))

    def validate_edge(
        self, graph_type: str, type: str, attributes: Any, *, source_type: str | None = None, target_type: str | None = None
    ) -> ValidationReport:
        """Would these attributes do, and may the edge stand between nodes of these types?"""
        members = {"graph_type": graph_type, "type": type, "attributes": attributes}
        members |= given(source_type=source_type, target_type=target_type)
        return validation(self._database._call(_native.brant_graph_type_validate_edge, members))

    # ---- evolution ----------------------------------------------------------------------------------------------------

    def diff(self, name: str, module: Mapping[str, Any]) -> ModuleDiff:
        """What this module instead of the stored one does to stored data, as `brant.modules.diff`. NotFound. Validation."""
        return module_diff(self._database._call(_native.brant_graph_type_diff, {"name": name, "module": module}))

    def update(
        self, name: str, module: Mapping[str, Any], *, version: int | None = None, metadata: Json | None = None
    ) -> GraphType:
        """Change a graph type.

        An "identical" or "additive" change is there at once. One of class "upcast" or "breaking" needs a greater `version` (Constraint):
        from then on writes are validated by the new module, and what is stored stays as it is until `migrate`. Constraint: a type with rows
        would go, or with nodes or edges `directed`, `multi` or having types at all would change. NotFound. Validation. Denied: built in, or scope
        "system". `GraphType.warnings` tells what is allowed and probably not meant.
        """
        members = {"name": name, "module": module} | given(version=version, metadata=metadata)
        return graph_type(self._database._call(_native.brant_graph_type_update, members))

    def check(
        self,
        name: str,
        module: Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> TypeCheck:
        """Look at stored rows, at most `limit` (10 000): how many are valid by this module (or the stored one), how many a cast would make so,
        how many it would not; the first 100 of those. Writes nothing."""
        members = {"name": name} | given(module=module, limit=limit, cursor=cursor)
        return type_check(self._database._call(_native.brant_graph_type_check, members, deadline(timeout)))

    def migrate(
        self,
        name: str,
        *,
        batch: int | None = None,
        limit: int | None = None,
        patches: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        on_failure: Literal["stop", "skip"] | None = None,
        progress: Callable[[Migrated], object] | None = None,
        timeout: float | None = None,
    ) -> Migrated:
        """Bring what is stored to the graph type's version: rows are patched, cast, validated.

        Each `batch` (1000 rows) is one transaction, so that a migration that was broken off goes on where it was; it runs to the end, or for
        `limit` batches. `patches`: RFC 6902 operations by type, done before the cast. A row that cannot be brought there ends the migration
        (`on_failure` "stop"), or is counted and left ("skip"; another migration tries it again). `progress` is told after each batch what is done
        so far. A row that changed has a new revision.
        """
        until = deadline(timeout)
        members = {"name": name} | given(batch=batch, patches=patches, on_failure=on_failure)
        return run_batches(
            lambda more: migrated(self._database._call(_native.brant_graph_type_migrate, members | more, until)),
            ("migrated", "unchanged", "failed"),
            limit,
            progress,
            stops=lambda total: on_failure != "skip" and bool(total.failures),
        )

    def migrate_later(
        self,
        name: str,
        *,
        batch: int | None = None,
        patches: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        on_failure: Literal["stop", "skip"] | None = None,
    ) -> int:
        """As `migrate`, as a job of the queue "schema-migration", which `Database.maintain` works off in bounded steps; returns its id (`Jobs`)."""
        members = {"name": name, "background": True} | given(batch=batch, patches=patches, on_failure=on_failure)
        return cast(int, self._database._call(_native.brant_graph_type_migrate, members)["job"])

    def migration(self, name: str) -> Migration:
        """Where the newest migration is. NotFound: there was none."""
        return known(Migration, self._database._call(_native.brant_graph_type_migration, {"name": name}))

    def set_retention(self, name: str, rules: Json | None) -> Retention:
        """Say what `Database.maintain` archives and deletes in graphs of this type; None: nothing.

        ``{"archive_after": ms, "delete_after": ms, "purge_after": ms, "nodes": [{"type": "Call", "filter": {..}, "older_than": ms, "by":
        "updated_at"}], "edges": [..]}``: a graph is archived, marked deleted and purged so long after its last change; nodes and edges go when
        the time of `by` (updated_at, created_at, an attribute) is so long ago. `GraphType.retention` shows it. Invalid: a rule, with its pointer.
        """
        return known(Retention, self._database._call(_native.brant_graph_type_set_retention, {"name": name, "rules": rules}))
