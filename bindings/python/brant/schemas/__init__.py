"""Pydantic models of every operation's input and answer, made from the registry.

    from brant.schemas import NodesPut

    put = db.call(NodesPut(graph="plan", key="write", attributes={"title": "Write it"}))
    print(put.revision)                       # a NodesPutResult, to type checkers too

An input is judged when it is made, by the core's own validator and the operation's schema in the registry: what it accepts, and what it says of the rest, is what the core does. What
is not given is not sent; None is null. A namespace's models are loaded when the first of them is asked for. Needs Pydantic: ``pip install brant[pydantic]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import pydantic as _pydantic  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("brant.schemas needs Pydantic: pip install 'brant[pydantic]'", name="pydantic") from error

from ._names import _MODULES

if TYPE_CHECKING:
    from ._names import *


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for prefix in sorted(_MODULES, key=len, reverse=True):
        if name.startswith(prefix):
            found = getattr(import_module(f"{__name__}.{_MODULES[prefix]}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def model(operation: str) -> Any:
    """The model of an operation's input by the operation's name ("nodes.put")."""
    return __getattr__("".join(part[:1].upper() + part[1:] for part in operation.replace(".", "_").split("_")))
