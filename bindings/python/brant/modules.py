"""What modules say, without a database: types, validation, differences, casts.

A module is ``{"$id": name, "$defs": {"Config": .., "TaskNode": schema, "DependsOnEdge": schema, "DependsOnEdgeConstraints": ..}}``;
:func:`brant.module` makes one of classes. Nothing here opens or needs a file; all raise Validation where a module cannot work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from . import _native
from ._common import LEFT, given
from ._json import decode, encode
from .evolution import Cast, ModuleDiff, ModuleTypes, cast_attributes, module_diff, module_types
from .records import Json, ValidationReport, validation

Module = Mapping[str, Any]

__all__ = ["cast", "diff", "patch", "types", "validate_edge", "validate_node"]


def _call(function: _native.PureOperation, members: Json) -> Any:
    return decode(function(None, encode(members)))


def types(module: Module) -> ModuleTypes:
    """The node types and edge types that a module defines, each with its schema, the configuration, and warnings."""
    return module_types(_call(_native.brant_module_types, {"module": module}))


def validate_node(
    module: Module, type: str | None, attributes: Any, *, formats: Literal["assert", "annotate"] | None = None
) -> ValidationReport:  # fmt: skip
    """Would these attributes do for a node of this type? True where they would. `formats` "annotate": formats assert nothing.

    Invalid: the module has no such type."""
    members = {"module": module, "type": type, "attributes": attributes} | given(formats=formats)
    return validation(_call(_native.brant_module_validate_node, members))


def validate_edge(
    module: Module,
    type: str | None,
    attributes: Any,
    *,
    source_type: str | None = None,
    target_type: str | None = None,
    formats: Literal["assert", "annotate"] | None = None,
) -> ValidationReport:
    """As `validate_node` for an edge; and may it stand between nodes of these types?"""
    members = {"module": module, "type": type, "attributes": attributes}
    members |= given(source_type=source_type, target_type=target_type, formats=formats)
    return validation(_call(_native.brant_module_validate_edge, members))


def diff(from_: Module, to: Module) -> ModuleDiff:
    """What a change of a module does to stored data, edit by edit.

    "identical": nothing; "additive": all that is stored stays valid; "upcast": `cast` makes it valid; "breaking": some may not be, or nothing
    better can be proven.
    """
    return module_diff(_call(_native.brant_module_diff, {"from": from_, "to": to}))


def cast(module: Module, attributes: Any, *, node_type: str | None = LEFT, edge_type: str | None = LEFT) -> Cast:
    """Bring attributes to the schema of a node type or edge type (None: of an untyped module); true where the result is valid.

    Fills in defaults, drops unknown properties where the schema closes them, takes the member of a union that fits best. It never makes up a
    value: what is invalid stays, and is among the violations.
    """
    members = {"module": module, "attributes": attributes, "node_type": node_type, "edge_type": edge_type}
    members = {name: value for name, value in members.items() if value is not LEFT}
    return cast_attributes(_call(_native.brant_module_cast, members))


def patch(document: Any, patch: Sequence[Mapping[str, Any]]) -> Any:
    """A document changed by RFC 6902 operations. Conflict: a "test" fails. Invalid: an operation or a pointer that cannot be."""
    return _call(_native.brant_module_patch, {"document": document, "patch": patch})["document"]
